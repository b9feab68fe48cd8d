"""Two replicas, each with a verifier of its own: who votes for which proposal, and what stands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest

from attestation.collateral_verdict import CollateralVerdict, encode_collateral_verdict
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    EvidenceError,
    EvidenceFault,
)
from attestation.rules import VerificationRules
from attestation.verdict import Verdict, decode_verdict, encode_verdict
from contracts.prepare import prepare
from ledger.format.genesis import decode_genesis
from ledger.format.hygiene import UpdateCollateral
from ledger.format.transaction import decode_envelope, encode_envelope
from ledger.reason import Reason
from network.errors import BlockRefusedError
from node.candidates import Submission
from node.fsck import Options, check_directory
from node.results import Block
from node.verdicts import VerdictJudge
from tests.support.small_hygiene import Edition, facts_of
from tests.support.small_ledger import EVIDENCE, OpenLedger, SmallLedger
from tests.support.small_rules import SmallRules, core_signer, genesis_bytes, genesis_collateral

RULES = VerificationRules(roots=(b"root",), tcb_signer_pins=(bytes(32),))
NEW_COLLATERAL = b"the canonical bytes of a new edition"


@dataclass
class Verifier:
    """A Judge that knows one verdict of each kind; it checks what it is given.

    `changes` is its version: what it says otherwise than others.
    """

    evidence: Verdict | None = None
    collateral: CollateralVerdict | None = None
    changes: Callable[[Verdict], Verdict] = lambda verdict: verdict
    error: EvidenceError | CannotDecideError | None = None
    judged_by: list[bytes] = field(default_factory=list)

    async def verify(
        self, evidence: bytes, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> Verdict:
        """The verdict, as of `now_s`."""
        assert (evidence, rules) == (EVIDENCE, RULES)
        assert self.evidence is not None, "no evidence was to be judged"
        if self.error is not None:
            raise self.error
        self.judged_by.append(collateral)
        digest = sha256(collateral).digest()
        said = replace(
            self.evidence, verified_at_s=now_s, effective_s=now_s, collateral_digest=digest
        )
        return self.changes(said)

    async def collateral_key(self, evidence: bytes) -> str:
        """Nobody asks: a verdict says its key."""
        raise AssertionError(f"asked for the key of {evidence!r}")

    async def verify_collateral(
        self, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> CollateralVerdict:
        """The verdict, as of `now_s`."""
        assert (collateral, rules) == (NEW_COLLATERAL, RULES)
        assert self.collateral is not None, "no collateral was to be judged"
        return replace(self.collateral, verified_at_s=now_s)


def another_version(verdict: Verdict) -> Verdict:
    """A verifier that knows one more advisory."""
    identity = replace(verdict.identity, advisories=("INTEL-SA-99999",))
    return replace(verdict, identity=identity)


class World:
    """A ledger that proposes, and one of the same genesis that is to vote."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        genesis = genesis_bytes()
        self.first = SmallLedger(directory / "first", genesis)
        self.second = SmallLedger(directory / "second", genesis)
        self.rules = SmallRules(genesis)

    @contextmanager
    def open(self, verifier: Verifier) -> Iterator[tuple[OpenLedger, OpenLedger]]:
        """Both replicas; the second one judges with this verifier."""
        judge = VerdictJudge(
            verifier,
            rules=RULES,
            genesis_collateral=decode_genesis(self.first.genesis).collateral,
        )
        proposer = self.first.open()
        voter = self.second.open(judge=judge)
        try:
            yield proposer, voter
        finally:
            voter.close()
            proposer.close()

    def edition(self) -> tuple[Submission, CollateralVerdict]:
        """A node's new edition, and the verdict on it."""
        digest = sha256(NEW_COLLATERAL).digest()
        verdict = CollateralVerdict(
            facts=facts_of(self.rules, Edition()),
            digest=digest,
            verified_at_s=self.rules.time_ms // 1000,
        )
        envelope = self.rules.envelope(core_signer(), UpdateCollateral(digest))
        data = encode_envelope(replace(decode_envelope(envelope), payloads=(NEW_COLLATERAL,)))
        prepared = prepare(data, self.first.network_id)
        return Submission(prepared, encode_collateral_verdict(verdict), len(data)), verdict

    def reports(self) -> set[tuple[bool, bytes]]:
        """What fsck says of both data directories, which nothing opens meanwhile."""
        said = set()
        for ledger in (self.first, self.second):
            report = check_directory(ledger.home.data, ledger.genesis, Options())
            said.add((report.is_clean, report.head.root))
        return said


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two ledgers of one genesis."""
    return World(tmp_path)


def propose(opened: OpenLedger, *submissions: Submission) -> Block:
    """A block of now."""
    return opened.replica.propose(submissions, opened.replica.head.time_ms + 1000)


def settle(opened: OpenLedger, block: Block) -> list[str]:
    """Finalize, commit and publish a decided block; the refusals' reasons."""
    finalized = opened.replica.finalize(block)
    opened.replica.commit(finalized)
    return [answer.refusal for answer in opened.replica.publish(finalized)]


def verdict_in(submission: Submission) -> Verdict:
    """What a submission carries."""
    return decode_verdict(submission.verdict or b"")


