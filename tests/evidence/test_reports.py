"""SEV-SNP reports with the certificates that a person has: what is missing, what is checked."""

from dataclasses import replace

import pytest

from attestation.collateral import encode_collateral
from attestation.errors import (
    DecisionFault,
    DecodeError,
    EvidenceFault,
)
from attestation.evidence import encode_evidence
from attestation.judgement import Decision, Question
from attestation.platforms.software_collateral import CollateralOptions
from attestation.platforms.tsm_snp import vcek_addresses
from attestation.snp.report import parse_report
from tests.support.attested import NOW_S
from tests.support.direct_verifier import first, judged
from tests.support.evidence_vectors import MANIFEST, REASON, VECTORS, case_of
from tests.support.snp_world import GUEST, SnpWorld

VLEK_FLAGS = 1 << 2
SNP = SnpWorld()
BY_CHIP = SNP.evidence()
BY_CLOUD = SNP.evidence(replace(GUEST, flags=VLEK_FLAGS), SNP.vlek())
HELD = SNP.collateral()
REPORT_ALONE = Question(file=BY_CHIP.quote, now_s=NOW_S, root=HELD.ark)
REPORT_IN_FULL = replace(REPORT_ALONE, chain=(BY_CHIP.certificate, HELD.ask, HELD.ark))

needs_vectors = pytest.mark.skipif(not MANIFEST.exists(), reason=REASON)


@pytest.mark.parametrize(
    "chain, missing",
    [
        ((), "VCEK and ASK and ARK"),
        ((BY_CHIP.certificate,), "ASK and ARK"),
        ((BY_CHIP.certificate, HELD.ark), "ASK"),
        ((HELD.ask, HELD.ark), "VCEK"),
        ((BY_CHIP.certificate, HELD.asvk, HELD.ark), "ASK"),
    ],
)
def test_what_a_report_lacks_is_named(chain: tuple[bytes, ...], missing: str) -> None:
    """Each certificate by its name, and where this very chip's is to be had."""
    judgement = judged(replace(REPORT_ALONE, chain=chain))
    assert first(judgement) == (Decision.UNDECIDED, DecisionFault.CERTIFICATE_MISSING)
    (reason,) = judgement.reasons
    assert reason.expected == missing
    (place,) = vcek_addresses(parse_report(BY_CHIP.quote))
    assert f"VCEK: {place};" in reason.mend
    assert reason.mend.endswith("/vcek/v1/Milan/cert_chain")


def test_what_a_cloud_s_report_lacks_is_named() -> None:
    """Its key's certificate comes from the host, the others from AMD."""
    judgement = judged(replace(REPORT_ALONE, file=BY_CLOUD.quote))
    assert judgement.reasons[0].expected == "VLEK and ASVK and ARK"
    for words in ("whoever runs the host", "/vlek/v1/Milan/cert_chain"):
        assert words in judgement.reasons[0].mend


def test_a_chip_without_a_name_is_asked_of_its_host() -> None:
    """A report whose host masks the chip's id leads to no address."""
    file = SNP.evidence(replace(GUEST, chip_id=bytes(64))).quote
    judgement = judged(replace(REPORT_ALONE, file=file))
    mend = judgement.reasons[0].mend
    assert mend == "VCEK: from the host; ASK and ARK: AMD's key distribution service"


@needs_vectors
@pytest.mark.parametrize(
    "name, path",
    [
        ("sev-snp/ms-turin", "/vcek/v1/Turin/59790fb1c39f35c1?fmcSPL=01&blSPL=01&teeSPL=01&"),
        ("sev-snp/ms-genoa", "/vcek/v1/Genoa/"),
        ("sev-snp/virtee-milan", "Milan/cert_chain or https://kdsintf.amd.com/vcek/v1/Genoa/"),
    ],
)
def test_the_path_to_a_real_chip_s_certificate_is_told(name: str, path: str) -> None:
    """In the form of its product line; the one that the vector was collected with is this one."""
    question = replace(case_of(name).question, chain=())
    assert path in judged(question).reasons[0].mend


