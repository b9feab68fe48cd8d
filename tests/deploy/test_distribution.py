"""What is installed is enough: a wheel built from the tracked files founds and checks a home."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.repository import ROOT, packages, project_files

BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "requirements/run.in")
NOT_SHIPPED = ("README.md", "ruff.toml")


@pytest.mark.slow
def test_the_wheel_is_enough(tmp_path: Path) -> None:
    """Installed without the repository, the program founds a home that its check finds sound."""
    source, site = tmp_path / "source", tmp_path / "site"
    for file in project_files():
        name = file.relative_to(ROOT)
        if name.parts[0] in packages() or str(name) in BUILT_FROM:
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation",
        "--disable-pip-version-check", "--wheel-dir", str(tmp_path), str(source))  # fmt: skip
    (wheel,) = tmp_path.glob("sealedger-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        built = set(archive.namelist())
    files = (path.relative_to(source) for path in source.rglob("*") if path.is_file())
    ours = {str(path) for path in files if path.parts[0] in packages()}
    assert [name for name in sorted(ours - built) if Path(name).name not in NOT_SHIPPED] == []
    program = (sys.executable, "-P", "-c", "from node.cli.main import main; main()")
    home = ("--home", str(tmp_path / "home"))
    listen = ("--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0")
    run(*program, "node", "init", *home, *listen, path=site)
    said = run(*program, "node", "config", "check", *home, path=site)
    assert "ok       yes" in said
    where = run(sys.executable, "-P", "-c", "import node; print(node.__file__)", path=site)
    assert where.startswith(str(site))


def run(*command: str, path: Path | None = None) -> str:
    """What a command prints; it must succeed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout
