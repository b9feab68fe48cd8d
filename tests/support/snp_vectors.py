"""SEV-SNP reports of real hardware from public sources, with what their manifest says of them."""

import json
from pathlib import Path
from typing import Any

from attestation.collateral import SnpCollateral
from attestation.evidence import Evidence, EvidenceKind
from attestation.rules import VerificationRules

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
MANIFEST = VECTORS / "manifest.json"

AMD_ROOTS_SHA256 = {
    "Milan": "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
    "Genoa": "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
    "Turin": "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
}
_ASK_OF = {"Milan": "virtee-milan", "Genoa": "ms-genoa", "Turin": "ms-turin"}


def snp_vectors() -> list[dict[str, Any]]:
    """The manifest's entries of this platform; none where the folder is absent."""
    if not MANIFEST.exists():
        return []
    vectors = json.loads(MANIFEST.read_text())["vectors"]
    return [vector for vector in vectors if vector["platform"] == "sev-snp"]


def run_of(vector: dict[str, Any]) -> dict[str, Any]:
    """The one judgement that the manifest holds of a vector."""
    (run,) = vector["verification"]
    return dict(run)


def line_of_root(vector: dict[str, Any]) -> str:
    """The product line of the root that the vector comes with."""
    return str(run_of(vector)["root"]).removeprefix("ARK-")


def evidence_of(vector: dict[str, Any]) -> Evidence:
    """Report and certificate."""
    roles = ("vcek", "vlek")
    certificate = next(der for role in roles if (der := _file(vector, role)) is not None)
    report = _file(vector, "report")
    if report is None:
        raise AssertionError(f"{vector['id']} has no report")
    return Evidence(EvidenceKind.SNP, report, certificate)


def collateral_of(vector: dict[str, Any]) -> SnpCollateral:
    """The authorities that the vector comes with; the sources have no revocation lists.

    Where only the signer of VLEKs is there, the line's signer of VCEKs comes from another vector.
    """
    line = line_of_root(vector)
    ask = _file(vector, "ask") or (VECTORS / "sev-snp" / _ASK_OF[line] / "ask.der").read_bytes()
    return SnpCollateral(
        product=line,
        ark=_file(vector, "ark") or b"",
        ask=ask,
        asvk=_file(vector, "asvk") or b"",
    )


def amd_rules() -> VerificationRules:
    """Rules that believe AMD's three roots."""
    roots = (VECTORS / "sev-snp" / name / "ark.der" for name in _ASK_OF.values())
    return VerificationRules(
        roots=tuple(path.read_bytes() for path in roots), tcb_signer_pins=(bytes(32),)
    )


def _file(vector: dict[str, Any], role: str) -> bytes | None:
    entries = [vector, *(v for v in snp_vectors() if v["id"] == vector.get("certs_from"))]
    for entry in entries:
        for file in entry["files"]:
            if file["role"] == role:
                return (VECTORS / str(file["path"])).read_bytes()
    return None
