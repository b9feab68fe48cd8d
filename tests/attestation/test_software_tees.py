"""The software platform as each kind of TEE: what it emits is judged by the one path."""

import hashlib
from pathlib import Path

import pytest

from attestation.dcap.layout import quote_digest
from attestation.dcap.reports import parse_td_report
from attestation.errors import AttestationError, EvidenceError, PlatformError
from attestation.evidence import Evidence, EvidenceKind, decode_evidence, encode_evidence
from attestation.fields import SgxFields, SnpFields, TdxFields
from attestation.handshake import verify_report_data
from attestation.identity import Identity
from attestation.judging import is_admitted
from attestation.platforms.software import (
    SoftwarePlatform,
    create_platform,
    read_trust,
    renew_collateral,
)
from attestation.platforms.software_collateral import CollateralOptions
from attestation.platforms.software_enclave import enclave_of
from attestation.platforms.software_files import ATTESTATION_KEY, QE_PART, TEES, PlatformFiles
from attestation.platforms.software_manifest import (
    measure,
    measure_guest,
    read_manifest,
    software_id_key_digest,
    software_signer,
)
from attestation.platforms.software_tdx import (
    GuestReport,
    encode_td_report,
    make_td_quote,
    td_measurement,
)
from attestation.policy import Match, encode_policy
from attestation.rules import VerificationRules
from attestation.verdict import Verdict
from attestation.verify import verify, verify_collateral

NOW_S = 1_800_000_000
DATA = bytes(range(64))
MANIFEST = 'name = "app"\nproduct_id = 7\nsvn = 3\nsigner = "acme"\nfiles = ["app.py"]\n'
TD_REPORT_DATA = slice(48 + 520, 48 + 584)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app of one file; gives its manifest's path."""
    (tmp_path / "app.py").write_text("print('app')\n")
    manifest = tmp_path / "app.toml"
    manifest.write_text(MANIFEST)
    return manifest


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A platform directory for each kind of TEE, made at NOW_S; nothing changes them."""
    root = tmp_path_factory.mktemp("machines")
    for tee in TEES:
        create_platform(root / tee, NOW_S, tee=tee)
    return {tee: root / tee for tee in TEES}


def rules_of(directory: Path) -> VerificationRules:
    """Rules that believe a platform directory."""
    trust = read_trust(directory)
    return VerificationRules(roots=(trust.root,), tcb_signer_pins=trust.tcb_signer_pins)


def judge(directory: Path, evidence: bytes, collateral: bytes | None = None) -> Verdict:
    """The verdict by the directory's own collateral and root."""
    held = read_trust(directory).collateral if collateral is None else collateral
    return verify(evidence, held, rules_of(directory), NOW_S)


@pytest.mark.parametrize("tee", TEES)
async def test_evidence_is_of_the_kind_that_was_chosen(
    machines: dict[str, Path], app: Path, tee: str
) -> None:
    """The verdict's identity is the enclave that the platform says it is."""
    platform = SoftwarePlatform.open(machines[tee], app)
    enclave = platform.enclave
    verdict = judge(machines[tee], await platform.evidence(DATA))
    verify_report_data(verdict.report_data, DATA)
    identity = verdict.identity
    assert (platform.name, identity.platform, enclave.tee) == ("software", tee, tee)
    assert (identity.measurement, identity.signer) == (enclave.measurement, enclave.signer)
    assert (identity.product_id, identity.svn) == (enclave.product_id, enclave.svn)
    assert verdict.collateral_key.startswith(f"{tee}/")
    assert len(identity.platform_id) == (64 if tee == "snp" else 16)
    facts = verify_collateral(read_trust(machines[tee]).collateral, rules_of(machines[tee]), NOW_S)
    assert facts.facts.key == verdict.collateral_key


async def test_each_kind_says_what_its_report_can_say(machines: dict[str, Path], app: Path) -> None:
    """The manifest's parts stand where the vendors have places for them."""
    found = {}
    for tee in TEES:
        evidence = await SoftwarePlatform.open(machines[tee], app).evidence(DATA)
        found[tee] = judge(machines[tee], evidence).identity
    manifest = read_manifest(app)
    sgx, tdx, snp = (found[tee] for tee in TEES)
    assert (sgx.measurement, sgx.signer) == (measure(manifest), software_signer("acme"))
    assert (sgx.product_id, sgx.svn) == (7, 3)
    assert isinstance(sgx.fields, SgxFields)
    assert isinstance(tdx.fields, TdxFields)
    assert (tdx.fields.mr_td, tdx.fields.rtmr3) == (measure_guest(manifest), bytes(48))
    assert (tdx.signer, tdx.product_id, tdx.svn) == (b"", 0, 0)
    assert isinstance(snp.fields, SnpFields)
    assert snp.measurement == measure_guest(manifest) != tdx.measurement
    assert snp.signer == software_id_key_digest("acme")
    assert (snp.svn, snp.product_id, snp.fields.image_id) == (3, 0, (7).to_bytes(16, "big"))


