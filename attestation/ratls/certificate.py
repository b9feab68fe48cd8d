"""RA-TLS certificates: which evidence they carry, and whether it speaks for their key.

Forms, in the order in which they are looked for:
1. `dice`: TCG DICE tagged evidence, OID 2.23.133.5.4.9, CBOR tag 60000 of [quote, claims] (CCC
   "Interoperable RA-TLS"); the quote binds SHA-256 of the claims, these the key;
2. `gramine-legacy`: the bare quote under the OID that Gramine writes, malformed because tag and
   length of the wanted OID stand inside it; the quote binds SHA-256 of the SubjectPublicKeyInfo;
3. `gramine`: the same under the OID that was meant.
Of a certificate with several, the first decides, and where it cannot be read no other is tried. The
others are not verified; they must not contradict it: report data by their own rule for the same
key, every other field of the report equal.

Three things are separate, and whoever trusts a certificate needs all: the evidence is judged by
`attestation.verify`; `verify_binding` gets the report data from that verdict; `verify_validity`
gets the time. Gramine's certificates are valid from 2001 to 2030 whatever their age: only evidence
says how old they are. Names and other extensions say nothing here.
"""

import hmac
from dataclasses import dataclass, replace

from attestation.dcap.layout import parse_quote
from attestation.errors import DecodeError, EvidenceError, EvidenceFault
from attestation.evidence import Evidence, EvidenceKind
from attestation.moments import moment
from attestation.ratls.cbor import decode_tagged
from attestation.ratls.claims import HASHES, Claims, decode_claims
from attestation.ratls.der import parse_certificate
from attestation.ratls.forms import OIDS, TEE_QUOTE_TAG, RaTlsForm, ratls_report_data
from attestation.ratls.pem import read_der
from attestation.ratls.signature import is_signed_by

_UNREAD = {
    "1.2.840.113556.10.1.1": "Open Enclave",
    "2.16.840.1.113730.1.13": "a Netscape comment, where reports of the retired IAS service stand",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RaTlsCertificate:
    """A certificate with evidence; neither the evidence nor its binding has been verified."""

    form: RaTlsForm
    evidence: Evidence
    claims: Claims | None  # of `dice` only
    further_quotes: tuple[bytes, ...]  # of the forms that did not decide
    spki: bytes  # DER SubjectPublicKeyInfo
    not_before_s: int  # Unix time, included
    not_after_s: int  # the same
    is_self_signed: bool  # whether its own key signed it


def read_certificate(data: bytes) -> RaTlsCertificate:
    """Read a certificate, PEM or DER of at most 64 KiB; raises DecodeError.

    Also for a certificate without evidence that is read here; the text says what it has instead.
    """
    parsed = parse_certificate(read_der(data))
    found = [(oid, form) for oid, form in OIDS.items() if oid in parsed.extensions]
    if not found:
        raise DecodeError(_nothing(parsed.extensions))
    (oid, form), *others = found
    value, claims = parsed.extensions[oid], None
    if form is RaTlsForm.DICE:
        value, claims = _read_dice(value)
    return RaTlsCertificate(
        form=form,
        evidence=Evidence(EvidenceKind.DCAP, _quote(value)),
        claims=claims,
        further_quotes=tuple(_quote(parsed.extensions[other]) for other, _ in others),
        spki=parsed.spki,
        not_before_s=parsed.not_before_s,
        not_after_s=parsed.not_after_s,
        is_self_signed=is_signed_by(parsed.spki, parsed.algorithm, parsed.signature, parsed.signed),
    )


def verify_binding(certificate: RaTlsCertificate, report_data: bytes) -> None:
    """Check that verified evidence, with these 64 bytes of report data, is for this certificate.

    1. the certificate's own key signed it (else EvidenceError SIGNATURE);
    2. the report data is the form's digest and 32 zero bytes;
    3. `dice`: `pubkey-hash` is there, in an algorithm that is known, and is that of the key;
    4. quotes of other forms do not contradict.
    Raises EvidenceError (REPORT_DATA) for 2 to 4.
    """
    if not certificate.is_self_signed:  # 1
        raise EvidenceError(
            EvidenceFault.SIGNATURE,
            expected="a certificate signed with its own key",
            got="another signature",
        )
    claims = certificate.claims
    bound = ratls_report_data(certificate.spki if claims is None else claims.data)
    if not hmac.compare_digest(report_data, bound):  # 2
        raise EvidenceError(EvidenceFault.REPORT_DATA, expected=bound.hex(), got=report_data.hex())
    if claims is not None:  # 3
        _verify_key_hash(claims, certificate.spki)
    _verify_agreement(certificate)  # 4


def verify_validity(certificate: RaTlsCertificate, at_s: int) -> None:
    """Raise EvidenceError (CERTIFICATE_DATES) unless the certificate is valid at Unix time `at_s`.

    Both ends are included (RFC 5280, section 4.1.2.5).
    """
    start, end = certificate.not_before_s, certificate.not_after_s
    if not start <= at_s <= end:
        raise EvidenceError(
            EvidenceFault.CERTIFICATE_DATES,
            expected=f"valid at {moment(at_s)}",
            got=f"{moment(start)} to {moment(end)}",
        )


def _read_dice(value: bytes) -> tuple[bytes, Claims]:
    """The quote and the claims of tagged evidence."""
    match decode_tagged(value, TEE_QUOTE_TAG, "tagged evidence"):
        case [bytes() as quote, bytes() as claims]:
            return quote, decode_claims(claims)
        case _:
            raise DecodeError("tagged evidence: not an array of quote and claims")


def _quote(value: bytes) -> bytes:
    if not value:
        raise DecodeError("certificate: an empty quote")
    return value


def _nothing(extensions: dict[str, bytes]) -> str:
    for oid, kind in _UNREAD.items():
        if oid in extensions:
            return f"certificate: another kind of RA-TLS ({kind}), not read by this version"
    return "certificate: no extension with evidence"


def _verify_key_hash(claims: Claims, spki: bytes) -> None:
    claimed = claims.key_hash
    if claimed is None:
        raise EvidenceError(EvidenceFault.REPORT_DATA, expected="a pubkey-hash claim", got="none")
    if claimed.algorithm not in HASHES:
        raise EvidenceError(
            EvidenceFault.REPORT_DATA,
            expected="pubkey-hash by SHA-256, SHA-384 or SHA-512 (1, 7, 8)",
            got=f"algorithm {claimed.algorithm}",
        )
    digest = HASHES[claimed.algorithm](spki).digest()
    if not hmac.compare_digest(claimed.digest, digest):
        raise EvidenceError(
            EvidenceFault.REPORT_DATA,
            expected=f"pubkey-hash {digest.hex()}",
            got=claimed.digest.hex(),
        )


def _verify_agreement(certificate: RaTlsCertificate) -> None:
    if not certificate.further_quotes:
        return
    try:
        decided = parse_quote(certificate.evidence.quote).report
        reports = [parse_quote(quote).report for quote in certificate.further_quotes]
    except DecodeError as error:
        raise EvidenceError(EvidenceFault.REPORT_DATA, got=str(error)) from error
    bound = ratls_report_data(certificate.spki)
    for report in reports:
        if report.report_data != bound:
            raise _contradiction(certificate, "a further quote for another key")
        if replace(report, report_data=decided.report_data) != decided:
            raise _contradiction(certificate, "a further quote of another enclave")


def _contradiction(certificate: RaTlsCertificate, got: str) -> EvidenceError:
    expected = f"quotes that agree with {certificate.form}"
    return EvidenceError(EvidenceFault.REPORT_DATA, expected=expected, got=got)