@needs_vectors
def test_the_line_of_an_old_report_is_told_by_the_authorities() -> None:
    """A report of version 2 names no processor; an ARK beside it does."""
    question = case_of("sev-snp/virtee-milan").question
    ark = (VECTORS / "sev-snp/virtee-milan/ark.der").read_bytes()
    mend = judged(replace(question, chain=(ark,))).reasons[0].mend
    assert "/vcek/v1/Milan/" in mend
    assert "Genoa" not in mend


def test_a_report_is_accepted_without_a_revocation_list_and_it_is_said() -> None:
    """The chain alone is enough; what was not checked is told."""
    judgement = judged(REPORT_IN_FULL)
    assert (judgement.decision, judgement.checks_revocation) == (Decision.ACCEPTED, False)
    assert judgement.collateral is not None
    assert (judgement.collateral.key, judgement.collateral.valid_until_s) == ("snp/Milan", 0)


@pytest.mark.parametrize(
    "chain, collateral",
    [
        ((BY_CHIP.certificate,), (encode_collateral(HELD),)),
        ((BY_CHIP.certificate, HELD.ask, HELD.ark), (HELD.crl,)),
        ((BY_CHIP.certificate,), (HELD.ark, HELD.ask, HELD.crl)),
        ((BY_CHIP.certificate, HELD.ask, HELD.ark), (encode_collateral(HELD),)),
    ],
    ids=["collateral", "list beside the chain", "AMD's files", "both"],
)
def test_with_a_revocation_list_it_is_checked(
    chain: tuple[bytes, ...], collateral: tuple[bytes, ...]
) -> None:
    """However the list came."""
    judgement = judged(replace(REPORT_ALONE, chain=chain, collateral=collateral))
    assert (judgement.decision, judgement.checks_revocation) == (Decision.ACCEPTED, True)
    assert judgement.collateral is not None
    assert judgement.collateral.valid_until_s > NOW_S


def test_a_revoked_signer_is_found_by_the_list_alone() -> None:
    """The same files without the list are accepted: hence the warning."""
    revoking = SNP.collateral(CollateralOptions(issued_s=NOW_S, revoke_ask=True)).crl
    judgement = judged(replace(REPORT_IN_FULL, collateral=(revoking,)))
    assert first(judgement) == (Decision.REFUSED, EvidenceFault.REVOKED)
    assert judged(REPORT_IN_FULL).decision is Decision.ACCEPTED


def test_a_list_alone_needs_the_chain() -> None:
    """Without an authority beside it, it is no collateral."""
    with pytest.raises(DecodeError):
        judged(replace(REPORT_ALONE, collateral=(HELD.crl,)))


def test_a_cloud_s_report_needs_no_ask() -> None:
    """VLEK, ASVK and ARK are its whole chain."""
    chain = (BY_CLOUD.certificate, HELD.asvk, HELD.ark)
    judgement = judged(replace(REPORT_ALONE, file=BY_CLOUD.quote, chain=chain))
    assert judgement.decision is Decision.ACCEPTED


def test_encoded_evidence_brings_its_own_certificate() -> None:
    """The chain's leaf is not asked for, and does not take its place."""
    file = encode_evidence(BY_CHIP)
    for chain in ((HELD.ask, HELD.ark), (SNP.vlek(), HELD.ask, HELD.ark)):
        judgement = judged(replace(REPORT_ALONE, file=file, chain=chain))
        assert judgement.decision is Decision.ACCEPTED


def test_a_report_of_a_bad_shape_is_refused_without_its_chain() -> None:
    """Nothing is asked for that could not mend it."""
    file = BY_CHIP.quote[:-1] + b"x"
    assert first(judged(replace(REPORT_ALONE, file=file))) == (
        Decision.REFUSED,
        EvidenceFault.NOT_CANONICAL,
    )
