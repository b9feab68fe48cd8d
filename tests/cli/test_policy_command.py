"""`sealedger policy`: policies in words, doubts, and evidence compared with them, as typed."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from attestation.evidence import decode_evidence
from attestation.inspect import identity_of_unverified
from attestation.policy import Match, encode_policy
from enclave_client.policy_file import encode_single_policy
from tests.support import snp_vectors
from tests.support.attestation_examples import AUDITORS, RELEASE_MATCH
from tests.support.attested import NOW_S
from tests.support.command_line import Command, Said, command_line
from tests.support.dcap_vectors import REASON
from tests.support.documents import shown
from tests.support.software_machines import Machine, make_machine

AT = ("--at", str(NOW_S + 10))


@pytest.fixture
def sealedger(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The program."""
    return command_line(monkeypatch, capsys)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Machine]:
    """A software platform of each TEE, with evidence of one app."""
    directory = tmp_path_factory.mktemp("machines")
    return {tee: make_machine(directory / tee, tee, NOW_S) for tee in ("sgx", "tdx", "snp")}


def measurement_of(machine: Machine) -> str:
    """The app's measurement, hex."""
    return identity_of_unverified(decode_evidence(machine.evidence.read_bytes())).measurement.hex()


def policy_file(directory: Path, text: str) -> str:
    """A file with this text."""
    path = directory / "policy.toml"
    path.write_text(text)
    return str(path)


def naming(machine: Machine, directory: Path, more: str = "") -> str:
    """A policy file that admits the app on this machine, and asks `more`."""
    snp = (
        ""
        if machine.tee != "snp"
        else ("snp = {minimum_tcb = {boot_loader = 0, tee = 0, snp = 0, microcode = 0}}\n")
    )
    return policy_file(directory, f'measurement = "{measurement_of(machine)}"\n{snp}{more}')


async def explained(sealedger: Command, machine: Machine, *more: str) -> Said:
    """``policy explain`` of the machine's evidence."""
    return await sealedger("policy", "explain", str(machine.evidence), *more)


@pytest.mark.parametrize("tee", ["sgx", "tdx", "snp"])
async def test_admitted(
    sealedger: Command, machines: dict[str, Machine], tmp_path: Path, tee: str
) -> None:
    """Verified evidence that meets every field is admitted: exit code 0, each field met."""
    machine = machines[tee]
    said = await explained(sealedger, machine, naming(machine, tmp_path), *machine.options, *AT)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == f"evidence  evidence of {tee}"
    when = "as of 2027-01-15T08:00:10.000Z"
    assert lines[1] == f"verified  {when}, under the root that was given"
    assert lines[-1] == "admitted  yes"
    assert f"met      measurement  {measurement_of(machine)}" in lines
    assert "not met" not in said.out
    assert "\x1b" not in said.out


async def test_what_the_ledger_alone_knows(
    sealedger: Command, machines: dict[str, Machine], tmp_path: Path
) -> None:
    """Whether a machine is enrolled is unknown here, which is not the same as not met: exit 1."""
    machine = machines["sgx"]
    file = naming(machine, tmp_path, "enrolled = true")
    said = await explained(sealedger, machine, file, *machine.options, *AT)
    assert said.code == 1
    assert "not admitted: known to the ledger alone: enrolled\n" in said.err
    assert re.search(r"got       [0-9a-f]{32}, known to the ledger alone\n", said.out)


async def test_not_admitted(
    sealedger: Command, machines: dict[str, Machine], tmp_path: Path
) -> None:
    """What is not met is named with what was expected and came: exit code 1."""
    machine = machines["sgx"]
    file = naming(
        machine, tmp_path, f'sgx = {{minimum_config_svn = 3}}\nplatform_ids = ["{"01" * 16}"]'
    )
    said = await explained(sealedger, machine, file, *machine.options, *AT)
    assert said.code == 1
    assert said.err.splitlines() == [
        "sealedger: error: not admitted: not met: sgx.minimum_config_svn, platform_id",
        "hint: docs/policies.md says what each field asks",
    ]
    assert (
        "not met  sgx.minimum_config_svn\n           expected  >= 3\n           got       0\n"
        in (said.out)
    )
    assert said.out.splitlines()[-1] == "admitted  no"


async def test_nothing_is_admitted_unverified(
    sealedger: Command, machines: dict[str, Machine], tmp_path: Path
) -> None:
    """Without collateral the fields are the evidence's word, its platform unknown: exit code 1."""
    machine = machines["tdx"]
    said = await explained(sealedger, machine, naming(machine, tmp_path), *AT)
    assert said.code == 1
    assert "verified  NO: collateral-missing" in said.out
    assert "NOT VERIFIED: what follows is what the evidence says of itself" in said.out
    assert "unknown  tcb_status" in said.out
    assert "unknown  advisories" in said.out
    assert said.out.splitlines()[-1] == "admitted  no: not verified"
    assert "not admitted: the evidence is not verified" in said.err
    assert "hint: " in said.err


