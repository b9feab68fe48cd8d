"""The one verification path: evidence, our collateral, the trust document's rules, a time. Pure.

Steps:
1. the rules' roots are self-issued and self-signed (others can abort the library);
2. the evidence decodes, and its quote has the canonical shape (`layout`);
3. our collateral decodes and its signatures, chains and pins hold (`trust`);
4. the quote's root is the collateral's; the collateral speaks of the quote's platform;
5. the evaluation numbers lie within floor and ceiling; the time lies within the collateral's
   window, or within the grace after it: then the library is asked as of the window's last second;
6. no certificate has ended at the real time;
7. the library verifies quote, chains, revocation and TCB levels;
8. debug is refused, the identity is read from the signed report.
Not here: whether the identity is admitted (`policy`) and whether the report data is the one
expected (`handshake.verify_report_data`): both are the caller's.
"""

from attestation.collateral import Collateral, CollateralFacts, decode_collateral, read_facts
from attestation.dcap.certificates import is_valid_at, load_certificate
from attestation.dcap.layout import Quote, parse_quote
from attestation.dcap.library import LibraryResult, run_library
from attestation.dcap.pck import PckPlatform, read_platform
from attestation.dcap.reports import Report, SgxReport
from attestation.dcap.rules import VerificationRules, verify_rules
from attestation.dcap.trust import TrustedChains, verify_collateral
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    DecodeError,
    EvidenceError,
    EvidenceFault,
)
from attestation.evidence import decode_evidence
from attestation.identity import Identity, verify_identity
from attestation.verdict import Verdict


def verify(evidence: bytes, collateral: bytes, rules: VerificationRules, now_s: int) -> Verdict:
    """Judge encoded `evidence` at Unix time `now_s` by encoded `collateral` of our own store.

    Raises EvidenceError when the evidence is at fault and CannotDecideError when the rules or the
    collateral are. The same arguments give the same verdict everywhere.
    """
    verify_rules(rules)  # 1
    quote, platform = _quote(evidence)  # 2
    held, facts = _collateral(collateral)  # 3
    chains = verify_collateral(held, rules)
    _verify_match(quote, platform, facts, chains)  # 4
    effective_s = _effective_time(facts, rules, now_s)  # 5
    _verify_certificate_dates(quote, chains, now_s)  # 6
    result = run_library(quote.canonical, held, chains.root, effective_s)  # 7
    if quote.report.debug:  # 8
        raise EvidenceError(EvidenceFault.DEBUG)
    return Verdict(
        identity=_identity(quote, platform, result),
        report_data=quote.report.report_data,
        quote_digest=quote.digest,
        collateral_number=facts.number,
        verified_at_s=now_s,
        effective_s=effective_s,
    )


def find_platform(evidence: bytes) -> tuple[str, bytes]:
    """(platform, FMSPC) that encoded evidence claims: the key to look its collateral up by.

    Nothing is verified. Raises EvidenceError.
    """
    quote, platform = _quote(evidence)
    return quote.platform, platform.fmspc


def _quote(evidence: bytes) -> tuple[Quote, PckPlatform]:
    try:
        inner = decode_evidence(evidence).quote
    except DecodeError as error:
        raise EvidenceError(EvidenceFault.MALFORMED, got=str(error)) from error
    try:
        quote = parse_quote(inner)
        return quote, read_platform(quote)
    except DecodeError as error:
        raise EvidenceError(EvidenceFault.NOT_CANONICAL, got=str(error)) from error


def _collateral(data: bytes) -> tuple[Collateral, CollateralFacts]:
    try:
        held = decode_collateral(data)
        return held, read_facts(held)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.COLLATERAL_MALFORMED, got=str(error)) from error


def _verify_match(
    quote: Quote, platform: PckPlatform, facts: CollateralFacts, chains: TrustedChains
) -> None:
    if quote.chain[2] != chains.root:
        raise EvidenceError(EvidenceFault.UNKNOWN_ROOT, expected="the root of the trust document")
    ours = (facts.platform, facts.fmspc.hex())
    theirs = (quote.platform, platform.fmspc.hex())
    if ours != theirs or quote.chain[1] != chains.pck_ca:
        raise CannotDecideError(
            DecisionFault.COLLATERAL_OTHER_PLATFORM,
            expected=f"collateral for {' '.join(theirs)}, its PCK CA",
            got=" ".join(ours),
        )


def _effective_time(facts: CollateralFacts, rules: VerificationRules, now_s: int) -> int:
    numbers = (facts.tcb_info.number, facts.qe_identity.number)
    ceiling = rules.evaluation_ceiling
    if min(numbers) < rules.evaluation_floor or (ceiling and max(numbers) > ceiling):
        raise CannotDecideError(
            DecisionFault.COLLATERAL_NUMBER,
            expected=f"{rules.evaluation_floor} to {ceiling or 'any'}",
            got=f"{numbers[0]} and {numbers[1]}",
        )
    if now_s < facts.valid_from_s:
        raise CannotDecideError(
            DecisionFault.COLLATERAL_FROM_FUTURE,
            expected=f"issued by {now_s}",
            got=str(facts.valid_from_s),
        )
    if now_s > facts.valid_until_s + rules.grace_s:
        raise CannotDecideError(
            DecisionFault.COLLATERAL_EXPIRED,
            expected=f"valid at {now_s}",
            got=f"valid to {facts.valid_until_s}, grace {rules.grace_s} s",
        )
    return min(now_s, facts.valid_until_s)


def _verify_certificate_dates(quote: Quote, chains: TrustedChains, now_s: int) -> None:
    if not is_valid_at(load_certificate(quote.chain[0]), now_s):
        raise EvidenceError(EvidenceFault.CERTIFICATE_DATES, expected=f"valid at {now_s}")
    if not all(is_valid_at(certificate, now_s) for certificate in chains.certificates):
        raise CannotDecideError(DecisionFault.COLLATERAL_EXPIRED, got="a signer's certificate")


def _identity(quote: Quote, platform: PckPlatform, result: LibraryResult) -> Identity:
    if result.ppid != platform.ppid:
        raise CannotDecideError(DecisionFault.RESULT_UNKNOWN, got="two readings of one quote")
    measurement, signer, product_id, svn = _code(quote.report)
    identity = Identity(
        platform=quote.platform,
        measurement=measurement,
        signer=signer,
        product_id=product_id,
        svn=svn,
        debug=quote.report.debug,
        tcb_status=result.status,
        advisories=result.advisories,
        platform_id=platform.ppid,
        fmspc=platform.fmspc,
    )
    try:
        verify_identity(identity)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.RESULT_UNKNOWN, got=str(error)) from error
    return identity


def _code(report: Report) -> tuple[bytes, bytes, int, int]:
    """(measurement, signer, product id, SVN); a TD's report vouches for no signer."""
    if isinstance(report, SgxReport):
        return report.mr_enclave, report.mr_signer, report.product_id, report.svn
    return report.measurement, b"", 0, 0
