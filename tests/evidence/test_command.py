"""`sealedger evidence verify` as people type it: what it prints, and its exit code."""

import json
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from attestation.evidence import decode_evidence
from attestation.inspect import identity_of_unverified
from attestation.platforms.software_snp import make_snp_report
from tests.support.attested import NOW_S
from tests.support.command_line import Command, Said, command_line
from tests.support.evidence_vectors import MANIFEST, REASON, VECTORS, case_of
from tests.support.repository import ROOT
from tests.support.snp_world import GUEST, leaf_key
from tests.support.software_machines import Machine, make_machine

AT = ("--at", str(NOW_S + 10))
PROGRAM = (sys.executable, "-c", "from node.cli.main import main; main()", "evidence", "verify")
FIELDS = (
    "kind",
    "form",
    "verdict",
    "at",
    "status",
    "advisories",
    "identity",
    "claimed",
    "report_data",
    "quote_digest",
    "collateral",
    "root",
    "revocation",
    "policy",
    "reasons",
)

needs_vectors = pytest.mark.skipif(not MANIFEST.exists(), reason=REASON)


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command."""
    run = command_line(monkeypatch, capsys)

    async def verify(*arguments: str) -> Said:
        said = await run("evidence", "verify", *arguments)
        assert "Traceback" not in said.err
        return said

    return verify


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A software platform for SGX with evidence of one app."""
    return make_machine(tmp_path_factory.mktemp("machines") / "sgx", "sgx", NOW_S)


def good(machine: Machine) -> tuple[str, ...]:
    """Arguments that end in an acceptance."""
    return (str(machine.evidence), *machine.options, *AT)


def fields_of(said: Said) -> dict[str, Any]:
    """The printed JSON object."""
    fields: dict[str, Any] = json.loads(said.out)
    assert tuple(fields) == FIELDS
    return fields


def fault(said: Said) -> str:
    """The error; AssertionError unless it is one error with one hint, and wrong usage."""
    assert (said.code, said.out) == (2, "")
    error, hint = said.err.splitlines()
    assert error.startswith("sealedger: error: ")
    assert hint.startswith("hint: ")
    return error


async def test_accepted_is_not_good_enough(verify: Command, machine: Machine) -> None:
    """Where no policy was asked, people are told that nobody said whether it is good enough."""
    said = await verify(*good(machine))
    assert "policy" in said.out
    assert "--policy says" in said.out


async def test_times_in_reasons(verify: Command, machine: Machine) -> None:
    """Errors name times as people read them."""
    at = ("--at", str(NOW_S + 3 * 366 * 86_400))
    said = await verify(str(machine.evidence), *machine.options, *at)
    assert said.code == 1
    assert re.search(r"expected valid at 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", said.err)


async def test_accepted_evidence(verify: Command, machine: Machine) -> None:
    """Exit code 0, the whole identity, nothing on standard error."""
    said = await verify(*good(machine), "--json")
    assert (said.code, said.err) == (0, "")
    fields = fields_of(said)
    assert (fields["kind"], fields["verdict"], fields["root"]) == ("evidence", "accepted", "given")
    assert (fields["status"], fields["advisories"], fields["reasons"]) == ("UpToDate", [], [])
    assert fields["at"] == NOW_S + 10
    claimed = identity_of_unverified(decode_evidence(machine.evidence.read_bytes()))
    assert fields["identity"]["measurement"] == claimed.measurement.hex()
    assert fields["identity"]["sgx"]["attributes"] == "0500000000000000e700000000000000"
    assert fields["identity"]["tcb_date_s"] > 0
    assert (fields["claimed"], fields["revocation"]) == (None, "checked")
    assert fields["report_data"] == bytes(range(64)).hex()
    assert fields["collateral"]["key"] == "sgx/00536f667401/processor"
    assert fields["collateral"]["number"] == 1


async def test_accepted_evidence_for_people(verify: Command, machine: Machine) -> None:
    """The same in aligned lines, with words for what is zero and where the root is from."""
    said = await verify(*good(machine))
    assert (said.code, said.err) == (0, "")
    rows = dict(line.split("  ", 1) for line in said.out.splitlines())
    assert rows["verdict"].strip() == "accepted"
    assert rows["config id"].strip() == "zero"
    assert rows["root"].strip().startswith("given: ")
    assert rows["judged as of"].strip() == "2027-01-15T08:00:10.000Z"


