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

# Folders and files that start real nodes, or many, or try every byte: `make check` leaves them to
# `make test`.
_SLOW = frozenset(
    {
        *("attacks", "audit", "cli", "demo", "explorer", "fuzz", "fuzz_nightly", "mutual"),
        *("node", "node_http", "owners"),
        *("attestation_ratls/test_fuzz.py", "docs/test_operator.py"),
        *("evidence/test_command.py", "evidence/test_mutations.py"),
    }
)
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, by its folder or file."""
    for item in items:
        path = item.path.relative_to(_HERE)
        if path.parts[0] in _SLOW or path.as_posix() in _SLOW:
            item.add_marker(pytest.mark.slow)