@pytest.mark.skipif(not snp_vectors.MANIFEST.exists(), reason=REASON)
async def test_a_report_without_its_certificates(sealedger: Command, tmp_path: Path) -> None:
    """From version 3 on it says of itself what is compared; it is not admitted, exit code 1."""
    report = str(snp_vectors.VECTORS / "sev-snp" / "ms-turin" / "report.bin")
    file = policy_file(tmp_path, shown("docs/policies.md", "policy guest"))
    said = await sealedger("policy", "explain", report, file)
    assert said.code == 1
    assert "verified  NO: certificate-missing" in said.out
    assert "NOT VERIFIED: what follows is what the evidence says of itself" in said.out
    assert (
        "not met  snp.products\n           expected  Milan\n           got       Turin" in said.out
    )
    assert said.out.splitlines()[-1] == "admitted  no: not verified"
    assert "hint: --chain FILE: VCEK from https://kdsintf.amd.com/vcek/v1/Turin/" in said.err


@pytest.mark.skipif(not snp_vectors.MANIFEST.exists(), reason=REASON)
async def test_a_report_that_says_too_little_of_itself(sealedger: Command, tmp_path: Path) -> None:
    """Of version 2: nothing can be compared, which is said, until its certificate is there."""
    directory = snp_vectors.VECTORS / "sev-snp" / "virtee-milan"
    report = str(directory / "report.bin")
    file = policy_file(tmp_path, shown("docs/policies.md", "policy guest"))
    said = await sealedger("policy", "explain", report, file)
    assert (said.code, said.out) == (2, "")
    assert f"evidence: {report}: a report that names no known product line" in said.err
    assert "cannot be compared without the certificate of its key" in said.err
    assert "hint: --chain FILE: VCEK from " in said.err
    said = await sealedger(
        "policy", "explain", report, file, "--chain", str(directory / "vcek.der")
    )
    assert said.code == 1
    assert "NOT VERIFIED" in said.out
    assert "measurement" in said.out


async def test_refused_evidence_is_not_admitted(
    sealedger: Command, machines: dict[str, Machine], tmp_path: Path
) -> None:
    """Evidence that verification refuses meets no policy, whatever it says of itself."""
    machine = machines["sgx"]
    changed = bytearray(machine.evidence.read_bytes())
    changed[120] ^= 1  # in the signed report
    forged = tmp_path / "forged"
    forged.write_bytes(changed)
    file = naming(machine, tmp_path)
    said = await sealedger("policy", "explain", str(forged), file, *machine.options, *AT, "--json")
    assert said.code == 1
    fields = json.loads(said.out)
    assert (fields["verified"], fields["admitted"]) == (False, False)
    assert fields["reasons"][0]["check"] == "signature-invalid"


async def test_json(sealedger: Command, machines: dict[str, Machine], tmp_path: Path) -> None:
    """One object says everything, with the policy's digest and each finding."""
    machine = machines["sgx"]
    file = naming(machine, tmp_path, 'tcb_statuses = ["UpToDate"]')
    said = await explained(sealedger, machine, file, *machine.options, *AT, "--json")
    fields = json.loads(said.out)
    policy = encode_policy(Match(measurement=bytes.fromhex(measurement_of(machine))))
    assert fields["digest"] == f"sha256:{hashlib.sha256(policy).hexdigest()}"
    assert fields["at"] == NOW_S + 10
    assert (fields["verified"], fields["admitted"], fields["until"]) == (True, True, None)
    assert (fields["root"], fields["revocation"]) == ("given", "checked")
    assert fields["findings"][0] == {
        "field": "measurement",
        "expected": measurement_of(machine),
        "got": measurement_of(machine),
        "result": "met",
    }


async def test_releases_are_the_ledger_s_to_know(
    sealedger: Command, machines: dict[str, Machine], tmp_path: Path
) -> None:
    """A policy that asks for an endorsed release is explained as far as that goes."""
    machine = machines["sgx"]
    file = policy_file(tmp_path, encode_single_policy(RELEASE_MATCH).decode())
    said = await explained(sealedger, machine, file, *machine.options, *AT, "--json")
    fields = json.loads(said.out)
    assert said.code == 1
    first, *others = fields["findings"]
    assert (first["field"], first["got"], first["result"]) == (
        "release",
        "known to the ledger alone",
        "unknown",
    )
    assert {one["result"] for one in others} == {"met"}
    assert "not admitted: known to the ledger alone: release\n" in said.err
    assert len(AUDITORS) == 3


async def test_a_part_of_a_collection_s_policy(
    sealedger: Command, machines: dict[str, Machine], tmp_path: Path
) -> None:
    """Of a collection's file one of the two policies is chosen by name."""
    machine = machines["sgx"]
    file = policy_file(
        tmp_path, f'readers = {{measurement = "{measurement_of(machine)}"}}\nwriters = "nobody"\n'
    )
    part = ("--part", "readers")
    assert (await explained(sealedger, machine, file, *machine.options, *AT, *part)).code == 0
    part = ("--part", "writers")
    assert (await explained(sealedger, machine, file, *machine.options, *AT, *part)).code == 1
    said = await explained(sealedger, machine, file, *machine.options, *AT)
    assert said.code == 2
    assert "hint: say which: --part readers or --part writers" in said.err