def test_the_measurement_of_guests_is_the_documented_hash(app: Path) -> None:
    """SHA-384 over the same lines as MRENCLAVE, and over the same signer line as MRSIGNER."""
    content = hashlib.sha256((app.parent / "app.py").read_bytes()).hexdigest()
    lines = f"sealedger software v1\n{content}  app.py\n".encode()
    assert measure_guest(read_manifest(app)) == hashlib.sha384(lines).digest()
    signer = hashlib.sha384(b"sealedger software signer v1\nacme").digest()
    assert software_id_key_digest("acme") == signer


@pytest.mark.parametrize("tee", TEES)
async def test_policies_that_enclaves_make_admit_them(
    machines: dict[str, Path], app: Path, tee: str
) -> None:
    """Both admit this code; after a change only a signer's policy does, which SGX alone has."""
    platform = SoftwarePlatform.open(machines[tee], app)
    (app.parent / "app.py").write_text("print('changed')\n")
    changed = SoftwarePlatform.open(machines[tee], app)
    enclave = platform.enclave
    assert changed.enclave == enclave_of(read_manifest(app), tee) != enclave
    admitted = []
    for one in (platform, changed):
        identity = judge(machines[tee], await one.evidence(DATA)).identity
        for match in (enclave.by_code, enclave.by_signer):
            encode_policy(match)
            admitted.append(_admits(match, identity))
    assert admitted == [True, True, False, tee == "sgx"]


def _admits(match: Match, identity: Identity) -> bool:
    return is_admitted(match, identity, development=True, now_s=NOW_S)


@pytest.mark.parametrize("tee", TEES)
async def test_machines_do_not_believe_each_other(
    machines: dict[str, Path], app: Path, tmp_path: Path, tee: str
) -> None:
    """Another machine of the same kind, or one of another kind, is refused."""
    create_platform(tmp_path / "other", NOW_S, tee=tee)
    evidence = await SoftwarePlatform.open(machines[tee], app).evidence(DATA)
    for stranger in (tmp_path / "other", *(machines[one] for one in TEES if one != tee)):
        with pytest.raises(AttestationError):
            judge(stranger, evidence)
        with pytest.raises(AttestationError):
            judge(machines[tee], evidence, read_trust(stranger).collateral)


@pytest.mark.parametrize("tee", TEES)
async def test_renewed_collateral_may_revoke(app: Path, tmp_path: Path, tee: str) -> None:
    """New collateral is newer, and what it revokes is refused from then on."""
    directory = tmp_path / "machine"
    create_platform(directory, NOW_S, tee=tee)
    evidence = await SoftwarePlatform.open(directory, app).evidence(DATA)
    before = verify_collateral(read_trust(directory).collateral, rules_of(directory), NOW_S)
    options = CollateralOptions(
        issued_s=NOW_S,
        evaluation_number=2,
        revoke_ask=tee == "snp",
        revoke_pck=tee != "snp",
    )
    renewed = renew_collateral(directory, options)
    after = verify_collateral(renewed, rules_of(directory), NOW_S)
    assert after.facts.order > before.facts.order
    assert after.facts.substance != before.facts.substance
    with pytest.raises(EvidenceError, match="revoked"):
        judge(directory, evidence)


async def test_a_td_has_a_status(app: Path, tmp_path: Path) -> None:
    """TDX collateral can say any status and advisory."""
    create_platform(tmp_path / "td", NOW_S, tee="tdx")
    evidence = await SoftwarePlatform.open(tmp_path / "td", app).evidence(DATA)
    options = CollateralOptions(
        issued_s=NOW_S, status="SWHardeningNeeded", advisories=("INTEL-SA-00001",)
    )
    renew_collateral(tmp_path / "td", options)
    verdict = judge(tmp_path / "td", evidence)
    assert (verdict.status, verdict.advisories) == ("SWHardeningNeeded", ("INTEL-SA-00001",))
    renew_collateral(tmp_path / "td", CollateralOptions(issued_s=NOW_S, status="Revoked"))
    with pytest.raises(EvidenceError, match="revoked"):
        judge(tmp_path / "td", evidence)


def test_snp_collateral_has_no_status(tmp_path: Path) -> None:
    """AMD rates no TCB, so nothing can be asked for that would be one."""
    create_platform(tmp_path / "snp", NOW_S, tee="snp")
    before = read_trust(tmp_path / "snp")
    with pytest.raises(PlatformError, match="status"):
        renew_collateral(tmp_path / "snp", CollateralOptions(issued_s=NOW_S, status="OutOfDate"))
    assert read_trust(tmp_path / "snp") == before
    assert before.tcb_signer_pins == ()


def test_a_debug_td_is_refused(machines: dict[str, Path]) -> None:
    """A guest whose host may look inside is never believed."""
    with pytest.raises(EvidenceError, match="debug-enabled"):
        judge(machines["tdx"], td_evidence(machines["tdx"], debug=True))
    judge(machines["tdx"], td_evidence(machines["tdx"], debug=False))


