"""New editions of collateral, as a node brings them to the small rules, and what members vote."""

from dataclasses import dataclass
from hashlib import sha256

from attestation.collateral import CollateralFacts
from attestation.collateral_verdict import CollateralVerdict, encode_collateral_verdict
from contracts.execute import Executed
from ledger.format.hygiene import RevokeSession, UpdateCollateral
from ledger.format.outcome import Outcome
from tests.support.small_rules import COLLATERAL_KEY, Signer, SmallRules


@dataclass(frozen=True, slots=True)
class Edition:
    """What a new edition says otherwise than the one in force: by default its dates alone."""

    later_s: int = 1  # how much later all parts were issued
    number_up: int = 0  # by how much the evaluation number of TCB info and QE identity rose
    list_up: int = 0  # the same for the numbers of both revocation lists
    says: str = ""  # what it says that none before said: a level, a revoked certificate
    valid_until_s: int | None = None  # by default as it was


def facts_of(rules: SmallRules, edition: Edition) -> CollateralFacts:
    """What the edition says of itself, for the platforms of the test's enclaves."""
    held = rules.collateral
    ups = (edition.number_up, edition.number_up, edition.list_up, edition.list_up)
    order = tuple(
        (number + up, issued_s + edition.later_s)
        for (number, issued_s), up in zip(held.order, ups, strict=True)
    )
    until_s = edition.valid_until_s
    return CollateralFacts(
        key=COLLATERAL_KEY,
        order=order,
        lowest_number=held.lowest_number + edition.number_up,
        highest_number=held.highest_number + edition.number_up,
        valid_from_s=held.valid_from_s,
        valid_until_s=held.valid_until_s if until_s is None else until_s,
        substance=sha256(edition.says.encode()).digest() if edition.says else held.substance,
    )


def bring(rules: SmallRules, core: Signer, edition: Edition) -> Executed:
    """A node's transaction with a new edition, which must stand."""
    facts = facts_of(rules, edition)
    digest = sha256(repr(facts).encode()).digest()
    verdict = CollateralVerdict(facts=facts, digest=digest, verified_at_s=rules.time_ms // 1000)
    envelope = rules.envelope(core, UpdateCollateral(digest))
    return rules.executed(envelope, encode_collateral_verdict(verdict))


def vote(rules: SmallRules, member: Signer, session: Signer) -> Outcome:
    """A member's vote to revoke a session, which must stand."""
    (outcome,) = rules.outcomes(member, RevokeSession(session.name, ""))
    return outcome