async def test_undecided_evidence(verify: Command, machine: Machine) -> None:
    """Exit code 1, the reason on standard error with what mends it, and only claims."""
    said = await verify(str(machine.evidence), *AT, "--json")
    assert said.code == 1
    assert said.err.splitlines() == [
        "sealedger: error: undecided: collateral-missing: "
        "expected collateral for sgx/00536f667401/processor, got none",
        "hint: --collateral collateral.pb; from a service: sealedger collateral fetch "
        "sgx/00536f667401/processor --pccs URL --save collateral.pb; from a ledger: "
        "sealedger collateral show sgx/00536f667401/processor --save collateral.pb",
    ]
    fields = fields_of(said)
    assert (fields["verdict"], fields["identity"], fields["status"]) == ("undecided", None, None)
    assert (fields["report_data"], fields["revocation"]) == (None, "not checked")
    assert fields["claimed"]["tcb_status"] == "unknown"


async def test_refused_evidence(verify: Command, machine: Machine, tmp_path: Path) -> None:
    """Exit code 1, and the reason."""
    data = bytearray(machine.evidence.read_bytes())
    data[200] ^= 1
    forged = tmp_path / "forged"
    forged.write_bytes(data)
    said = await verify(str(forged), *machine.options, *AT, "--json")
    assert said.code == 1
    (reason,) = fields_of(said)["reasons"]
    assert reason["check"] == "signature-invalid"
    assert reason.keys() == {"check", "expected", "got", "mend"}
    assert said.err.startswith("sealedger: error: refused: signature-invalid: ")


async def test_a_policy_decides_too(verify: Command, machine: Machine, tmp_path: Path) -> None:
    """Findings stand in the answer; not admitted is refused."""
    policy = tmp_path / "policy.toml"
    for measurement, code in (("11" * 32, 1), (None, 0)):
        own = identity_of_unverified(decode_evidence(machine.evidence.read_bytes()))
        policy.write_text(f'measurement = "{measurement or own.measurement.hex()}"\n')
        said = await verify(*good(machine), "--policy", str(policy), "--json")
        assert said.code == code
        fields = fields_of(said)
        assert fields["policy"]["admitted"] is (code == 0)
        assert fields["policy"]["findings"][0]["field"] == "measurement"
        assert fields["identity"] is not None
        people = await verify(*good(machine), "--policy", str(policy))
        assert ("NOT MET" in people.out) is (code == 1)


async def test_what_the_ledger_alone_knows_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    machine: Machine,
    tmp_path: Path,
) -> None:
    """As `policy explain` says it too: to people, in the reason, and beside `ok` for machines."""
    policy = tmp_path / "policy.toml"
    own = identity_of_unverified(decode_evidence(machine.evidence.read_bytes()))
    policy.write_text(f'measurement = "{own.measurement.hex()}"\nenrolled = true\n')
    sealedger = command_line(monkeypatch, capsys)
    arguments = ("evidence", "verify", *good(machine), "--policy", str(policy))
    said = await sealedger(*arguments, "--json")
    fields = fields_of(said)
    assert (said.code, fields["verdict"]) == (1, "refused")
    assert fields["reasons"][0]["got"] == "known to the ledger alone: enrolled"
    first, *_, last = fields["policy"]["findings"]
    assert (first["ok"], first["result"]) == (True, "met")
    assert last == {
        "field": "enrolled",
        "expected": "by the members",
        "got": f"{own.platform_id.hex()}, known to the ledger alone",
        "ok": False,
        "result": "unknown",
    }
    people = await sealedger(*arguments)
    assert f"unknown: expected by the members, got {last['got']}" in people.out
    assert "NOT MET" not in people.out
    explain = ("policy", "explain", str(machine.evidence), str(policy), *machine.options, *AT)
    told = await sealedger(*explain, "--json")
    rows = json.loads(told.out)["findings"]
    assert rows == [{name: one[name] for name in rows[0]} for one in fields["policy"]["findings"]]


async def test_a_time_of_utc(verify: Command, machine: Machine) -> None:
    """As people write it."""
    at = ("--at", "2027-01-15T08:00:10Z")
    said = await verify(str(machine.evidence), *machine.options, *at, "--json")
    assert fields_of(said)["at"] == NOW_S + 10


