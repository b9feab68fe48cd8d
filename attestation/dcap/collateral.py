"""DCAP collateral: the nine fields, and what the verifier reads from them.

Rules: the JSON texts stay exactly as they were signed. What orders editions is
(tcbEvaluationDataNumber, issueDate) of both documents and (CRL number, thisUpdate) of both
revocation lists. `substance` is all that a verdict could depend on but dates and numbers: a new
edition with the same substance gives the same verdicts. Signatures, chains and pins are
`attestation.dcap.trust`.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import NameOID

from attestation.collateral import MAX_ORDER, CollateralFacts, DcapCollateral
from attestation.dcap.certificates import load_certificate
from attestation.dcap.pem import decode_chain
from attestation.errors import DecodeError

MAX_JSON_DEPTH = 32  # the vendor's documents have 6

# also a string without an end, and without going back: else many quotes cost their square
_STRING = re.compile(r'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_FMSPC = re.compile(r"[0-9A-Fa-f]{12}", re.ASCII)
_PLATFORM_OF_ID = {"SGX": "sgx", "TDX": "tdx"}
_PASSING = frozenset({"issueDate", "nextUpdate", "tcbEvaluationDataNumber"})
_SUBSTANCE_LABEL = b"sealedger/dcap-substance/1\0"
_QE_ID = {"sgx": "QE", "tdx": "TD_QE"}
_MAX_U32 = 2**32 - 1


@dataclass(frozen=True, slots=True)
class _Edition:
    """Which edition of a signed document this is; times are Unix seconds, the end is inclusive."""

    number: int  # tcbEvaluationDataNumber
    issued_s: int
    next_update_s: int


@dataclass(frozen=True, slots=True)
class _Revocations:
    """A revocation list: its number, when it was made and ends (exclusive), whom it revokes."""

    number: int
    issued_s: int
    next_update_s: int
    serials: tuple[int, ...]  # sorted


@lru_cache(maxsize=32)
def read_facts(collateral: DcapCollateral) -> CollateralFacts:
    """Read the fields that are compared and judged; raises DecodeError. Verifies no signature."""
    tcb = _document("tcb info", collateral.tcb_info)
    qe = _document("QE identity", collateral.qe_identity)
    tcb_edition, qe_edition = _edition("tcb info", tcb), _edition("QE identity", qe)
    root_crl = _revocations("root CRL", collateral.root_ca_crl)
    pck_crl = _revocations("PCK CRL", collateral.pck_crl)
    return CollateralFacts(
        key=_key(tcb, qe, collateral),
        order=(
            (tcb_edition.number, tcb_edition.issued_s),
            (qe_edition.number, qe_edition.issued_s),
            (root_crl.number, root_crl.issued_s),
            (pck_crl.number, pck_crl.issued_s),
        ),
        lowest_number=min(tcb_edition.number, qe_edition.number),
        highest_number=max(tcb_edition.number, qe_edition.number),
        valid_from_s=max(tcb_edition.issued_s, qe_edition.issued_s),
        valid_until_s=min(
            tcb_edition.next_update_s,
            qe_edition.next_update_s,
            root_crl.next_update_s - 1,
            pck_crl.next_update_s - 1,
        ),
        substance=_substance(tcb, qe, (root_crl, pck_crl), collateral.pck_crl_issuer_chain),
    )


def dcap_key(platform: str, fmspc: bytes, pck_ca: x509.Certificate) -> str:
    """What collateral is for: the TEE, the processor family and which PCK CA; DecodeError.

    The CA decides which revocation list the collateral holds.
    """
    try:
        names = pck_ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(names[0].value)
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("collateral: the PCK CA has no common name") from error
    for word, kind in (("Processor", "processor"), ("Platform", "platform")):
        if word in name:
            return f"{platform}/{fmspc.hex()}/{kind}"
    raise DecodeError("collateral: neither a processor nor a platform PCK CA")


def _key(tcb: dict[str, object], qe: dict[str, object], collateral: DcapCollateral) -> str:
    platform = _PLATFORM_OF_ID.get(str(tcb.get("id")))
    if platform is None or qe.get("id") != _QE_ID[platform]:
        raise DecodeError("collateral: the documents' ids are not of one known platform")
    fmspc = tcb.get("fmspc")
    if not isinstance(fmspc, str) or not _FMSPC.fullmatch(fmspc):
        raise DecodeError("collateral: bad fmspc")
    chain = decode_chain(collateral.pck_crl_issuer_chain.encode(), 2)
    return dcap_key(platform, bytes.fromhex(fmspc), load_certificate(chain[0]))


def _substance(
    tcb: dict[str, object],
    qe: dict[str, object],
    lists: tuple[_Revocations, ...],
    pck_chain: str,
) -> bytes:
    documents = [{k: v for k, v in one.items() if k not in _PASSING} for one in (tcb, qe)]
    # in hex: a serial number may have any length, and decimal digits are bounded and slow
    serials = ([f"{serial:x}" for serial in one.serials] for one in lists)
    said = [*documents, *serials, pck_chain]  # a quote passes under this very PCK CA only
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(_SUBSTANCE_LABEL + text.encode()).digest()


def _document(name: str, text: str) -> dict[str, object]:
    if bracket_depth(text) > MAX_JSON_DEPTH:
        raise DecodeError(f"collateral: {name} is nested deeper than {MAX_JSON_DEPTH} levels")
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"collateral: {name} is not JSON without repeated keys") from error
    if not isinstance(document, dict):
        raise DecodeError(f"collateral: {name} is not a JSON object")
    return document


def bracket_depth(text: str) -> int:
    """How deep brackets outside of strings nest.

    The JSON parser's recursion uses the C stack, so it is asked last.
    """
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("repeated key")
    return document


def _edition(name: str, document: dict[str, object]) -> _Edition:
    number = document.get("tcbEvaluationDataNumber")
    if type(number) is not int or not 0 <= number <= _MAX_U32:
        raise DecodeError(f"collateral: {name}: bad tcbEvaluationDataNumber")
    dates = [_seconds(name, document.get(key)) for key in ("issueDate", "nextUpdate")]
    return _Edition(number, *dates)


def _seconds(name: str, value: object) -> int:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise DecodeError(f"collateral: {name}: a date is not of the form 2026-01-31T00:00:00Z")
    try:
        seconds = int(datetime.fromisoformat(value).timestamp())
    except ValueError as error:
        raise DecodeError(f"collateral: {name}: impossible date") from error
    if seconds < 0:
        raise DecodeError(f"collateral: {name}: a date before 1970")
    return seconds


def _revocations(name: str, der: bytes) -> _Revocations:
    try:
        crl = x509.load_der_x509_crl(der)
        issued, ends = crl.last_update_utc, crl.next_update_utc
        serials = tuple(sorted(one.serial_number for one in crl))
        number = _crl_number(crl)
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError(f"collateral: {name} is not a DER revocation list") from error
    if ends is None:
        raise DecodeError(f"collateral: {name} has no end")
    if not 0 <= number <= MAX_ORDER:
        raise DecodeError(f"collateral: {name}: bad CRL number")
    dates = _unix(issued), _unix(ends)
    if min(dates) < 0:
        raise DecodeError(f"collateral: {name}: a date before 1970")
    return _Revocations(number, *dates, serials)


def _crl_number(crl: x509.CertificateRevocationList) -> int:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return 0


def _unix(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
