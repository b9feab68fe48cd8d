"""SGX and TDX quotes of real hardware from public sources, and what their manifest says of each."""

import hashlib
import json
from pathlib import Path
from typing import Any

from attestation.collateral import DcapCollateral, encode_collateral
from attestation.dcap.layout import parse_quote
from attestation.evidence import Evidence, EvidenceKind, encode_evidence
from attestation.rules import VerificationRules
from attestation.vendors import INTEL_ROOT, INTEL_TCB_SIGNER

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
MANIFEST = VECTORS / "manifest.json"
FORMATS = {"sgx-dcap-quote-v3", "tdx-dcap-quote-v4", "tdx-dcap-quote-v5"}
REASON = "the attestation vectors are not beside this checkout"

_BINARY_FIELDS = ("root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature")


def all_vectors() -> list[dict[str, Any]]:
    """The manifest's entries of every platform; none where the folder is absent."""
    return json.loads(MANIFEST.read_text())["vectors"] if MANIFEST.exists() else []


def dcap_vectors() -> list[dict[str, Any]]:
    """The entries of SGX and TDX quotes."""
    return [vector for vector in all_vectors() if vector["format"] in FORMATS]


def judged() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each entry with each judgement that the manifest holds of it."""
    return [(vector, run) for vector in dcap_vectors() for run in vector.get("verification", [])]


def first_run(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The entry of an id, with its first judgement."""
    return next((vector, run) for vector, run in judged() if vector["id"] == name)


def case(vector: dict[str, Any], run: dict[str, Any]) -> str:
    """A name for a test's parameter."""
    return f"{vector['id']}:{Path(run['collateral']).stem}"


def quote_path(vector: dict[str, Any]) -> Path:
    """Where the quote stands."""
    return VECTORS / next(str(one["path"]) for one in vector["files"] if one["role"] == "quote")


def evidence_of(vector: dict[str, Any]) -> bytes:
    """The quote as encoded evidence."""
    return encode_evidence(Evidence(EvidenceKind.DCAP, quote_path(vector).read_bytes()))


def collateral_of(vector: dict[str, Any], run: dict[str, Any]) -> bytes:
    """The encoded collateral of a judgement."""
    path = (VECTORS / vector["id"] / run["collateral"]).resolve()
    fields = json.loads(path.read_text())
    for name in _BINARY_FIELDS:
        fields[name] = bytes.fromhex(fields[name])
    return encode_collateral(DcapCollateral(**fields))


def intel_rules() -> VerificationRules:
    """Rules that believe Intel: the root out of a sample quote, checked by its digest."""
    root = parse_quote((VECTORS / "sgx/phala-sample/quote.bin").read_bytes()).chain[2]
    if hashlib.sha256(root).digest() != INTEL_ROOT:
        raise AssertionError("the sample's root is not Intel's")
    return VerificationRules(roots=(root,), tcb_signer_pins=(INTEL_TCB_SIGNER,))