async def test_the_time_is_now_unless_it_is_given(
    verify: Command, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --at the clock is asked."""
    monkeypatch.setattr("node.cli.given_evidence.time.time", lambda: NOW_S + 7.9)
    said = await verify(str(machine.evidence), *machine.options, "--json")
    assert fields_of(said)["at"] == NOW_S + 7


@needs_vectors
@pytest.mark.parametrize(
    "name, code, words",
    [
        ("tdx/google-v5", 0, "accepted"),
        ("sev-snp/trustee-milan-vlek", 0, "no revocation list was given"),
        ("sev-snp/ms-turin", 0, "pinned: Intel, AMD"),
        ("ra-tls/konvera-gramine:collateral", 0, "certificate, gramine-legacy"),
        ("sgx/derived-isv-sig-flip", 1, "signature-invalid"),
        ("ra-tls/openenclave-ec-bad", 1, "signature-invalid"),
        ("ias/oasis-avr-v4", 1, "docs/attestation.md"),
        ("ias/integritee-test4", 1, "service-retired"),
        ("sev-snp/derived-rs-swapped", 1, "claimed measurement"),
    ],
)
async def test_real_evidence(verify: Command, name: str, code: int, words: str) -> None:
    """Files of real machines, with the roots that are built in."""
    said = await verify(*case_of(name).options)
    assert said.code == code
    assert words in said.out


@needs_vectors
@pytest.mark.parametrize("option", ["--root", "--collateral", "--chain"])
async def test_a_chip_s_certificate_is_no_root(verify: Command, option: str) -> None:
    """Certificates in the wrong place are refused without the parser's own remarks."""
    certificate = str(VECTORS / "sev-snp/ms-turin/vcek.der")
    said = await verify(str(VECTORS / "sev-snp/ms-turin/report.bin"), option, certificate)
    assert "Warning" not in said.err
    assert said.code == (1 if option == "--chain" else 2)


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "empty"),
        (b" ", "white space"),
        (bytes(131_073), "larger than 131072 bytes"),
        (b"hello\n", "base64"),
        (b"{}", "collateral is an option of its own"),
        (b"\xff" * 1000, "no DCAP quote"),
    ],
)
async def test_a_file_that_is_no_evidence(
    verify: Command, tmp_path: Path, content: bytes, words: str
) -> None:
    """Exit code 2, and what it is instead."""
    path = tmp_path / "file"
    path.write_bytes(content)
    said = fault(await verify(str(path)))
    assert words in said
    assert f"evidence: {path}: " in said


async def test_a_path_that_is_no_file(verify: Command, tmp_path: Path) -> None:
    """Exit code 2 for what is missing, a directory, or endless."""
    assert "No such file" in fault(await verify(str(tmp_path / "nothing")))
    assert "directory" in fault(await verify(str(tmp_path)))
    assert "larger than" in fault(await verify("/dev/zero"))
    assert "empty" in fault(await verify("/dev/null"))


@needs_vectors
@pytest.mark.parametrize(
    "name, words", [("vcek", "AMD's VCEK: give it with --chain"), ("ask", "AMD's ASK: ")]
)
async def test_a_certificate_of_amd_s_is_no_evidence(
    verify: Command, name: str, words: str
) -> None:
    """Exit code 2 with the file's name, and the option that it belongs to."""
    for vector in ("ms-turin", "virtee-milan"):
        path = VECTORS / f"sev-snp/{vector}/{name}.der"
        assert f"evidence: {path}: this is {words}" in fault(await verify(str(path)))


@pytest.mark.parametrize("option", ["--collateral", "--chain", "--root", "--policy"])
async def test_a_file_beside_it_that_cannot_be_used(
    verify: Command, machine: Machine, tmp_path: Path, option: str
) -> None:
    """Exit code 2 whichever option named it."""
    junk = tmp_path / "junk"
    junk.write_bytes(b"\xff" * 100)
    for path in (junk, tmp_path, tmp_path / "nothing"):
        assert str(path) in fault(await verify(str(machine.evidence), option, str(path)))
    with junk.open("r+b") as file:
        file.truncate(10_000_000)
    assert str(junk) in fault(await verify(str(machine.evidence), option, str(junk)))


