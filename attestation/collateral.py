"""DCAP collateral: the nine fields, their canonical bytes, and what the verifier reads from them.

Rules: collateral is always our own store's, never a prover's. A newer one replaces a held one only
when (tcbEvaluationDataNumber, issueDate) of both signed documents and the dates of both revocation
lists have not gone back. The JSON texts stay exactly as they were signed. Signatures, chains and
pins are `attestation.dcap.trust`.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509

from attestation.errors import DecodeError
from attestation.wire import decode_message, encode_message
from sealedger.v1 import attestation_pb2 as pb

MAX_JSON_DEPTH = 32  # the vendor's documents have 6
MAX_COLLATERAL_BYTES = 1024 * 1024

_BRACKET = re.compile(r"[\[\]{}]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_FMSPC = re.compile(r"[0-9A-Fa-f]{12}", re.ASCII)
_PLATFORM_OF_ID = {"SGX": "sgx", "TDX": "tdx"}
_QE_ID = {"sgx": "QE", "tdx": "TD_QE"}
_MAX_U32 = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Collateral:
    """What a DCAP verifier needs beside a quote. Chains are PEM, CRLs DER, signatures r ‖ s."""

    pck_crl_issuer_chain: str
    root_ca_crl: bytes
    pck_crl: bytes
    tcb_info_issuer_chain: str
    tcb_info: str
    tcb_info_signature: bytes
    qe_identity_issuer_chain: str
    qe_identity: str
    qe_identity_signature: bytes


@dataclass(frozen=True, slots=True)
class Edition:
    """Which edition of a signed document this is; editions of one document are ordered."""

    number: int  # tcbEvaluationDataNumber
    issued_s: int  # Unix time
    next_update_s: int  # Unix time, inclusive


@dataclass(frozen=True, slots=True)
class RevocationDates:
    """When a revocation list was made and when it ends (exclusive), in Unix time."""

    issued_s: int
    next_update_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralFacts:
    """What collateral says about itself; trustworthy once its signatures are verified."""

    platform: str  # "sgx" or "tdx"
    fmspc: bytes  # 6 bytes: the processor family it speaks of
    tcb_info: Edition
    qe_identity: Edition
    root_crl: RevocationDates
    pck_crl: RevocationDates

    @property
    def number(self) -> int:
        """The lower of the two evaluation numbers, which is the one to hold against a floor."""
        return min(self.tcb_info.number, self.qe_identity.number)

    @property
    def valid_from_s(self) -> int:
        """The first second at which every part has been issued."""
        return max(self.tcb_info.issued_s, self.qe_identity.issued_s)

    @property
    def valid_until_s(self) -> int:
        """The last second at which no part has ended."""
        return min(
            self.tcb_info.next_update_s,
            self.qe_identity.next_update_s,
            self.root_crl.next_update_s - 1,
            self.pck_crl.next_update_s - 1,
        )


def encode_collateral(collateral: Collateral) -> bytes:
    """The canonical bytes, at most 1 MiB; raises DecodeError when larger."""
    message = pb.DcapCollateral(
        pck_crl_issuer_chain=collateral.pck_crl_issuer_chain,
        root_ca_crl=collateral.root_ca_crl,
        pck_crl=collateral.pck_crl,
        tcb_info_issuer_chain=collateral.tcb_info_issuer_chain,
        tcb_info=collateral.tcb_info,
        tcb_info_signature=collateral.tcb_info_signature,
        qe_identity_issuer_chain=collateral.qe_identity_issuer_chain,
        qe_identity=collateral.qe_identity,
        qe_identity_signature=collateral.qe_identity_signature,
    )
    return encode_message(message, MAX_COLLATERAL_BYTES)


def decode_collateral(data: bytes) -> Collateral:
    """The collateral of canonical bytes; raises DecodeError for anything else."""
    message = decode_message(pb.DcapCollateral, data, MAX_COLLATERAL_BYTES)
    return Collateral(
        pck_crl_issuer_chain=message.pck_crl_issuer_chain,
        root_ca_crl=message.root_ca_crl,
        pck_crl=message.pck_crl,
        tcb_info_issuer_chain=message.tcb_info_issuer_chain,
        tcb_info=message.tcb_info,
        tcb_info_signature=message.tcb_info_signature,
        qe_identity_issuer_chain=message.qe_identity_issuer_chain,
        qe_identity=message.qe_identity,
        qe_identity_signature=message.qe_identity_signature,
    )


@lru_cache(maxsize=32)
def read_facts(collateral: Collateral) -> CollateralFacts:
    """Read the fields that are compared and judged; raises DecodeError. Verifies no signature."""
    tcb = _document("tcb info", collateral.tcb_info)
    qe = _document("QE identity", collateral.qe_identity)
    platform = _PLATFORM_OF_ID.get(str(tcb.get("id")))
    if platform is None or qe.get("id") != _QE_ID[platform]:
        raise DecodeError("collateral: the documents' ids are not of one known platform")
    fmspc = tcb.get("fmspc")
    if not isinstance(fmspc, str) or not _FMSPC.fullmatch(fmspc):
        raise DecodeError("collateral: bad fmspc")
    return CollateralFacts(
        platform=platform,
        fmspc=bytes.fromhex(fmspc),
        tcb_info=_edition("tcb info", tcb),
        qe_identity=_edition("QE identity", qe),
        root_crl=_revocation_dates("root CRL", collateral.root_ca_crl),
        pck_crl=_revocation_dates("PCK CRL", collateral.pck_crl),
    )


def is_successor(candidate: CollateralFacts, held: CollateralFacts) -> bool:
    """Whether `candidate` may replace `held`: of the same platform, newer, and back in nothing.

    The order is (tcbEvaluationDataNumber, issueDate): a lower number never passes, whatever its
    date.
    """
    if (candidate.platform, candidate.fmspc) != (held.platform, held.fmspc):
        return False
    new, old = _order(candidate), _order(held)
    return new != old and all(n >= o for n, o in zip(new, old, strict=True))


def _order(facts: CollateralFacts) -> tuple[tuple[int, ...], ...]:
    return (
        (facts.tcb_info.number, facts.tcb_info.issued_s),
        (facts.qe_identity.number, facts.qe_identity.issued_s),
        (facts.root_crl.issued_s,),
        (facts.pck_crl.issued_s,),
    )


def _document(name: str, text: str) -> dict[str, object]:
    if _depth(text) > MAX_JSON_DEPTH:
        raise DecodeError(f"collateral: {name} is nested deeper than {MAX_JSON_DEPTH} levels")
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"collateral: {name} is not JSON without repeated keys") from error
    if not isinstance(document, dict):
        raise DecodeError(f"collateral: {name} is not a JSON object")
    return document


def _depth(text: str) -> int:
    """How deep brackets nest. The JSON parser's recursion uses the C stack, so it is asked last."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("repeated key")
    return document


def _edition(name: str, document: dict[str, object]) -> Edition:
    number = document.get("tcbEvaluationDataNumber")
    if type(number) is not int or not 0 <= number <= _MAX_U32:
        raise DecodeError(f"collateral: {name}: bad tcbEvaluationDataNumber")
    dates = [_seconds(name, document.get(key)) for key in ("issueDate", "nextUpdate")]
    return Edition(number, *dates)


def _seconds(name: str, value: object) -> int:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise DecodeError(f"collateral: {name}: a date is not of the form 2026-01-31T00:00:00Z")
    try:
        return int(datetime.fromisoformat(value).timestamp())
    except ValueError as error:
        raise DecodeError(f"collateral: {name}: impossible date") from error


def _revocation_dates(name: str, der: bytes) -> RevocationDates:
    try:
        crl = x509.load_der_x509_crl(der)
        issued, ends = crl.last_update_utc, crl.next_update_utc
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError(f"collateral: {name} is not a DER revocation list") from error
    if ends is None:
        raise DecodeError(f"collateral: {name} has no end")
    return RevocationDates(_unix(issued), _unix(ends))


def _unix(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
