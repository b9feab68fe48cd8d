"""Files judged as a person brings them: what is needed, what is missing, what comes out."""

from dataclasses import replace

import pytest

from attestation.collateral import encode_collateral
from attestation.conditions import ReleaseMatch, SnpMatch
from attestation.dcap.layout import parse_quote
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    DecodeError,
    EvidenceFault,
)
from attestation.evidence import decode_evidence
from attestation.evidence_files import FileKind
from attestation.judge_file import POLICY_CHECK, judge_file
from attestation.judgement import Decision, Question
from attestation.mends import MENDS, mend_needs_key, mend_words
from attestation.policy import Match, encode_policy
from attestation.rules import VerificationRules
from attestation.snp.endorsement_key import parse_endorsement_key
from attestation.verdict import Verdict
from tests.support.attested import NOW_S, REPORT, make_world
from tests.support.direct_verifier import first, judged
from tests.support.evidence_vectors import MANIFEST, REASON, case_of
from tests.support.snp_world import SnpWorld
from tests.support.software_machines import Machine, make_machine

WORLD, SNP = make_world(), SnpWorld()
BY_CHIP = SNP.evidence()
LEAF = parse_endorsement_key(BY_CHIP.certificate)
HELD = SNP.collateral()
DAY_S = 86_400
AGES_S = 10_000 * DAY_S

QUOTE = Question(
    file=WORLD.quote(), now_s=NOW_S, collateral=(WORLD.collateral_bytes(),), root=WORLD.root
)
REPORT_ALONE = Question(file=BY_CHIP.quote, now_s=NOW_S, root=HELD.ark)
REPORT_IN_FULL = replace(REPORT_ALONE, chain=(BY_CHIP.certificate, HELD.ask, HELD.ark))

needs_vectors = pytest.mark.skipif(not MANIFEST.exists(), reason=REASON)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Machine]:
    """A software platform of each TEE."""
    directory = tmp_path_factory.mktemp("machines")
    return {tee: make_machine(directory / tee, tee, NOW_S) for tee in ("sgx", "tdx", "snp")}


def question_of(machine: Machine) -> Question:
    """The evidence of a machine, with all that it needs."""
    return Question(
        file=machine.evidence.read_bytes(),
        now_s=NOW_S + 10,
        collateral=(machine.collateral.read_bytes(),),
        root=machine.root.read_bytes(),
    )


@pytest.mark.parametrize("tee", ["sgx", "tdx", "snp"])
def test_evidence_in_our_own_encoding_is_accepted(tee: str, machines: dict[str, Machine]) -> None:
    """Of every TEE, by the root that was given; the collateral's window is told."""
    judgement = judged(question_of(machines[tee]))
    assert (judgement.decision, judgement.reasons) == (Decision.ACCEPTED, ())
    assert judgement.kind is FileKind.EVIDENCE
    assert judgement.verdict is not None
    assert judgement.verdict.identity.platform == tee
    assert judgement.checks_revocation
    window = judgement.collateral
    assert window is not None
    assert window.key == judgement.verdict.collateral_key
    assert window.digest == judgement.verdict.collateral_digest
    assert window.number == judgement.verdict.collateral_number
    assert window.valid_from_s <= NOW_S < window.valid_until_s


@pytest.mark.parametrize("tee", ["sgx", "tdx", "snp"])
def test_without_a_root_only_the_vendors_are_believed(
    tee: str, machines: dict[str, Machine]
) -> None:
    """Collateral of a software platform decides nothing, however well it is signed."""
    judgement = judged(replace(question_of(machines[tee]), root=None))
    assert first(judgement) == (Decision.UNDECIDED, DecisionFault.ROOT_UNUSABLE)
    assert "--root" in judgement.reasons[0].mend


@pytest.mark.parametrize("tee", ["sgx", "tdx", "snp"])
def test_a_root_that_was_given_is_the_only_one(tee: str, machines: dict[str, Machine]) -> None:
    """Another one's collateral is not trusted by it."""
    judgement = judged(replace(question_of(machines[tee]), root=make_world().root))
    assert first(judgement) == (Decision.UNDECIDED, DecisionFault.COLLATERAL_UNTRUSTED)


def test_a_quote_without_collateral_is_undecided() -> None:
    """The reason names the key that is needed and the option; what it claims is shown as such."""
    judgement = judged(replace(QUOTE, collateral=()))
    assert first(judgement) == (Decision.UNDECIDED, DecisionFault.COLLATERAL_MISSING)
    (reason,) = judgement.reasons
    assert reason.expected == "collateral for sgx/00536f667401/processor"
    key = "sgx/00536f667401/processor"
    assert reason.mend == (
        "--collateral collateral.pb; "
        f"from a service: sealedger collateral fetch {key} --pccs URL --save collateral.pb; "
        f"from a ledger: sealedger collateral show {key} --save collateral.pb"
    )
    assert judgement.claimed is not None
    assert judgement.claimed.measurement == REPORT.mr_enclave
    assert (judgement.verdict, judgement.checks_revocation) == (None, False)


