"""Every example of docs/spec/attestation.md by its name there.

`python -m tests.support.attestation_vectors` rewrites the examples of the page with what is built
here.
"""

import re
from dataclasses import replace

from attestation.dcap.reports import parse_td_report
from attestation.evidence import Evidence, EvidenceKind
from attestation.handshake import (
    CLIENT_LABEL,
    KEY_SERVICE_LABEL,
    NO_SERVICE_KEY,
    ReportBinding,
    evidence_digest,
    grant_transcript,
    hello_transcript,
    report_data,
    session_id,
)
from attestation.identity import identity_digest
from attestation.platforms.software_manifest import software_id_key_digest, software_signer
from attestation.ratls.forms import ratls_report_data
from attestation.ratls.make import encode_claims, encode_extension
from tests.support.attestation_examples import ENCODED
from tests.support.repository import ROOT

PAGE = ROOT / "docs/spec/attestation.md"

_BINDING = ReportBinding(
    network_id=b"\xa1" * 32,
    trust_digest=b"\xa2" * 32,
    own_keys=(b"\xa3" * 33, b"\xa4" * 4),
    peer_service_key=b"\xa5" * 32,
    size=1000,
    root=b"\xa6" * 32,
)
_SERVICE_BINDING = replace(_BINDING, own_keys=(b"\xa3" * 32,), peer_service_key=NO_SERVICE_KEY)
_EXAMPLE = re.compile(r"^(?P<name>[^\n`|#]+)\n```\n(?P<value>[^`]*)\n```$", re.MULTILINE)


def examples() -> dict[str, str]:
    """Name and hex of each example."""
    hello = hello_transcript(
        network_id=b"\xa1" * 32,
        client_nonce=b"\xb1" * 32,
        tls_spki_digest=b"\xb2" * 32,
        evidence_digest=b"\xb3" * 32,
        checkpoint_digest=b"\xb4" * 32,
    )
    grant = grant_transcript(
        network_id=b"\xa1" * 32,
        session_id=b"\xc1" * 32,
        expires_ms=1_800_003_600_000,
        grant_digest=b"\xc2" * 32,
        leaf_hash=b"\xc3" * 32,
    )
    claims = encode_claims(b"\xd1" * 91)
    values = {
        "evidence": ENCODED["evidence"],
        "identity": ENCODED["identity"],
        "identity of a TD": ENCODED["identity tdx"],
        "identity of an SNP guest": ENCODED["identity snp"],
        "digest of the identity": identity_digest(ENCODED["identity"]),
        "policy": ENCODED["policy"],
        "policy of an SGX enclave": ENCODED["policy sgx"],
        "policy of a TD": ENCODED["policy tdx"],
        "policy of an SNP guest": ENCODED["policy snp"],
        "policy of an enrolled platform": ENCODED["policy enrolled"],
        "facts of a released enclave on an enrolled platform": ENCODED["facts"],
        "policy of a release": ENCODED["policy release"],
        "releases of a measurement": ENCODED["releases"],
        "verdict on collateral": ENCODED["collateral_verdict"],
        "verdict": ENCODED["verdict"],
        "measurement of a TD report of 584 zero bytes": parse_td_report(bytes(584)).measurement,
        "ID_KEY_DIGEST of the software signer acme": software_id_key_digest("acme"),
        "MRSIGNER of the software signer acme": software_signer("acme"),
        "report data of a client": report_data(CLIENT_LABEL, _BINDING),
        "report data of a key service": report_data(KEY_SERVICE_LABEL, _SERVICE_BINDING),
        "session id of the body 0102": session_id(b"\x01\x02"),
        "evidence digest of the bytes 0102": evidence_digest(b"\x01\x02"),
        "RA-TLS claims of a key whose SubjectPublicKeyInfo is 91 bytes d1": claims,
        "report data of these claims": ratls_report_data(claims),
        "RA-TLS extension of these claims and the quote 0102": ratls_extension(claims),
        "bytes signed in Hello": hello,
        "bytes signed in a SessionGrant": grant,
    }
    return {name: value.hex() for name, value in values.items()}


def ratls_extension(claims: bytes) -> bytes:
    """Tagged evidence of claims and a quote of two bytes."""
    extension = encode_extension(Evidence(EvidenceKind.DCAP, b"\x01\x02"), claims)
    if extension is None:
        raise AssertionError("quotes have a form")
    return extension


def examples_of_page() -> dict[str, str]:
    """Name and content of each example that the page shows."""
    return {match["name"]: match["value"] for match in _EXAMPLE.finditer(PAGE.read_text())}


def main() -> None:
    """Rewrite the examples of the page."""
    built = examples()
    text = _EXAMPLE.sub(
        lambda match: f"{match['name']}\n```\n{built[match['name']]}\n```", PAGE.read_text()
    )
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
