"""Real RA-TLS certificates from public sources, judged as their manifest says."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from attestation.collateral import DcapCollateral, encode_collateral
from attestation.dcap.layout import parse_quote
from attestation.errors import DecodeError, EvidenceError, EvidenceFault
from attestation.evidence import encode_evidence
from attestation.ratls.certificate import (
    RaTlsCertificate,
    read_certificate,
    verify_binding,
    verify_validity,
)
from attestation.ratls.claims import HASHES
from attestation.ratls.der import parse_certificate
from attestation.ratls.forms import DICE_OID, OIDS, RaTlsForm
from attestation.ratls.pem import read_der
from attestation.ratls.signature import is_signed_by
from attestation.rules import VerificationRules
from attestation.vendors import INTEL_ROOT, INTEL_TCB_SIGNER
from attestation.verify import verify

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
MANIFEST = VECTORS / "manifest.json"
BINARY_FIELDS = ("root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature")

pytestmark = pytest.mark.skipif(
    not MANIFEST.exists(), reason="the attestation vectors are not beside this checkout"
)

Vector = dict[str, Any]


def vectors() -> list[Vector]:
    """The manifest's RA-TLS certificates."""
    if not MANIFEST.exists():
        return []
    every: list[Vector] = json.loads(MANIFEST.read_text())["vectors"]
    return [vector for vector in every if vector["platform"] == "ra-tls"]


def vector(name: str) -> Vector:
    """One vector of the manifest, of any kind."""
    every: list[Vector] = json.loads(MANIFEST.read_text())["vectors"]
    return next(one for one in every if one["id"] == name)


def data_of(one: Vector) -> bytes:
    """The certificate's file."""
    path: str = one["files"][0]["path"]
    return (VECTORS / path).read_bytes()


def claimed(certificate: RaTlsCertificate) -> bytes:
    """The report data of the certificate's quote, as verifying it would give."""
    return parse_quote(certificate.evidence.quote).report.report_data


def judge(one: Vector) -> str:
    """What the manifest calls the outcome, without the verification of the quote."""
    data = data_of(one)
    parsed = parse_certificate(read_der(data))
    try:
        certificate = read_certificate(data)
    except DecodeError:
        assert not set(parsed.extensions) & set(OIDS)
        signed = is_signed_by(parsed.spki, parsed.algorithm, parsed.signature, parsed.signed)
        return "unread" if signed else "reject:self-signature"
    try:
        verify_binding(certificate, claimed(certificate))
    except EvidenceError as error:
        return "reject:derived" if error.code is EvidenceFault.SIGNATURE else str(error)
    debug = parse_quote(certificate.evidence.quote).report.debug
    return "verified-but-debug:bound" if debug else "verified:bound"


@pytest.mark.parametrize("one", vectors(), ids=lambda one: str(one["id"]))
def test_every_vector_is_judged_as_its_manifest_says(one: Vector) -> None:
    """Binding and self-signature, as whoever collected the vectors found them."""
    assert judge(one) == one["outcome_class"]


def test_no_vector_is_missing() -> None:
    """The six that were collected are there."""
    assert len(vectors()) == 6


@pytest.mark.parametrize(
    "one",
    # derived vectors say only what was changed
    [one for one in vectors() if "derived_from" not in one],
    ids=lambda one: str(one["id"]),
)
def test_the_parts_are_those_of_the_manifest(one: Vector) -> None:
    """Extensions, dates, quotes and claims read as the manifest's own parser read them."""
    facts = one["verification"][0]
    parsed = parse_certificate(read_der(data_of(one)))
    found = {name: len(value) for name, value in parsed.extensions.items()}
    assert found == {extension["oid"]: extension["bytes"] for extension in facts["extensions"]}
    assert parsed.algorithm == facts["signature_algorithm"]
    evidence = {each["oid"]: each for each in facts["evidence"]}
    if not set(evidence) & set(OIDS):
        return
    certificate = read_certificate(data_of(one))
    oid = next(oid for oid in OIDS if oid in evidence)
    assert certificate.form is OIDS[oid]
    assert claimed(certificate).hex() == evidence[oid]["measurements"]["report_data"]
    assert len(certificate.further_quotes) == len(set(evidence) & set(OIDS)) - 1
    if oid == DICE_OID:
        verify_claims(certificate, evidence[oid]["claims"])


def verify_claims(certificate: RaTlsCertificate, expected: dict[str, Any]) -> None:
    """The claims are the manifest's: names, algorithm, digest."""
    claims = certificate.claims
    assert claims is not None
    assert claims.key_hash is not None
    assert claims.key_hash.algorithm == expected["pubkey-hash-alg"]
    assert expected["pubkey-hash"].endswith(claims.key_hash.digest.hex())
    assert claims.key_hash.digest == HASHES[1](certificate.spki).digest()
    others = [name for name in expected if not name.startswith("pubkey-hash")]
    assert sorted(claims.others) == sorted(others)


def test_gramine_s_certificate_is_verified_whole() -> None:
    """Its quote at both times for which collateral is there, its binding, its dates."""
    certificate = read_certificate(data_of(vector("ra-tls/konvera-gramine")))
    assert certificate.form is RaTlsForm.GRAMINE_LEGACY
    quoted = vector(vector("ra-tls/konvera-gramine")["collateral_at"])
    root = parse_quote(certificate.evidence.quote).chain[2]
    assert hashlib.sha256(root).digest() == INTEL_ROOT
    rules = VerificationRules(roots=(root,), tcb_signer_pins=(INTEL_TCB_SIGNER,))
    for run in quoted["verification"]:
        evidence = encode_evidence(certificate.evidence)
        collateral = collateral_of(VECTORS / quoted["id"] / run["collateral"])
        verdict = verify(evidence, collateral, rules, run["now"])
        assert verdict.identity.tcb_status == run["status"]
        assert verdict.identity.measurement.hex() == quoted["measurements"]["mr_enclave"]
        verify_binding(certificate, verdict.report_data)
        verify_validity(certificate, run["now"])
    with pytest.raises(EvidenceError, match="certificate-dates"):
        verify_validity(certificate, 1_925_000_000)  # the first day of 2031


def collateral_of(path: Path) -> bytes:
    """The collateral of a vector's file."""
    fields = json.loads(path.read_text())
    for name in BINARY_FIELDS:
        fields[name] = bytes.fromhex(fields[name])
    return encode_collateral(DcapCollateral(**fields))


def test_a_changed_key_is_refused_for_both_reasons() -> None:
    """The certificate is no longer signed by its key, and the quote names another one."""
    certificate = read_certificate(data_of(vector("ra-tls/derived-key-changed")))
    assert not certificate.is_self_signed
    assert hashlib.sha256(certificate.spki).digest() != claimed(certificate)[:32]


def test_other_kinds_are_named() -> None:
    """Open Enclave's, and those of the retired IAS service, say what they are."""
    for name, words in (
        ("ra-tls/openenclave-ec-bad", "Open Enclave"),
        ("ra-tls/openenclave-rsa-bad", "Open Enclave"),
        ("ias/integritee-test4", "IAS"),
    ):
        with pytest.raises(DecodeError, match=words):
            read_certificate(data_of(vector(name)))