def test_a_debug_quote_without_collateral_is_refused() -> None:
    """No answer could accept it."""
    file = WORLD.quote(replace(REPORT, debug=True))
    judgement = judged(replace(QUOTE, file=file, collateral=()))
    checks = [one.check for one in judgement.reasons]
    assert judgement.decision is Decision.REFUSED
    assert checks == [EvidenceFault.DEBUG, DecisionFault.COLLATERAL_MISSING]


def test_a_quote_of_a_bad_shape_is_refused_with_or_without_collateral() -> None:
    """Nothing that was brought beside it could mend it, and it claims nothing that can be read."""
    for collateral in ((), QUOTE.collateral):
        judgement = judged(replace(QUOTE, file=QUOTE.file[:-1] + b"x", collateral=collateral))
        assert first(judgement) == (Decision.REFUSED, EvidenceFault.NOT_CANONICAL)
        assert judgement.claimed is None


def test_old_collateral_is_undecided_and_names_the_command() -> None:
    """Past its window there is no grace, and the reason says how to get newer."""
    judgement = judged(replace(QUOTE, now_s=NOW_S + AGES_S))
    assert judgement.decision is Decision.UNDECIDED
    mend = judgement.reasons[-1].mend
    assert (
        "for a ledger: sealedger collateral update --key sgx/00536f667401/processor --pccs" in mend
    )
    assert "collateral fetch sgx/00536f667401/processor --pccs URL --save collateral.pb" in mend
    young = judged(replace(QUOTE, now_s=NOW_S - DAY_S))
    assert first(young) == (Decision.UNDECIDED, DecisionFault.COLLATERAL_FROM_FUTURE)


def test_a_quote_takes_no_chain() -> None:
    """It carries its own certificates, and whoever brings others has mistaken something."""
    with pytest.raises(DecodeError, match="give collateral"):
        judged(replace(QUOTE, chain=(HELD.ask,)))


def test_collateral_that_cannot_be_read_is_no_answer() -> None:
    """A broken file beside the evidence is the caller's to mend."""
    with pytest.raises(DecodeError, match="collateral"):
        judged(replace(QUOTE, collateral=(b"{}",)))


def test_collateral_of_another_kind_decides_nothing() -> None:
    """AMD's for a quote, Intel's for a report."""
    mixed = judged(replace(QUOTE, collateral=(encode_collateral(HELD),), root=HELD.ark))
    assert first(mixed) == (Decision.UNDECIDED, DecisionFault.COLLATERAL_OTHER_PLATFORM)
    swapped = replace(REPORT_IN_FULL, collateral=QUOTE.collateral, root=WORLD.root)
    assert first(judged(swapped)) == (Decision.UNDECIDED, DecisionFault.COLLATERAL_OTHER_PLATFORM)


# ------------------------------------------------------------------------------------ policies


def policy(measurement: bytes = REPORT.mr_enclave, **more: object) -> Match:
    """A policy that the rules take."""
    match = Match(measurement=measurement, tcb_statuses=("UpToDate",), **more)  # type: ignore[arg-type]  # any field
    encode_policy(match)
    return match


def test_a_policy_is_asked_about_the_verified_identity() -> None:
    """Admitted: accepted, with every field found good."""
    judgement = judged(replace(QUOTE, policy=policy()))
    assert (judgement.decision, judgement.is_admitted) == (Decision.ACCEPTED, True)
    assert judgement.findings
    assert all(one.ok for one in judgement.findings)


def test_what_a_policy_does_not_admit_is_refused() -> None:
    """The evidence stays verified; the reason names the field, and where it is explained."""
    judgement = judged(replace(QUOTE, policy=policy(bytes(32))))
    assert first(judgement) == (Decision.REFUSED, POLICY_CHECK)
    assert judgement.reasons[0].got == "not met: measurement"
    assert judgement.reasons[0].mend == "docs/policies.md says what each field asks"
    assert (judgement.verdict is not None, judgement.is_admitted) == (True, False)


def test_a_policy_is_not_asked_about_what_was_not_verified() -> None:
    """Whoever only claims to be somebody is compared with nothing."""
    judgement = judged(replace(QUOTE, collateral=(), policy=policy()))
    assert (judgement.decision, judgement.findings) == (Decision.UNDECIDED, None)


def test_releases_are_known_to_the_ledger_alone() -> None:
    """A policy that asks for an endorsed release admits no file."""
    release = ReleaseMatch(name="fns", minimum=(1, 0, 0), auditors=(bytes(20),), threshold=1)
    judgement = judged(replace(QUOTE, policy=policy(b"", release=release)))
    assert first(judgement) == (Decision.REFUSED, POLICY_CHECK)
    assert judgement.reasons[0].got == "known to the ledger alone: release"


