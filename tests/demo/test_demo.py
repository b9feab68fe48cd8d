"""The demo as a stranger runs it: what it prints, what it leaves, what it does when stopped."""

import contextlib
import json
import re
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.demo.apps.reader import search
from tests.support.documents import shown
from tests.support.repository import ROOT

pytestmark = pytest.mark.slow

DEMO = [sys.executable, "-m", "deploy.demo"]
MASKS = (
    (r"\b[0-9a-f]{16}\b", "ID"),
    (r"\b0x[0-9a-fA-F]{40}\b", "ACCOUNT"),
    (r"\bprocess \d+\b", "process PID"),
    (r"\b127\.0\.0\.1:\d+", "HOST:PORT"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME"),
    (r"\bentry \d+", "entry N"),
    (r"\b\d+ entries", "N entries"),
    (r"\bdone in \d+\.\d s", "done in T s"),
)


@dataclass(frozen=True, slots=True)
class Played:
    """A demo that ended, and the folder that it was told to keep."""

    code: int
    said: str
    errors: str
    folder: Path


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """One run of the demo for all tests that look at it."""
    folder = tmp_path_factory.mktemp("demo") / "kept"
    ended = subprocess.run(
        [*DEMO, "--keep", str(folder)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    return Played(ended.returncode, ended.stdout, ended.stderr, folder)


def masked(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text


def test_readme_shows_what_the_demo_prints(played: Played) -> None:
    """The demo succeeds, and README's block is its output but for ids, times and counts."""
    assert (played.code, played.errors) == (0, "")
    assert masked(shown("README.md", "demo")) == masked(f"$ make demo\n{played.said}")


def test_the_masks_hide_only_what_differs(played: Played) -> None:
    """Each mask finds something, and a changed count of secrets still shows."""
    unused = [word for pattern, word in MASKS if not re.search(pattern, played.said, re.MULTILINE)]
    assert unused == []
    assert masked(played.said.replace("403 secrets", "402 secrets")) != masked(played.said)


def test_the_altered_app_differs_by_one_byte(played: Played) -> None:
    """The image that was denied is the reader's but for a single byte."""
    images = [played.folder / "images" / name for name in ("reader", "altered")]
    reader, altered = (
        {
            path.relative_to(image): path.read_bytes()
            for path in image.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        for image in images
    )
    assert reader.keys() == altered.keys()
    differing = [name for name in reader if reader[name] != altered[name]]
    assert differing == [Path("reader.py")]
    pairs = zip(reader[differing[0]], altered[differing[0]], strict=True)
    assert sum(a != b for a, b in pairs) == 1


def test_what_is_measured_is_what_runs(played: Played) -> None:
    """An app takes the client library from its measured image, not from the environment."""
    image = played.folder / "images" / "writer"
    probe = image / "probe.py"
    probe.write_text(
        "import attestation, enclave_client, ledger, sealedger\n"
        "print(*(m.__file__ for m in (attestation, enclave_client, ledger, sealedger)), sep='\\n')"
    )
    said = subprocess.run(
        [sys.executable, str(probe)], capture_output=True, text=True, check=True
    ).stdout
    assert [Path(line).parent.parent for line in said.splitlines()] == [image] * 4


def test_the_nodes_log_is_structured_and_names_nothing(played: Played) -> None:
    """Every line that the node logged is JSON, three starts among them, and none names a secret."""
    lines = (played.folder / "log" / "node.log").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines].count("node started") == 3
    assert not [line for line in lines if re.search(r"key\.pem|credentials|LICENSE|recovery", line)]


def test_the_explorer_stays_where_the_demo_says(played: Played) -> None:
    """The address that the demo prints is the node's after every start."""
    (port,) = re.findall(r"explorer.* http://127\.0\.0\.1:(\d+)/explorer/\n", played.said)
    lines = (played.folder / "log" / "node.log").read_text().splitlines()
    starts = [start for line in lines if (start := json.loads(line))["event"] == "node started"]
    assert [start["http_port"] for start in starts] == [int(port)] * 3


def test_the_owner_is_nobody_on_the_node(played: Played) -> None:
    """Keystore and password are private files elsewhere; genesis knows no account or collection."""
    files = [played.folder / name for name in ("owner.json", "owner.password")]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
    assert not (played.folder / "home" / "accounts").exists()
    assert b"demo/secrets" not in (played.folder / "home" / "genesis.pb").read_bytes()


def test_the_readers_search_finds_values(played: Played, tmp_path: Path) -> None:
    """The search for values that the demo relies on finds one where it stands."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"before the value after")
    assert search([b"another"], [tmp_path, played.folder / "log"]) == 2
    with pytest.raises(SystemExit, match="deep"):
        search([b"another", b"the value"], [tmp_path])


def test_a_folder_that_exists_is_refused(tmp_path: Path) -> None:
    """--keep never writes into a folder that is there already."""
    ended = subprocess.run(
        [*DEMO, "--keep", str(tmp_path)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert ended.returncode == 2
    assert "exists already" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_demo_leaves_no_process(tmp_path: Path) -> None:
    """Told to stop while the writer writes, it ends with 1 and takes the node along."""
    command = [*DEMO, "--keep", str(tmp_path / "kept")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as demo:
        assert demo.stdout is not None
        while not (line := demo.stdout.readline()).startswith(" 5. writer"):
            assert line
        assert len(processes_of(tmp_path)) > 1
        demo.send_signal(signal.SIGTERM)
        _, errors = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "told to stop" in errors
    assert processes_of(tmp_path) == []


def processes_of(folder: Path) -> list[str]:
    """The command lines that name the folder, of all processes that run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it may end while we look
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [command for command in found if str(folder) in command]


@pytest.mark.parametrize(
    "change, message",
    [
        ("images.alter = lambda image: image", "exit code 0, not 3"),
        (
            "read = apps_at_work.read; "
            "apps_at_work.read = lambda *given: (read(*given), read(*given))",
            "other reads of tls/key.pem than the reader's one",
        ),
    ],
    ids=["admitted", "read twice"],
)
def test_a_deviation_is_told(change: str, message: str) -> None:
    """An app let in where it must be denied, or a read too many: a message and exit code 1."""
    ended = subprocess.run(
        [sys.executable, "-c", BROKEN, change],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("sealedger demo: error: ")
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


# Runs the demo with one thing in it changed.
BROKEN = """
import sys
from deploy.demo import __main__ as demo, apps_at_work, images
exec(sys.argv.pop(1))
sys.exit(demo.main())
"""
