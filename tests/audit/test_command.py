"""``sealedger audit`` as it is typed, over a log in a directory: exit codes, words, JSON."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from node.cli import main as program
from tests.support.audited_log import AuditedLog, change, finding_of, pins

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The program with the right pins: exit code, output, errors."""
    network = tmp_path / "network.toml"
    pins().save(network)

    def call(
        *arguments: str, allowed: tuple[str, ...] = ("--allow-development",)
    ) -> tuple[int, str, str]:
        given = (*arguments, "--network", str(network), *allowed)
        monkeypatch.setattr("sys.argv", ["sealedger", "audit", *given])
        code = 0
        try:
            program.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_verified_is_exit_0(run: Run, copy: Path, honest: AuditedLog) -> None:
    """Sentences for people, every field for machines, nothing on standard error."""
    code, out, error = run("verify", str(copy))
    assert (code, error) == (0, "")
    assert out.startswith("Verified: entries 0 to 599 of the log dev.audited/1")
    code, out, error = run("verify", str(copy), "--json")
    said = json.loads(out)
    assert (code, error, said["verified"]) == (0, "", True)
    assert said["checkpoint_root"] == honest.log.tree.root().hex()
    assert [one["name"] for one in said["cosigners"]] == [
        "dev.audited/node-1",
        "dev.audited/node-2",
    ]
    assert {"bytes_read", "seconds", "pins_sha256", "rules_version"} <= said.keys()


def test_not_verified_is_exit_1(run: Run, copy: Path) -> None:
    """One flipped bit: where and what, expected and got, for people and machines."""
    change(copy, "tile/entries/001", 100)
    code, out, error = run("verify", str(copy))
    assert (code, out) == (1, "")
    assert error.startswith("sealedger: error: entry 256: it is not the entry that the tree has")
    assert "hint: keep what you fetched" in error
    code, out, _ = run("verify", str(copy), "--json")
    found = finding_of(out)
    assert (code, found["where"]) == (1, "entry 256")
    assert len(found["expected"]) == len(found["got"]) == 64


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("verify", "http://127.0.0.1:1"), "no answer"),
        (("verify", "no/such/folder"), "is no directory"),
        (("verify", "{tmp}"), "there is no checkpoint"),
        (("verify", "{log}", "--checkpoint", "{tmp}/none"), "none: No such file"),
        (("verify", "{log}", "--state", "{tmp}/network.toml"), "state file"),
        (("verify", "{log}", "--state", "{tmp}/no/folder"), "cannot write"),
        (("verify", "{log}", "--jobs", "0"), "--jobs"),
        (("verify", "{log}", "--network", "{tmp}/none"), "network file"),
        (("fetch", "{tmp}", "{tmp}/copy"), "there is no checkpoint"),
        (("fetch", "{log}", "/proc/nowhere"), "cannot write"),
    ],
)
def test_unusable_is_exit_2(
    run: Run, copy: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """A source, file or option that cannot be used says nothing about the log."""
    (tmp_path / "log2").mkdir()
    given = tuple(one.format(tmp=tmp_path, log=copy) for one in arguments)
    if "--network" in given:
        (tmp_path / "network.toml").unlink()
        given = given[:2]
    code, out, error = run(*given)
    assert (code, out) == (2, "")
    assert message in error
    assert "hint: " in error


def test_development_networks_need_permission(run: Run, copy: Path) -> None:
    """Nobody audits a development network by accident."""
    code, out, error = run("verify", str(copy), allowed=())
    assert (code, out) == (2, "")
    assert "--allow-development" in error


def test_a_copy_is_brought_up_to_date(run: Run, tmp_path: Path) -> None:
    """Full tiles and bundles are fetched once; the checkpoint comes last."""
    log = AuditedLog()
    session = log.session()
    log.fill(session, 300)
    source, copy = log.write(tmp_path / "log"), tmp_path / "copy"
    first = json.loads(run("fetch", str(source), str(copy), "--json")[1])
    log.fill(session, 600)
    log.write(source)
    again = json.loads(run("fetch", str(source), str(copy), "--json")[1])
    assert (first["fetched"], again["fetched"]) == (5, 5)  # two of seven were there
    assert run("verify", str(copy))[0] == 0
    log.fill(session, 700)
    log.write(source)
    (source / "tile/0/002.p/188").unlink()
    assert run("fetch", str(source), str(copy))[0] == 1
    code, out, _ = run("verify", str(copy), "--json")
    assert (code, json.loads(out)["checkpoint_size"]) == (0, 600)


def test_processes_find_the_same(run: Run, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes give the result of one: what holds, and the first thing that does not."""
    monkeypatch.setattr("node.audit.verify.MIN_FOR_PROCESSES", 1)
    one, two = (
        json.loads(run("verify", str(copy), "--json", "--jobs", jobs)[1]) for jobs in ("1", "2")
    )
    assert {**one, "seconds": 0} == {**two, "seconds": 0}
    change(copy, "tile/entries/000", 2000)
    change(copy, "tile/entries/002.p/88", 100)
    findings = [run("verify", str(copy), "--json", "--jobs", jobs)[1] for jobs in ("1", "2")]
    assert findings[0] == findings[1]