async def test_the_same_verifier_votes(world: World) -> None:
    """A replica that finds the same bytes votes, by the collateral that is in force."""
    with world.open(verifier := Verifier()) as (proposer, voter):
        opening = world.first.opening(proposer)
        verifier.evidence = verdict_in(opening)
        await voter.replica.verify(propose(proposer, opening))
        assert verifier.judged_by == [genesis_collateral()]


async def test_two_verifier_versions(world: World) -> None:
    """Attack: two verifier versions. The second refuses to vote and nothing changes there.

    If it is outvoted it finalizes the same bytes, and replay on both gives the same again.
    """
    with world.open(verifier := Verifier(changes=another_version)) as (proposer, voter):
        opening = world.first.opening(proposer)
        verifier.evidence = verdict_in(opening)
        block = propose(proposer, opening)
        head = voter.replica.head
        with pytest.raises(BlockRefusedError, match="another verdict"):
            await voter.replica.verify(block)
        assert voter.replica.head == head
        assert settle(proposer, block) == settle(voter, block) == [""]
        assert proposer.replica.head == voter.replica.head
        root = voter.replica.head.root
    assert world.reports() == {(True, root)}


@pytest.mark.parametrize(
    "error",
    [EvidenceError(EvidenceFault.REVOKED), CannotDecideError(DecisionFault.VERIFIER_TIMEOUT)],
)
async def test_a_verifier_that_refuses_or_cannot_decide(
    world: World, error: EvidenceError | CannotDecideError
) -> None:
    """Whoever cannot find the verdict again does not vote."""
    with world.open(verifier := Verifier(error=error)) as (proposer, voter):
        opening = world.first.opening(proposer)
        verifier.evidence = verdict_in(opening)
        with pytest.raises(BlockRefusedError, match=error.code):
            await voter.replica.verify(propose(proposer, opening))


@pytest.mark.parametrize("seconds", [-700, 700])
async def test_a_verdict_of_another_time(world: World, seconds: int) -> None:
    """The proposer's word on when it judged has to fit the block's time."""
    with world.open(verifier := Verifier()) as (proposer, voter):
        opening = world.first.opening(proposer)
        verifier.evidence = verdict_in(opening)
        at_s = verifier.evidence.verified_at_s + seconds
        moved = replace(verifier.evidence, verified_at_s=at_s, effective_s=at_s)
        with pytest.raises(BlockRefusedError, match="time"):
            await voter.replica.verify(
                propose(proposer, replace(opening, verdict=encode_verdict(moved)))
            )


async def test_a_verdict_where_none_belongs(world: World) -> None:
    """A verdict beside a put is a proposer's fault, and so is one that does not decode."""
    with world.open(Verifier()) as (proposer, voter):
        opening = world.first.opening(proposer)
        world.first.open_session(proposer)
        put = replace(world.first.put("a", b"1"), verdict=opening.verdict)
        with pytest.raises(BlockRefusedError, match="belongs"):
            await voter.replica.verify(propose(proposer, put))
        with pytest.raises(BlockRefusedError):
            await voter.replica.verify(propose(proposer, replace(opening, verdict=b"\xff")))


async def test_a_payload_that_is_another(world: World) -> None:
    """Evidence that is not what the operation names is not judged."""
    with world.open(Verifier()) as (proposer, voter):
        opening = world.first.opening(proposer)
        envelope = replace(opening.prepared.envelope, payloads=(b"other",))
        swapped = replace(opening, prepared=replace(opening.prepared, envelope=envelope))
        with pytest.raises(BlockRefusedError, match="payload"):
            await voter.replica.verify(propose(proposer, swapped))


async def test_a_verdict_by_other_collateral_is_left_to_the_rules(world: World) -> None:
    """What the verdict was made by is gone, so it cannot be found again: the session is refused."""
    with world.open(verifier := Verifier()) as (proposer, voter):
        opening = world.first.opening(proposer)
        stale = replace(verdict_in(opening), collateral_digest=bytes(32))
        late = replace(opening, verdict=encode_verdict(stale))
        block = propose(proposer, late)
        await voter.replica.verify(block)
        assert verifier.judged_by == []
        assert settle(voter, block) == [Reason.EVIDENCE_UNDECIDED.name]


async def test_collateral_and_a_session_by_it_in_one_block(world: World) -> None:
    """The order in the block counts: what one transaction brings, a later verdict may use."""
    update, verdict = world.edition()
    with world.open(verifier := Verifier(collateral=verdict)) as (proposer, voter):
        opening = world.first.opening(proposer)
        verifier.evidence = replace(verdict_in(opening), collateral_digest=verdict.digest)
        later = replace(opening, verdict=encode_verdict(verifier.evidence))
        block = propose(proposer, update, later)
        await voter.replica.verify(block)
        assert verifier.judged_by == [NEW_COLLATERAL]
        assert settle(voter, block) == ["", ""]
        assert settle(proposer, block) == ["", ""]
        root = voter.replica.head.root
    assert world.reports() == {(True, root)}


async def test_a_verdict_on_collateral_that_differs(world: World) -> None:
    """The same holds for new collateral: another verdict, no vote."""
    update, verdict = world.edition()
    facts = replace(verdict.facts, valid_until_s=verdict.facts.valid_until_s + 1)
    with world.open(Verifier(collateral=replace(verdict, facts=facts))) as (proposer, voter):
        block = propose(proposer, update)
        with pytest.raises(BlockRefusedError, match="another verdict"):
            await voter.replica.verify(block)