@needs_vectors
async def test_faults_of_a_chain_name_its_files(verify: Command, tmp_path: Path) -> None:
    """The file that is at fault; where several do not go together, all of them."""
    milan, genoa = VECTORS / "sev-snp/virtee-milan", VECTORS / "sev-snp/ms-genoa"
    report, good_one = str(milan / "report.bin"), str(milan / "vcek.der")
    junk = tmp_path / "junk.pem"
    for content in (b"hello", b"-----BEGIN CERTIFICATE-----", b"\x30\x82", bytes(10)):
        junk.write_bytes(content)
        said = fault(await verify(report, "--chain", good_one, "--chain", str(junk)))
        assert f"chain: {junk}: " in said
        assert good_one not in said
    both = (good_one, str(genoa / "vcek.der"))
    said = fault(await verify(report, "--chain", both[0], "--chain", both[1]))
    assert f"chain: {both[0]}, {both[1]}: two different certificates of SEV-VCEK" in said
    files = [str(milan / f"{name}.der") for name in ("vcek", "ask", "ark")]
    files.append(str(genoa / "ark.der"))
    chain = [word for file in files for word in ("--chain", file)]
    assert f"chain: {', '.join(files)}: " in fault(await verify(report, *chain))
    junk.write_bytes(b"hello")
    said = fault(await verify(report, *chain[:6], "--collateral", str(junk)))
    assert f"collateral: {junk} with {', '.join(files[:3])}: " in said


@pytest.mark.parametrize("option", ["--collateral", "--chain"])
@pytest.mark.parametrize("kind", ["quote", "report", "evidence"])
async def test_evidence_in_the_place_of_what_belongs_beside_it(
    verify: Command, machine: Machine, tmp_path: Path, option: str, kind: str
) -> None:
    """It is called what it is, and said where it belongs."""
    path = tmp_path / "beside"
    quote = decode_evidence(machine.evidence.read_bytes()).quote
    report = make_snp_report(leaf_key(), GUEST)
    path.write_bytes(
        {"quote": quote, "report": report, "evidence": machine.evidence.read_bytes()}[kind]
    )
    said = await verify(str(machine.evidence), option, str(path))
    words = {"quote": "a quote", "report": "a report of SEV-SNP"}
    error = fault(said)
    assert error.endswith(
        f"{option[2:]}: {path}: this is {words.get(kind, 'evidence in our own encoding')}"
    )
    assert "hint: give it as FILE" in said.err


async def test_a_quote_with_a_chain(verify: Command, machine: Machine, tmp_path: Path) -> None:
    """The file of the chain is named, although nothing is wrong with it."""
    table = tmp_path / "table"
    table.write_bytes(bytes(24))
    said = fault(await verify(str(machine.evidence), "--chain", str(table)))
    assert f"chain: {table}: a DCAP quote carries its own" in said


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("a", "b"),
        ("--at", "-1", "x"),
        ("--at", "tomorrow", "x"),
        ("--at", "9" * 30, "x"),
        ("--nonsense", "x"),
    ],
)
async def test_wrong_usage(verify: Command, arguments: tuple[str, ...]) -> None:
    """Exit code 2 for options that say nothing."""
    assert fault(await verify(*arguments))


async def test_a_part_without_a_policy(verify: Command, machine: Machine) -> None:
    """Nothing is ignored in silence."""
    assert "--part" in fault(await verify(*good(machine), "--part", "readers"))


def typed(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The program as a process of its own."""
    return subprocess.run(
        (*PROGRAM, *arguments), input=stdin, capture_output=True, timeout=60, check=False, cwd=ROOT
    )


def test_standard_input_and_pipes(machine: Machine, tmp_path: Path) -> None:
    """A dash is standard input; a pipe is read like a file."""
    data = machine.evidence.read_bytes()
    done = typed("-", *machine.options, *AT, "--json", stdin=data)
    assert (done.returncode, done.stderr) == (0, b"")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    done = typed(str(pipe), *machine.options, *AT, "--json")
    writer.join()
    assert json.loads(done.stdout)["verdict"] == "accepted"


def test_a_terminal_gets_a_table(machine: Machine) -> None:
    """In colours, folded to the terminal's width, with no line lost."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "60"}
    process = subprocess.Popen(
        (*PROGRAM, *good(machine)), stdout=theirs, stderr=theirs, cwd=ROOT, env=environment
    )
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 4096):
            text += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert b"\x1b[" in text
    assert b"accepted" in text
    measurement = identity_of_unverified(decode_evidence(machine.evidence.read_bytes())).measurement
    assert measurement.hex()[:24].encode() in text
