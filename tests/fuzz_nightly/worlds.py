"""The software platforms whose evidence is edited and signed again: made once, when first needed.

`judged` is the one oracle for evidence: verification ends in one of its two errors, or in a verdict
that says what the signed bytes say, has one encoding, and was reached by the collateral asked for.
"""

from collections.abc import Callable
from functools import cache

from attestation.collateral import DcapCollateral, encode_collateral
from attestation.errors import CannotDecideError, EvidenceError
from attestation.evidence import Evidence, EvidenceKind, encode_evidence
from attestation.platforms.software import QE_SIGNER
from attestation.platforms.software_collateral import CollateralOptions, make_collateral
from attestation.platforms.software_tdx import GuestReport, make_td_quote
from attestation.rules import VerificationRules
from attestation.verdict import Verdict, decode_verdict, encode_verdict
from attestation.verify import collateral_key, verify
from tests.support.attested import NOW_S, SoftwareWorld, make_world
from tests.support.snp_world import SnpWorld

_REPORT_DATA_AT = {3: 48 + 320, 4: 48 + 520, 5: 54 + 520}
_SNP_REPORT_DATA_AT = 0x50
_DAY_S = 86_400
# mostly within the collateral's year; before it, in its grace, after it, after certificates ended
TIMES = (NOW_S,) * 12 + (
    NOW_S - 1,
    NOW_S + 365 * _DAY_S + 1800,
    NOW_S + 366 * _DAY_S,
    NOW_S + 4000 * _DAY_S,
)


@cache
def intel() -> SoftwareWorld:
    """The quoting enclave of SGX and TDX."""
    return make_world()


@cache
def amd() -> SnpWorld:
    """A product line."""
    return SnpWorld()


@cache
def td_quote() -> bytes:
    """A TDX quote of version 4."""
    world = intel()
    report = GuestReport(mr_td=b"\x31" * 48, report_data=bytes(range(64)))
    return make_td_quote(world.attestation_key, world.qe_part, report)


@cache
def dcap_collateral(tee: str) -> DcapCollateral:
    """Good collateral for ``sgx`` or ``tdx``."""
    options = CollateralOptions(issued_s=NOW_S)
    return make_collateral(intel().authority, QE_SIGNER, options, tee)


@cache
def encoded_collateral(tee: str) -> bytes:
    """Good collateral for ``sgx``, ``tdx`` or ``snp``."""
    return encode_collateral(amd().collateral() if tee == "snp" else dcap_collateral(tee))


@cache
def rules() -> VerificationRules:
    """What believes both vendors, as the genesis of a mixed network does."""
    return VerificationRules(
        roots=(*intel().rules.roots, *amd().rules.roots),
        tcb_signer_pins=intel().rules.tcb_signer_pins,
        grace_s=3600,
    )


@cache
def encoded_evidence(tee: str) -> bytes:
    """Good evidence of ``sgx``, ``tdx`` or ``snp``."""
    if tee == "snp":
        return encode_evidence(amd().evidence())
    return dcap_evidence(intel().quote() if tee == "sgx" else td_quote())


def dcap_evidence(quote: bytes) -> bytes:
    """Encoded evidence around the bytes of a quote."""
    return encode_evidence(Evidence(EvidenceKind.DCAP, quote))


def refusals(judge: Callable[[], Verdict]) -> Verdict | None:
    """The verdict, or None where it is refused in one of the two ways."""
    try:
        return judge()
    except (EvidenceError, CannotDecideError):
        return None


def judged(evidence: bytes, quote: bytes, collateral: bytes, now_s: int = NOW_S) -> Verdict | None:
    """Judge, and check what a verdict claims against the bytes of `quote`."""
    verdict = refusals(lambda: verify(evidence, collateral, rules(), now_s))
    if verdict is None:
        return None
    if verdict != decode_verdict(encode_verdict(verdict)):
        raise AssertionError("a verdict with two encodings")
    if verdict.identity.debug or verdict.collateral_key != collateral_key(evidence):
        raise AssertionError("a verdict on a debug enclave, or by other collateral")
    is_snp = verdict.identity.platform == "snp"
    at = _SNP_REPORT_DATA_AT if is_snp else _REPORT_DATA_AT[int.from_bytes(quote[:2], "little")]
    if verdict.report_data != quote[at : at + 64]:
        raise AssertionError("another report data than the signed one")
    measured = {"sgx": quote[112:144], "snp": quote[0x90:0xC0]}.get(verdict.identity.platform)
    if measured is not None and verdict.identity.measurement != measured:
        raise AssertionError("another measurement than the signed one")
    if verdict != verify(evidence, collateral, rules(), now_s):
        raise AssertionError("two verdicts on the same")
    return verdict