def test_a_guest_of_amd_is_admitted_by_its_tcb_alone() -> None:
    """Without a minimum TCB no policy admits it."""
    tee = SnpMatch(minimum_tcb=LEAF.tcb)
    measurement = SNP.judge(BY_CHIP).identity.measurement
    for asked, decision in ((tee, Decision.ACCEPTED), (None, Decision.REFUSED)):
        question = replace(REPORT_IN_FULL, policy=policy(measurement, tee=asked))
        assert judged(question).decision is decision


# ------------------------------------------------------------------------------------ the verifier


class _Verifier:
    """Answers nothing, for a reason."""

    def __init__(self, code: DecisionFault) -> None:
        self.rules: VerificationRules | None = None
        self._code = code

    async def verify(
        self, evidence: bytes, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> Verdict:
        decode_evidence(evidence)
        assert collateral
        assert now_s == NOW_S
        self.rules = rules
        raise CannotDecideError(self._code, got="exit -6")

    async def collateral_key(self, evidence: bytes) -> str:
        decode_evidence(evidence)
        raise CannotDecideError(self._code, got="exit -6")


@pytest.mark.parametrize("collateral", [(), QUOTE.collateral])
async def test_a_verifier_that_dies_decides_nothing(collateral: tuple[bytes, ...]) -> None:
    """Its fault is told like any other."""
    verifier = _Verifier(DecisionFault.VERIFIER_ABORTED)
    judgement = await judge_file(replace(QUOTE, collateral=collateral), verifier)
    assert first(judgement) == (Decision.UNDECIDED, DecisionFault.VERIFIER_ABORTED)
    assert judgement.reasons[0].got == "exit -6"


async def test_only_a_missing_list_is_forgiven() -> None:
    """Rules ask for the revocation list wherever there is one, and give no grace."""
    verifier = _Verifier(DecisionFault.VERIFIER_BUSY)
    for question, is_optional in (
        (QUOTE, False),
        (replace(REPORT_IN_FULL, collateral=(HELD.crl,)), False),
        (REPORT_IN_FULL, True),
    ):
        await judge_file(question, verifier)
        assert verifier.rules is not None
        assert verifier.rules.revocations_optional is is_optional
        assert verifier.rules.grace_s == 0


@needs_vectors
def test_intel_s_root_given_by_hand_keeps_intel_s_signer_pinned() -> None:
    """Naming the root that is built in changes nothing: its signer of TCB documents is pinned."""
    question = case_of("sgx/zkdcap-types").question
    root = parse_quote(question.file).chain[2]
    assert judged(replace(question, root=root)).decision is Decision.ACCEPTED
    foreign = replace(question, collateral=(WORLD.collateral_bytes(),), root=root)
    assert first(judged(foreign))[0] is Decision.UNDECIDED


def test_every_code_says_what_mends_it() -> None:
    """No refusal leaves a person alone."""
    assert MENDS.keys() == {*map(str, EvidenceFault), *map(str, DecisionFault)}
    assert all(one.meaning and one.mend for one in MENDS.values())


def test_a_mend_names_the_vendor_s_service_and_the_key() -> None:
    """Commands can be typed as they stand; without a key they are told in general."""
    for code in map(str, (*EvidenceFault, *DecisionFault)):
        assert mend_words(code) == MENDS[code].mend
        assert mend_needs_key(code) is ("KEY" in mend_words(code))
        assert "KEY" not in mend_words(code, "snp/Milan")
    mend = mend_words(DecisionFault.COLLATERAL_EXPIRED, "snp/Milan")
    assert "sealedger collateral fetch snp/Milan --kds URL --save collateral.pb" in mend
    assert "sealedger collateral update --key snp/Milan --kds URL" in mend
    assert "--pccs" not in mend


def test_collateral_of_another_platform_says_which_to_fetch() -> None:
    """The command has the key of the evidence, not of the collateral that was given."""
    judgement = judged(replace(QUOTE, collateral=(encode_collateral(HELD),), root=HELD.ark))
    assert first(judgement) == (Decision.UNDECIDED, DecisionFault.COLLATERAL_OTHER_PLATFORM)
    assert "fetch sgx/00536f667401/processor --pccs URL" in judgement.reasons[0].mend


async def test_a_key_that_cannot_be_told() -> None:
    """A verifier that says nothing leaves the general words."""
    judgement = await judge_file(QUOTE, _Verifier(DecisionFault.COLLATERAL_EXPIRED))
    assert judgement.reasons[-1].mend == MENDS[DecisionFault.COLLATERAL_EXPIRED].mend
