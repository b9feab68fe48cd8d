"""Real evidence from public sources, through our own path, judged as its manifest says.

Covered here: every vector of the platforms and formats in FORMATS. Other kinds of the folder
(sev-snp, ra-tls, ias) have no verifier in this version; a test names them, so that a new kind is
noticed.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from attestation.collateral import Collateral, encode_collateral
from attestation.dcap.layout import parse_quote
from attestation.dcap.rules import VerificationRules
from attestation.dcap.verify import verify
from attestation.errors import AttestationError, CannotDecideError, EvidenceError
from attestation.evidence import MAX_QUOTE_BYTES, Evidence, EvidenceKind, encode_evidence

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
MANIFEST = VECTORS / "manifest.json"
FORMATS = {"sgx-dcap-quote-v3", "tdx-dcap-quote-v4", "tdx-dcap-quote-v5"}
OTHER_PLATFORMS = {"sev-snp", "ra-tls", "ias"}

INTEL_ROOT_SHA256 = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"
INTEL_TCB_SIGNER_PIN = "bd7d4b9c805d92607dee34683a104abfa7b2a487e06af2edf0740a8666cbc22f"
BINARY_FIELDS = ("root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature")

pytestmark = pytest.mark.skipif(
    not MANIFEST.exists(), reason="the attestation vectors are not beside this checkout"
)


def _vectors() -> list[dict[str, Any]]:
    return json.loads(MANIFEST.read_text())["vectors"] if MANIFEST.exists() else []


def _covered() -> list[dict[str, Any]]:
    return [vector for vector in _vectors() if vector["format"] in FORMATS]


def _judged() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(vector, run) for vector in _covered() for run in vector.get("verification", [])]


def _case(vector: dict[str, Any], run: dict[str, Any]) -> str:
    return f"{vector['id']}:{Path(run['collateral']).stem}"


def _quote(vector: dict[str, Any]) -> bytes:
    path = next(str(file["path"]) for file in vector["files"] if file["role"] == "quote")
    return (VECTORS / path).read_bytes()


def _evidence(vector: dict[str, Any]) -> bytes:
    return encode_evidence(Evidence(EvidenceKind.DCAP, _quote(vector)))


def _collateral(vector: dict[str, Any], run: dict[str, Any]) -> bytes:
    path = (VECTORS / vector["id"] / run["collateral"]).resolve()
    fields = json.loads(path.read_text())
    for name in BINARY_FIELDS:
        fields[name] = bytes.fromhex(fields[name])
    return encode_collateral(Collateral(**fields))


@pytest.fixture(scope="module")
def rules() -> VerificationRules:
    """Rules that believe Intel: the root out of a sample quote, checked by its digest."""
    root = parse_quote((VECTORS / "sgx/phala-sample/quote.bin").read_bytes()).chain[2]
    assert hashlib.sha256(root).hexdigest() == INTEL_ROOT_SHA256
    return VerificationRules(roots=(root,), tcb_signer_pins=(bytes.fromhex(INTEL_TCB_SIGNER_PIN),))


def test_every_kind_of_vector_is_accounted_for() -> None:
    """The folder holds the kinds that are tested here and those that are named as out of scope."""
    covered = {vector["format"] for vector in _vectors()} & FORMATS
    others = {vector["platform"] for vector in _vectors() if vector["format"] not in FORMATS}
    assert covered == FORMATS
    assert others == OTHER_PLATFORMS


@pytest.mark.parametrize("vector, run", [pytest.param(v, r, id=_case(v, r)) for v, r in _judged()])
def test_a_vector_is_judged_as_its_manifest_says(
    vector: dict[str, Any], run: dict[str, Any], rules: VerificationRules
) -> None:
    """Accepted with the same status, advisories and report fields, or refused."""
    evidence, collateral = _evidence(vector), _collateral(vector, run)
    if not run["ok"]:
        with pytest.raises(EvidenceError):
            verify(evidence, collateral, rules, run["now"])
        return
    verdict = verify(evidence, collateral, rules, run["now"])
    assert (verdict.status, verdict.advisories) == (
        run["status"],
        tuple(sorted(run["advisory_ids"])),
    )
    named = vector["measurements"]
    assert verdict.report_data.hex() == named["report_data"]
    assert verdict.identity.fmspc.hex() == vector["fmspc"].lower()
    assert verdict.identity.debug is named["debug"]
    if vector["platform"] == "sgx":
        identity = verdict.identity
        assert identity.measurement.hex() == named["mr_enclave"]
        assert identity.signer.hex() == named["mr_signer"]
        assert (identity.product_id, identity.svn) == (named["isv_prod_id"], named["isv_svn"])


@pytest.mark.parametrize(
    "vector, run",
    [pytest.param(v, r, id=_case(v, r)) for v, r in _judged() if "after_window" in r],
)
def test_a_vector_decides_nothing_outside_its_window(
    vector: dict[str, Any], run: dict[str, Any], rules: VerificationRules
) -> None:
    """Before and after its collateral's window no vector verifies."""
    evidence, collateral = _evidence(vector), _collateral(vector, run)
    for window in ("before_window", "after_window"):
        with pytest.raises((EvidenceError, CannotDecideError)):
            verify(evidence, collateral, rules, run[window]["now"])


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=v["id"]) for v in _covered() if not v.get("verification")]
)
def test_a_vector_without_collateral_is_never_accepted(
    vector: dict[str, Any], rules: VerificationRules
) -> None:
    """With another platform's collateral, or in a form we do not take, a quote is refused."""
    run = next(r for v, r in _judged() if v["id"] == "sgx/phala-sample")
    collateral = _collateral({"id": "sgx/phala-sample"}, run)
    with pytest.raises(AttestationError):
        verify(_evidence(vector), collateral, rules, run["now"])


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["id"]) for v in _covered()])
def test_the_shape_of_a_vector_is_as_measured(vector: dict[str, Any]) -> None:
    """A quote whose shape passes ends where the manifest says, with zeros after it at most."""
    quote = _quote(vector)
    assert len(quote) <= MAX_QUOTE_BYTES
    try:
        parsed = parse_quote(quote)
    except AttestationError:
        assert vector["outcome_class"].startswith(("reject", "derived"))
        return
    if "structure" in vector:
        assert len(parsed.canonical) == vector["structure"]["exact_len"]
        assert parsed.version == vector["structure"]["version"]
