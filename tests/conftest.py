"""What holds for every test: the profiles of the property tests.

``dev`` (the default) explores anew at each run; ``ci`` (when CI is set) tries the same examples
each time, so that a red run can be repeated. ``HYPOTHESIS_PROFILE`` names another one. Neither has
a deadline: the machine is shared, and a slow moment is no fault of the code.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)

# Folders whose tests start real nodes, or many: `make check` leaves them to `make test`.
_WITH_NODES = frozenset(
    {"attacks", "audit", "cli", "demo", "explorer", "fuzz", "mutual", "node", "node_http"}
)
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts nodes as slow, by its folder."""
    for item in items:
        if item.path.relative_to(_HERE).parts[0] in _WITH_NODES:
            item.add_marker(pytest.mark.slow)
