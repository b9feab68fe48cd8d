"""The revocation list of a product line's root: whom it names, when it was made, when it ends.

Rules (RFC 5280, section 5): DER, with a nextUpdate; whole, so neither a delta nor for some reasons,
some kinds of certificates or other issuers only; no critical extension that is not understood. Who
signed it is `attestation.snp.authorities`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from attestation.collateral import MAX_ORDER
from attestation.errors import DecodeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocations:
    """A revocation list of good shape; nothing has been verified. Times are Unix seconds."""

    number: int  # 0 where the list has none
    issued_s: int
    next_update_s: int  # exclusive
    serials: tuple[int, ...]  # sorted, no repeats
    issuer: x509.Name
    body: bytes  # what the signature covers
    signature: bytes


def parse_revocations(der: bytes) -> Revocations:
    """Read a DER revocation list; raises DecodeError."""
    try:
        crl = x509.load_der_x509_crl(der)
        revocations = _read(crl)
    except DecodeError:
        raise
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("revocation list: cannot be parsed") from error
    if not 0 <= revocations.number <= MAX_ORDER or revocations.issued_s < 0:
        raise DecodeError("revocation list: a number or date outside its range")
    if revocations.next_update_s <= revocations.issued_s:
        raise DecodeError("revocation list: ends before it begins")
    return revocations


def _read(crl: x509.CertificateRevocationList) -> Revocations:
    ends = crl.next_update_utc
    if ends is None:
        raise DecodeError("revocation list: no end")
    return Revocations(
        number=_number(crl.extensions),
        issued_s=_unix(crl.last_update_utc),
        next_update_s=_unix(ends),
        serials=tuple(sorted({one.serial_number for one in crl})),
        issuer=crl.issuer,
        body=crl.tbs_certlist_bytes,
        signature=crl.signature,
    )


def _number(extensions: x509.Extensions) -> int:
    number = 0
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.CRLNumber):
            number = value.crl_number
        elif isinstance(value, x509.IssuingDistributionPoint):
            if not _is_for_all(value):
                raise DecodeError("revocation list: a part of a list")
        elif extension.critical:  # a delta's indicator is always critical
            raise DecodeError(f"revocation list: critical extension {extension.oid.dotted_string}")
    return number


def _is_for_all(point: x509.IssuingDistributionPoint) -> bool:
    return not (
        point.indirect_crl
        or point.only_some_reasons
        or point.only_contains_user_certs
        or point.only_contains_attribute_certs
    )


def _unix(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