async def test_signs_on_a_terminal(
    sealedger: Command,
    machines: dict[str, Machine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a terminal what is met has a sign of its own, and words go."""
    machine = machines["sgx"]
    monkeypatch.setattr("node.cli.policy.is_terminal", lambda: True)
    said = await explained(
        sealedger, machine, naming(machine, tmp_path, "advisories = ['SA-1']"), *AT
    )
    assert "✓  measurement" in said.out
    assert "?  tcb_status" in said.out
    assert "met      " not in said.out


@pytest.mark.parametrize(
    "evidence, policy, said",
    [
        ("none", "good", "No such file"),
        ("empty", "good", "empty"),
        ("text", "good", "bytes that are"),
        ("good", "none", "No such file"),
        ("good", "text", "not TOML"),
        ("good", "bad", "field measurement: must be 64 hex digits"),
    ],
)
async def test_unusable_input(
    sealedger: Command,
    machines: dict[str, Machine],
    tmp_path: Path,
    evidence: str,
    policy: str,
    said: str,
) -> None:
    """Files that cannot be used are exit code 2 with an error and a hint, never a stack trace."""
    for name, text in (("empty", ""), ("text", "\x00nonsense"), ("bad", 'measurement = "ab"')):
        (tmp_path / name).write_text(text)
    quote = str(machines["sgx"].evidence if evidence == "good" else tmp_path / evidence)
    file = naming(machines["sgx"], tmp_path) if policy == "good" else str(tmp_path / policy)
    heard = await sealedger("policy", "explain", quote, file)
    assert (heard.code, heard.out) == (2, "")
    assert said in heard.err
    assert "hint: " in heard.err
    assert "Traceback" not in heard.err


async def test_show(sealedger: Command, tmp_path: Path) -> None:
    """Words and the digest that a wallet shows, of one policy or of a collection's two."""
    file = policy_file(tmp_path, f'measurement = "{"ab" * 32}"\n')
    said = await sealedger("policy", "show", file)
    digest = hashlib.sha256(encode_policy(Match(measurement=b"\xab" * 32))).hexdigest()
    assert said.out == f"policy  measurement {'ab' * 32}\ndigest  sha256:{digest}\n"
    file = policy_file(tmp_path, f'readers = {{measurement = "{"ab" * 32}"}}\nwriters = "nobody"\n')
    both = json.loads((await sealedger("policy", "show", file, "--json")).out)["policies"]
    assert [one["part"] for one in both] == ["readers", "writers"]
    assert both[1]["policy"] == "nobody"
    assert (await sealedger("policy", "show", file)).out.startswith("part    readers\n")


async def test_check(sealedger: Command, tmp_path: Path) -> None:
    """A valid file is valid, with its doubts; another one is refused, naming the field."""
    file = policy_file(tmp_path, f'measurement = "{"ab" * 32}"\ngrace = "5d"\n')
    said = await sealedger("policy", "check", file)
    assert said.code == 0
    assert said.out.splitlines()[0] == "valid  yes"
    assert said.out.splitlines()[1].startswith("doubt  grace has nothing to pass")
    assert json.loads((await sealedger("policy", "check", file, "--json")).out)["valid"] is True
    bad = await sealedger("policy", "check", policy_file(tmp_path, "measurement = 5"))
    assert (bad.code, bad.out) == (1, "")
    assert "field measurement" in bad.err


@pytest.mark.skipif(not snp_vectors.MANIFEST.exists(), reason=REASON)
async def test_revocation_that_nobody_checked_is_said(sealedger: Command, tmp_path: Path) -> None:
    """A real report with its certificates is verified, and that no list was there is said."""
    directory = snp_vectors.VECTORS / "sev-snp" / "dstack-milan"
    file = policy_file(tmp_path, shown("docs/policies.md", "policy guest"))
    chain = [
        part
        for name in ("vcek", "ask", "ark")
        for part in ("--chain", str(directory / f"{name}.der"))
    ]
    report = str(directory / "report.bin")
    said = await sealedger("policy", "explain", report, file, *chain, "--at", "1781661904")
    assert said.code == 0
    assert "verified  as of 2026-06-17T02:05:04.000Z, REVOCATION NOT CHECKED\n" in said.out


async def test_words_of_a_file_do_nothing_to_a_terminal(sealedger: Command, tmp_path: Path) -> None:
    """Attack: a policy file whose unknown field clears the screen and names the window."""
    bad = policy_file(tmp_path, '"\\u001b[2J\\u001b]0;x\\u0007\\u009b\\u202e" = 1\n')
    for command in (("show",), ("check",)):
        said = await sealedger("policy", *command, bad)
        assert (said.code, said.out) == (1, "")
        assert "field ?[2J?]0;x???: there is no such field" in said.err
        assert said.err.replace("\n", "").isprintable()
