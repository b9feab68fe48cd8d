"""Judging an Intel quote: the quote, our collateral, the trust document's rules, a time. Pure.

Steps:
1. the rules' roots are self-issued and self-signed (others can abort the library);
2. the quote has the canonical shape (`layout`);
3. our collateral reads, and its signatures, chains and pins hold (`trust`);
4. the quote's root is the collateral's; the collateral speaks of the quote's platform;
5. the evaluation numbers lie within floor and ceiling; the time lies within the collateral's
   window, or within the grace after it: then the library is asked as of the window's last second;
6. no certificate has ended at the real time;
7. the library verifies quote, chains, revocation and TCB levels;
8. debug is refused, the identity is read from the signed report.
Not here: whether the identity is admitted (`policy`) and whether the report data is the one
expected (`handshake.verify_report_data`): both are the caller's.
"""

from attestation.collateral import (
    CollateralFacts,
    DcapCollateral,
    collateral_digest,
    encode_collateral,
)
from attestation.dcap.certificates import is_valid_at, load_certificate
from attestation.dcap.collateral import dcap_key, read_facts
from attestation.dcap.layout import Quote, parse_quote
from attestation.dcap.library import LibraryResult, run_library
from attestation.dcap.pck import PckPlatform, read_platform
from attestation.dcap.reports import Report, SgxReport
from attestation.dcap.trust import TrustedChains, verify_chains
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    DecodeError,
    EvidenceError,
    EvidenceFault,
)
from attestation.evidence import Evidence
from attestation.fields import SgxFields, TdxFields, TeeFields
from attestation.identity import Identity, verify_identity
from attestation.moments import moment
from attestation.rules import VerificationRules, effective_time, verify_rules
from attestation.verdict import Verdict


def verify_quote(
    evidence: Evidence, collateral: DcapCollateral, rules: VerificationRules, now_s: int
) -> Verdict:
    """Judge a quote at Unix time `now_s` by collateral of our own store.

    Raises EvidenceError when the quote is at fault and CannotDecideError when the rules or the
    collateral are. The same arguments give the same verdict everywhere.
    """
    verify_rules(rules)  # 1
    quote, platform = _quote(evidence.quote)  # 2
    facts = _facts(collateral)  # 3
    chains = verify_chains(collateral, rules)
    _verify_match(quote, platform, facts, chains)  # 4
    effective_s = effective_time(facts, rules, now_s)  # 5
    _verify_certificate_dates(quote, chains, now_s)  # 6
    result = run_library(quote.canonical, collateral, chains.root, effective_s)  # 7
    if quote.report.debug:  # 8
        raise EvidenceError(EvidenceFault.DEBUG)
    return Verdict(
        identity=_identity(quote, platform, result),
        report_data=quote.report.report_data,
        quote_digest=quote.digest,
        collateral_number=facts.lowest_number,
        verified_at_s=now_s,
        effective_s=effective_s,
        collateral_key=facts.key,
        collateral_digest=collateral_digest(encode_collateral(collateral)),
    )


def quote_key(evidence: Evidence) -> str:
    """The key of the collateral that a quote claims to need; EvidenceError. Verifies nothing."""
    quote, platform = _quote(evidence.quote)
    return _claimed_key(quote, platform)


def verify_dcap_collateral(
    collateral: DcapCollateral, rules: VerificationRules, now_s: int
) -> CollateralFacts:
    """Judge collateral by itself (3, 5 and 6 above); raises CannotDecideError."""
    verify_rules(rules)
    facts = _facts(collateral)
    chains = verify_chains(collateral, rules)
    effective_time(facts, rules, now_s)
    _verify_signer_dates(chains, now_s)
    return facts


def _quote(data: bytes) -> tuple[Quote, PckPlatform]:
    try:
        quote = parse_quote(data)
        return quote, read_platform(quote)
    except DecodeError as error:
        raise EvidenceError(EvidenceFault.NOT_CANONICAL, got=str(error)) from error


def _claimed_key(quote: Quote, platform: PckPlatform) -> str:
    try:
        return dcap_key(quote.platform, platform.fmspc, load_certificate(quote.chain[1]))
    except DecodeError as error:
        raise EvidenceError(EvidenceFault.NOT_CANONICAL, got=str(error)) from error


def _facts(collateral: DcapCollateral) -> CollateralFacts:
    try:
        return read_facts(collateral)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.COLLATERAL_MALFORMED, got=str(error)) from error


def _verify_match(
    quote: Quote, platform: PckPlatform, facts: CollateralFacts, chains: TrustedChains
) -> None:
    if quote.chain[2] != chains.root:
        raise EvidenceError(EvidenceFault.UNKNOWN_ROOT, expected="the root of the trust document")
    theirs = _claimed_key(quote, platform)
    if facts.key != theirs or quote.chain[1] != chains.pck_ca:
        raise CannotDecideError(
            DecisionFault.COLLATERAL_OTHER_PLATFORM,
            expected=f"collateral for {theirs}, of its PCK CA",
            got=facts.key,
        )


def _verify_certificate_dates(quote: Quote, chains: TrustedChains, now_s: int) -> None:
    if not is_valid_at(load_certificate(quote.chain[0]), now_s):
        raise EvidenceError(EvidenceFault.CERTIFICATE_DATES, expected=f"valid at {moment(now_s)}")
    _verify_signer_dates(chains, now_s)


def _verify_signer_dates(chains: TrustedChains, now_s: int) -> None:
    if not all(is_valid_at(certificate, now_s) for certificate in chains.certificates):
        raise CannotDecideError(DecisionFault.COLLATERAL_EXPIRED, got="a signer's certificate")


def _identity(quote: Quote, platform: PckPlatform, result: LibraryResult) -> Identity:
    if result.ppid != platform.ppid:
        raise CannotDecideError(DecisionFault.RESULT_UNKNOWN, got="two readings of one quote")
    measurement, signer, product_id, svn, fields = read_code(quote.report)
    identity = Identity(
        platform=quote.platform,
        measurement=measurement,
        signer=signer,
        product_id=product_id,
        svn=svn,
        debug=quote.report.debug,
        tcb_status=result.status,
        tcb_date_s=result.tcb_date_s,
        advisories=result.advisories,
        platform_id=platform.ppid,
        fmspc=platform.fmspc,
        fields=fields,
    )
    try:
        verify_identity(identity)
    except DecodeError as error:
        raise CannotDecideError(DecisionFault.RESULT_UNKNOWN, got=str(error)) from error
    return identity


def read_code(report: Report) -> tuple[bytes, bytes, int, int, TeeFields]:
    """(measurement, signer, product id, SVN, fields); a TD's report vouches for no signer."""
    if isinstance(report, SgxReport):
        fields = SgxFields(
            attributes=report.attributes,
            config_id=report.config_id,
            config_svn=report.config_svn,
            ext_product_id=report.ext_product_id,
            family_id=report.family_id,
        )
        return report.mr_enclave, report.mr_signer, report.product_id, report.svn, fields
    rtmrs = report.rtmrs
    td_fields = TdxFields(
        mr_td=report.mr_td,
        rtmr0=rtmrs[0],
        rtmr1=rtmrs[1],
        rtmr2=rtmrs[2],
        rtmr3=rtmrs[3],
        mr_config_id=report.mr_config_id,
        mr_owner=report.mr_owner,
        mr_owner_config=report.mr_owner_config,
        attributes=report.attributes,
        xfam=report.xfam,
    )
    return report.measurement, b"", 0, 0, td_fields
