"""What the core loads is what is measured."""

import subprocess
import sys

from attestation.platforms.software_manifest import _expand, read_manifest
from node.cli.node import CORE_MANIFEST
from tests.support.repository import ROOT, packages

PROGRAM = """
import sys, pathlib
import node.app, node.cli.main
for module in list(sys.modules.values()):
    file = getattr(module, "__file__", None)
    if file:
        print(pathlib.Path(file).resolve())
"""


def test_every_module_of_ours_that_the_node_loads_is_measured() -> None:
    """Code that runs in the core and is not in its measurement could be changed unseen."""
    output = subprocess.run(
        (sys.executable, "-c", PROGRAM), check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout
    ours = tuple(f"{ROOT / package}/" for package in packages())
    loaded = {line for line in output.splitlines() if line.startswith(ours)}
    measured = {str(path.resolve()) for _, path in _expand(read_manifest(CORE_MANIFEST))}
    assert len(loaded) > 50
    assert loaded <= measured
