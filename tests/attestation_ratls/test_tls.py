"""The certificate that a node makes for itself."""

import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from structlog.testing import capture_logs

from attestation.errors import DecodeError, PlatformError
from attestation.evidence import Evidence, EvidenceKind, decode_evidence, encode_evidence
from attestation.platforms.software import SoftwarePlatform, create_platform, read_trust
from attestation.ratls.certificate import read_certificate, verify_binding, verify_validity
from attestation.ratls.forms import DICE_OID, RaTlsForm
from attestation.rules import VerificationRules
from attestation.verify import verify
from node.tls import SERVER_NAME, make_server_tls
from tests.support.attested import NOW_S
from tests.support.small_platform import SmallPlatform


class SnpPlatform(SmallPlatform):
    """A platform whose evidence is of a kind that no RA-TLS form exists for."""

    async def evidence(self, report_data: bytes) -> bytes:
        await super().evidence(report_data)
        return encode_evidence(Evidence(EvidenceKind.SNP, bytes(1184), b"vcek"))


async def test_the_certificate_carries_the_platform_s_evidence_over_its_key() -> None:
    """One quote, over the claims of exactly this key; readable by what reads it for others."""
    platform = SmallPlatform()
    tls = await make_server_tls(platform, NOW_S)
    certificate = read_certificate(tls.certificate)
    assert certificate.form is RaTlsForm.DICE
    assert hashlib.sha256(certificate.spki).digest() == tls.spki_digest
    (asked,) = platform.report_data
    verify_binding(certificate, asked)
    verify_validity(certificate, NOW_S)
    quoted = decode_evidence(await platform.evidence(asked))
    assert certificate.evidence == quoted


async def test_stock_readers_load_it() -> None:
    """P-256, the name as SAN, and the extension not critical: what TLS libraries want."""
    tls = await make_server_tls(SmallPlatform(), NOW_S)
    loaded = x509.load_pem_x509_certificate(tls.certificate)
    key = loaded.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert SERVER_NAME in names.get_values_for_type(x509.DNSName)
    carried = loaded.extensions.get_extension_for_oid(x509.ObjectIdentifier(DICE_OID))
    assert not carried.critical
    assert b"PRIVATE" not in repr(tls).encode()


async def test_every_start_has_its_own_key_and_quote() -> None:
    """Nothing is kept between two certificates."""
    platform = SmallPlatform()
    first, second = [await make_server_tls(platform, NOW_S) for _ in range(2)]
    assert first.key != second.key
    assert len(set(platform.report_data)) == 2


async def test_without_a_form_there_is_no_evidence_and_the_log_says_why() -> None:
    """SEV-SNP: the server runs, its certificate is transport alone."""
    with capture_logs() as logs:
        tls = await make_server_tls(SnpPlatform(), NOW_S)
    with pytest.raises(DecodeError, match="no extension with evidence"):
        read_certificate(tls.certificate)
    (line,) = logs
    assert line["log_level"] == "warning"
    assert "SNP" in line["reason"]


async def test_a_platform_that_cannot_quote_stops_the_start() -> None:
    """No certificate without evidence where there should be some."""
    platform = SmallPlatform()
    platform.is_broken = True
    with pytest.raises(PlatformError):
        await make_server_tls(platform, NOW_S)


def software(directory: Path, tee: str) -> SoftwarePlatform:
    """A program on a software platform of a kind of TEE."""
    create_platform(directory / "platform", NOW_S, tee=tee)
    (directory / "app.py").write_text("print()\n")
    manifest = directory / "app.toml"
    manifest.write_text('name = "app"\nproduct_id = 1\nsvn = 1\nsigner = "t"\nfiles = ["app.py"]\n')
    return SoftwarePlatform.open(directory / "platform", manifest)


@pytest.mark.parametrize("tee", ["sgx", "tdx"])
async def test_quotes_of_both_kinds_stand_under_one_tag(tmp_path: Path, tee: str) -> None:
    """SGX and TDX: read from the certificate, verified, bound to its key."""
    platform = software(tmp_path, tee)
    certificate = read_certificate((await make_server_tls(platform, NOW_S)).certificate)
    trust = read_trust(tmp_path / "platform")
    rules = VerificationRules(roots=(trust.root,), tcb_signer_pins=trust.tcb_signer_pins)
    evidence = encode_evidence(certificate.evidence)
    verdict = verify(evidence, trust.collateral, rules, NOW_S)
    assert verdict.identity.platform == tee
    assert verdict.identity.measurement == platform.enclave.measurement
    verify_binding(certificate, verdict.report_data)


async def test_a_software_platform_of_snp_gives_no_extension(tmp_path: Path) -> None:
    """Its report is evidence for sessions, but nothing that an RA-TLS verifier could read."""
    with capture_logs() as logs:
        tls = await make_server_tls(software(tmp_path, "snp"), NOW_S)
    loaded = x509.load_pem_x509_certificate(tls.certificate)
    assert DICE_OID not in {one.oid.dotted_string for one in loaded.extensions}
    assert [line["platform"] for line in logs] == ["software"]
