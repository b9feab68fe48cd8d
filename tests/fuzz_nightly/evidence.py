"""Targets: evidence as bytes. Layouts, certificates, tables, and the verification behind them."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from attestation.dcap.layout import parse_quote
from attestation.dcap.pck import read_platform
from attestation.errors import DecodeError, EvidenceError
from attestation.evidence import encode_evidence
from attestation.platforms.tsm_certificates import (
    VCEK_GUID,
    VLEK_GUID,
    certificate_in_table,
    decode_certificate,
    parse_certificate_table,
)
from attestation.ratls.certificate import read_certificate, verify_binding
from attestation.ratls.forms import DICE_OID, GRAMINE_LEGACY_OID
from attestation.ratls.make import encode_claims
from attestation.ratls.pem import read_der
from attestation.snp.endorsement_key import parse_endorsement_key
from attestation.snp.products import decode_tcb, encode_tcb
from attestation.snp.report import parse_report
from attestation.verify import collateral_key
from tests.fuzz_nightly.target import Target
from tests.fuzz_nightly.worlds import (
    amd,
    dcap_evidence,
    encoded_collateral,
    encoded_evidence,
    intel,
    judged,
    td_quote,
)
from tests.support.ratls_certificates import (
    Wanted,
    dice_value,
    legacy_value,
    make_certificate,
    spki_of,
)

_VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
_TEES = ("sgx", "tdx", "snp")
_ENTRY_SIZE = 24


def check_quote(data: bytes) -> None:
    """A quote that reads is made of its parts; whose platform it is can be asked."""
    try:
        quote = parse_quote(data)
    except DecodeError:
        return
    if not data.startswith(quote.canonical) or any(data[len(quote.canonical) :]):
        raise AssertionError("a canonical part that is not the beginning")
    if parse_quote(quote.canonical) != quote:
        raise AssertionError("the canonical part reads otherwise")
    with suppress(DecodeError):
        read_platform(quote)
    with suppress(EvidenceError):
        collateral_key(dcap_evidence(data))


def check_report(data: bytes) -> None:
    """An SNP report that reads has the fields that its bytes have."""
    try:
        report = parse_report(data)
    except DecodeError:
        return
    if data[:672] != report.signed_region or len(report.digest) != 32:
        raise AssertionError("another signed region")
    for line in ("Milan", "Genoa", "Turin"):
        with suppress(DecodeError):
            if encode_tcb(decode_tcb(report.reported_tcb, line), line) != report.reported_tcb:
                raise AssertionError("a TCB with two encodings")


def check_endorsement_key(data: bytes) -> None:
    """The certificate of a VCEK or VLEK, DER or PEM."""
    with suppress(DecodeError):
        key = parse_endorsement_key(data)
        if bool(key.chip_id) == key.is_vlek:
            raise AssertionError("a chip without a chip id, or a cloud with one")
    with suppress(DecodeError):
        parse_endorsement_key(decode_certificate(data))


def check_table(data: bytes) -> None:
    """What a host puts into a table lies inside the table."""
    with suppress(DecodeError):
        found = parse_certificate_table(data)
        if any(one not in data or not one for one in found.values()):
            raise AssertionError("an entry that is not in the table")
    for guid in (VCEK_GUID, VLEK_GUID):
        with suppress(DecodeError):
            certificate_in_table(data, guid)


def check_ratls(data: bytes) -> None:
    """An RA-TLS certificate is read or refused; its binding is judged whatever it carries."""
    try:
        certificate = read_certificate(data)
    except DecodeError:
        return
    try:
        report = parse_quote(certificate.evidence.quote).report
        verify_binding(certificate, report.report_data)
    except (DecodeError, EvidenceError):
        return
    if not certificate.is_self_signed:
        raise AssertionError("bound, but signed by another key")


def check_judged(data: bytes) -> None:
    """Encoded evidence, judged by the collateral of each TEE."""
    for tee in _TEES:
        judged(data, _quote_of(data), encoded_collateral(tee))


def _quote_of(data: bytes) -> bytes:
    """The quote, where the encoded evidence is one with a length of two bytes: kind, tag, length.

    That is so for all quotes between 128 bytes and 16 KiB; others have no verdict to compare.
    """
    return data[5:]


def _real(platform: str, name: str) -> list[bytes]:
    """The files of real hardware, where the vectors are beside this checkout."""
    return [path.read_bytes() for path in sorted(_VECTORS.glob(f"{platform}/*/{name}"))]


def quotes() -> list[bytes]:
    """Quotes of our own and of hardware."""
    return [intel().quote(), td_quote(), *_real("sgx", "quote.bin"), *_real("tdx", "quote.bin")]


def reports() -> list[bytes]:
    """Reports of our own and of hardware."""
    return [amd().evidence().quote, *_real("sev-snp", "report.bin")]


def endorsement_keys() -> list[bytes]:
    """Certificates of our own and of hardware, and one in PEM."""
    real = [*_real("sev-snp", "vcek.der"), *_real("sev-snp", "vlek.der")]
    return [amd().vcek(), amd().vlek(), *real]


def tables() -> list[bytes]:
    """Tables of one and two certificates."""
    one = amd().vcek()
    end = bytes(_ENTRY_SIZE)
    entries = [(VCEK_GUID, 72, len(one)), (VLEK_GUID, 72 + len(one), 4)]
    head = b"".join(
        guid + at.to_bytes(4, "little") + size.to_bytes(4, "little") for guid, at, size in entries
    )
    single = VCEK_GUID + (48).to_bytes(4, "little") + len(one).to_bytes(4, "little") + end + one
    return [b"", end, single, head + end + one + b"junk"]


def certificates() -> list[bytes]:
    """RA-TLS certificates of our own and of others."""
    wanted = Wanted()
    spki = spki_of(wanted.key)
    value = dice_value(intel(), encode_claims(spki))
    both = {DICE_OID: value, GRAMINE_LEGACY_OID: legacy_value(intel(), spki)}
    own = [make_certificate(wanted, {DICE_OID: value}), make_certificate(wanted, both)]
    return [*own, *map(read_der, (*_real("ra-tls", "cert.pem"), *_real("ra-tls", "cert.der")))]


def _evidence() -> list[bytes]:
    return [encoded_evidence(tee) for tee in _TEES] + [
        encode_evidence(amd().evidence(certificate=amd().vlek()))
    ]


_CHECKS: tuple[tuple[str, Callable[[bytes], None], Callable[[], list[bytes]]], ...] = (
    ("quote", check_quote, quotes),
    ("snp-report", check_report, reports),
    ("endorsement-key", check_endorsement_key, endorsement_keys),
    ("certificate-table", check_table, tables),
    ("ratls-certificate", check_ratls, certificates),
    ("evidence", check_judged, _evidence),
)
TARGETS = tuple(Target(name, check, seeds) for name, check, seeds in _CHECKS)