def td_evidence(directory: Path, *, debug: bool) -> bytes:
    """Evidence of a guest whose MRTD is all 11."""
    files = PlatformFiles(directory)
    report = GuestReport(mr_td=b"\x11" * 48, report_data=DATA, debug=debug)
    quote = make_td_quote(files.read_key(ATTESTATION_KEY), files.read(QE_PART), report)
    return encode_evidence(Evidence(EvidenceKind.DCAP, quote))


async def test_every_signed_byte_of_a_td_quote_counts(machines: dict[str, Path], app: Path) -> None:
    """One bit of any byte of the signed region changed: refused."""
    evidence = await SoftwarePlatform.open(machines["tdx"], app).evidence(DATA)
    quote = decode_evidence(evidence).quote
    assert quote[TD_REPORT_DATA] == DATA
    digest = judge(machines["tdx"], evidence).quote_digest
    assert digest == quote_digest(quote) == hashlib.sha256(quote[: TD_REPORT_DATA.stop]).digest()
    for at in range(TD_REPORT_DATA.stop):
        changed = bytearray(quote)
        changed[at] ^= 1 << at % 8
        with pytest.raises(AttestationError):
            judge(machines["tdx"], encode_evidence(Evidence(EvidenceKind.DCAP, bytes(changed))))


@pytest.mark.parametrize("content", ["", "sev", "SGX", "sgx tdx", "\xff"])
def test_a_directory_of_no_known_kind_is_refused(tmp_path: Path, app: Path, content: str) -> None:
    """What the file `tee` says has to be one of the three words."""
    create_platform(tmp_path / "machine", NOW_S)
    (tmp_path / "machine" / "tee").write_text(content, encoding="latin-1")
    for step in (
        lambda: SoftwarePlatform.open(tmp_path / "machine", app),
        lambda: read_trust(tmp_path / "machine"),
    ):
        with pytest.raises(PlatformError, match="sgx, tdx, snp"):
            step()


def test_an_unknown_kind_makes_no_directory(tmp_path: Path) -> None:
    """Nothing is written for a kind of TEE that nobody knows."""
    with pytest.raises(PlatformError, match="sgx, tdx, snp"):
        create_platform(tmp_path / "machine", NOW_S, tee="sev")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tee", TEES)
@pytest.mark.parametrize("name", ["tee", "sealing.key"])
def test_files_that_others_can_touch_are_refused(
    tmp_path: Path, app: Path, tee: str, name: str
) -> None:
    """Modes are held to whatever the kind."""
    create_platform(tmp_path / "machine", NOW_S, tee=tee)
    (tmp_path / "machine" / name).chmod(0o644)
    with pytest.raises(PlatformError, match="0600"):
        SoftwarePlatform.open(tmp_path / "machine", app)


def test_keys_of_the_wrong_kind_are_refused(tmp_path: Path, app: Path) -> None:
    """A chip's key is no RSA key, an authority's no key on a curve."""
    directory = tmp_path / "machine"
    create_platform(directory, NOW_S, tee="snp")
    vcek, ask = (directory / "vcek.key").read_bytes(), (directory / "ask.key").read_bytes()
    (directory / "vcek.key").write_bytes(ask)
    with pytest.raises(PlatformError, match="elliptic"):
        SoftwarePlatform.open(directory, app)
    (directory / "vcek.key").write_bytes(vcek)
    (directory / "ask.key").write_bytes(vcek)
    with pytest.raises(PlatformError, match="RSA"):
        renew_collateral(directory, CollateralOptions(issued_s=NOW_S))


@pytest.mark.parametrize("tee", TEES)
def test_sealing_keys_do_not_depend_on_the_kind(
    machines: dict[str, Path], app: Path, tee: str
) -> None:
    """The manifest's signer, product and version bind them, so upgraded code opens old state."""
    platform = SoftwarePlatform.open(machines[tee], app)
    key = platform.sealing_key(b"kms")
    (app.parent / "app.py").write_text("print('upgraded')\n")
    app.write_text(MANIFEST.replace("svn = 3", "svn = 4"))
    upgraded = SoftwarePlatform.open(machines[tee], app)
    assert upgraded.sealing_key(b"kms", svn=3) == key != upgraded.sealing_key(b"kms")
    with pytest.raises(PlatformError):
        platform.sealing_key(b"kms", svn=4)


def test_a_td_report_has_registers_in_their_places() -> None:
    """A run-time register changes the measurement, not MRTD."""
    plain = GuestReport(mr_td=b"\x11" * 48, report_data=DATA)
    extended = GuestReport(mr_td=b"\x11" * 48, report_data=DATA, rtmrs=b"\1" + bytes(191))
    reports = [parse_td_report(encode_td_report(report)) for report in (plain, extended)]
    assert reports[0].mr_td == reports[1].mr_td
    assert reports[0].measurement == td_measurement(b"\x11" * 48) != reports[1].measurement
