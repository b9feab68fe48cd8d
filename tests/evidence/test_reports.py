"""SEV-SNP reports with the certificates that a person has: what is missing, what is checked."""

from dataclasses import replace
from typing import Any

import pytest

from attestation.collateral import encode_collateral
from attestation.errors import (
    DecisionFault,
    DecodeError,
    EvidenceFault,
)
from attestation.evidence import encode_evidence
from attestation.judgement import Decision, Question
from attestation.mends import CHAIN_MENDS
from attestation.platforms.software_collateral import CollateralOptions
from attestation.platforms.tsm_snp import vcek_addresses
from attestation.snp.report import parse_report
from node.cli.evidence_words import judgement_rows
from tests.support.attested import NOW_S
from tests.support.direct_verifier import first, judged
from tests.support.evidence_vectors import MANIFEST, REASON, VECTORS, case_of
from tests.support.snp_world import GUEST, SnpWorld

VLEK_FLAGS = 1 << 2
SNP = SnpWorld()
BY_CHIP = SNP.evidence()
BY_CLOUD = SNP.evidence(replace(GUEST, flags=VLEK_FLAGS), SNP.vlek())
HELD = SNP.collateral()
ENDED = SnpWorld(now_s=NOW_S - 50 * 366 * 86_400).collateral()
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
    leaf, _, signers = missing.partition(" and ")
    parts = [f"VCEK from {place}"] if leaf == "VCEK" else []
    if names := signers if leaf == "VCEK" else missing:
        parts.append(f"{names} from https://kdsintf.amd.com/vcek/v1/Milan/cert_chain")
    assert reason.mend == f"--chain FILE: {'; '.join(parts)}"


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
    chain = "https://kdsintf.amd.com/vcek/v1/Milan/cert_chain"
    assert mend == f"--chain FILE: VCEK from the host; ASK and ARK from {chain}"


@needs_vectors
@pytest.mark.parametrize(
    "name, path",
    [
        ("sev-snp/ms-turin", "/vcek/v1/Turin/59790fb1c39f35c1?fmcSPL=01&blSPL=01&teeSPL=01&"),
        ("sev-snp/ms-genoa", "/vcek/v1/Genoa/"),
        ("sev-snp/virtee-milan", "(LINE is Milan or Genoa, which a report of version 2 does not"),
    ],
)
def test_the_path_to_a_real_chip_s_certificate_is_told(name: str, path: str) -> None:
    """In the form of its product line; the one that the vector was collected with is this one."""
    question = replace(case_of(name).question, chain=())
    mend = judged(question).reasons[0].mend
    assert path in mend
    assert mend.count("https://") == 2


@needs_vectors
@pytest.mark.parametrize("name", ["ark", "vcek"])
def test_the_line_of_an_old_report_is_told_by_what_is_beside_it(name: str) -> None:
    """A report of version 2 names no processor; a certificate beside it does."""
    question = case_of("sev-snp/virtee-milan").question
    one = (VECTORS / f"sev-snp/virtee-milan/{name}.der").read_bytes()
    mend = judged(replace(question, chain=(one,))).reasons[0].mend
    assert "/vcek/v1/Milan/" in mend
    assert "Genoa" not in mend


@needs_vectors
def test_a_certificate_of_another_product_line_is_the_evidence_s_fault() -> None:
    """The report says which processor it is of, so no collateral could mend it."""
    turin, milan = VECTORS / "sev-snp/ms-turin", VECTORS / "sev-snp/virtee-milan"
    chain = tuple(path.read_bytes() for path in (milan / "vcek.der", *turin.glob("a*.der")))
    question = replace(case_of("sev-snp/ms-turin").question, chain=chain)
    judgement = judged(question)
    assert first(judgement) == (Decision.REFUSED, EvidenceFault.PRODUCT)
    (reason,) = judgement.reasons
    assert reason.expected == "a processor of Milan"
    (place,) = vcek_addresses(parse_report(question.file))
    assert reason.mend == f"fetch the VCEK of this chip: {place}"


@needs_vectors
def test_signers_of_another_product_line_are_called_what_they_are() -> None:
    """Nobody gave collateral, so no words but the code speak of it; it is no field either."""
    turin, milan = VECTORS / "sev-snp/ms-turin", VECTORS / "sev-snp/virtee-milan"
    chain = tuple(path.read_bytes() for path in (turin / "vcek.der", *milan.glob("a*.der")))
    question = replace(case_of("sev-snp/ms-turin").question, chain=chain)
    judgement = judged(question)
    assert first(judgement) == (Decision.UNDECIDED, DecisionFault.COLLATERAL_OTHER_PLATFORM)
    (reason,) = judgement.reasons
    assert (reason.expected, reason.got) == ("ASK or ASVK and ARK of Turin", "those of Milan")
    assert "--chain FILE" in reason.mend
    assert "https://kdsintf.amd.com/vcek/v1/Turin/cert_chain" in reason.mend
    rows = dict(judgement_rows(judgement, question))
    assert rows.pop("reason") == DecisionFault.COLLATERAL_OTHER_PLATFORM
    assert rows["chain"] == "snp/Milan"
    assert "collateral" not in str(rows)


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"root": None}, DecisionFault.ROOT_UNUSABLE),
        ({"root": SnpWorld(now_s=1).collateral().ark}, DecisionFault.COLLATERAL_UNTRUSTED),
        (
            {"root": ENDED.ark, "chain": (BY_CHIP.certificate, ENDED.ask, ENDED.ark)},
            DecisionFault.COLLATERAL_EXPIRED,
        ),
    ],
)
def test_no_reason_speaks_of_collateral_that_nobody_gave(
    changes: dict[str, Any], code: DecisionFault
) -> None:
    """Whatever is wrong with the chain's authorities, the chain is to be mended."""
    judgement = judged(replace(REPORT_IN_FULL, **changes))
    reason = next(one for one in judgement.reasons if one.check == code)
    assert reason.mend == CHAIN_MENDS[code]
    assert "collateral" not in f"{reason.expected} {reason.got} {reason.mend}"
    given = replace(REPORT_IN_FULL, collateral=(encode_collateral(HELD),), **changes)
    assert all(one.mend not in CHAIN_MENDS.values() for one in judged(given).reasons)


def test_authorities_of_two_lines_are_a_fault_of_the_chain() -> None:
    """No collateral is spoken of."""
    turin = SnpWorld(line="Turin").collateral().ark
    with pytest.raises(DecodeError, match=r"^chain: two different values of "):
        judged(replace(REPORT_ALONE, chain=(BY_CHIP.certificate, HELD.ask, turin)))


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
