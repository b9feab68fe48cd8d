"""The node's pulse: ages by the clock, from verified times."""

from dataclasses import dataclass, field

import pytest

from contracts.collateral import CollateralRecord, encode_collateral_record
from ledger import keys
from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import LogError
from node.certifier import Certified
from node.vitals import VitalParts, Vitals
from tests.support.log_signers import TIME_S, cosigner, log_signer, rule_of, signed_note
from tests.support.memory_store import MemoryStore

ORIGIN = "dev.vitals/1"
LOG = log_signer(ORIGIN)
NODE = cosigner("dev.vitals/node-1")
RULE = rule_of(LOG, [(NODE, "operator")], 1)


@dataclass
class Parts:
    """Everything that is looked at."""

    is_started: bool = False
    has_failed: bool = False
    queued_operations: int = 0
    signers: list[object] = field(default_factory=lambda: [LOG, NODE])
    now_s: int = TIME_S

    @property
    def latest(self) -> Certified:
        """A checkpoint that was cosigned at TIME_S."""
        checkpoint = Checkpoint(ORIGIN, 5, bytes(32))
        signers = [one for one in (LOG, NODE) if one in self.signers]
        return Certified(5, bytes(32), signed_note(checkpoint, signers))

    def clock_s(self) -> int:
        """The test's clock."""
        return self.now_s


OWN = "sgx/00536f667401/processor"
OTHER = "snp/Milan"


def record(issued_s: int, valid_s: int) -> bytes:
    """A record of collateral with these dates."""
    facts = CollateralRecord(
        digest=bytes(32),
        index=0,
        generation=1,
        valid_from_s=issued_s,
        valid_until_s=issued_s + valid_s,
        order=((1, issued_s),),
        lowest_number=1,
        highest_number=1,
        substance=bytes(32),
    )
    return encode_collateral_record(facts)


@pytest.fixture
def collateral() -> MemoryStore:
    """State with this node's collateral, good for 1,000 s from TIME_S on."""
    store = MemoryStore()
    store.write({keys.collateral(OWN): record(TIME_S, 1000)}, sync=True)
    return store


def vitals_of(parts: Parts, collateral: MemoryStore) -> Vitals:
    """Vitals that look at these parts."""
    return Vitals(
        VitalParts(
            engine=parts,
            key_service=parts,
            certifier=parts,
            rule=RULE,
            collateral=collateral,
            own_key=OWN,
            clock_s=parts.clock_s,
        )
    )


def test_ages(collateral: MemoryStore) -> None:
    """Ages grow with the clock, and evidence that is renewed is young again."""
    parts = Parts()
    vitals = vitals_of(parts, collateral)
    start = vitals.pulse()
    assert (start.checkpoint_age_s, start.evidence_age_s) == (0, 0)
    parts.now_s += 400
    later = vitals.pulse()
    assert (later.checkpoint_age_s, later.evidence_age_s) == (400, 400)
    assert later.collateral_age_s - start.collateral_age_s == 400
    assert start.collateral_left_s - later.collateral_left_s == 400
    vitals.evidence_renewed()
    assert vitals.pulse().evidence_age_s == 0
    parts.now_s -= 1000
    assert vitals.pulse().checkpoint_age_s == 0


def test_states(collateral: MemoryStore) -> None:
    """What the parts say is passed on."""
    parts = Parts()
    vitals = vitals_of(parts, collateral)
    assert (vitals.pulse().is_started, vitals.pulse().has_failed) == (False, False)
    parts.is_started, parts.has_failed, parts.queued_operations = True, True, 17
    pulse = vitals.pulse()
    assert (pulse.is_started, pulse.has_failed, pulse.queued_operations) == (True, True, 17)
    assert pulse.entries == 5


def test_an_uncertified_checkpoint_has_no_age(collateral: MemoryStore) -> None:
    """The age of a checkpoint without its signatures is not believed."""
    parts = Parts(signers=[LOG])
    with pytest.raises(LogError):
        vitals_of(parts, collateral).pulse()


def test_collateral_is_looked_at_anew(collateral: MemoryStore) -> None:
    """An update shows at once; what ends first is named, whatever platform it is for."""
    parts = Parts(now_s=TIME_S + 600)
    vitals = vitals_of(parts, collateral)
    pulse = vitals.pulse()
    assert (pulse.collateral_key, pulse.collateral_age_s, pulse.collateral_left_s) == (
        OWN,
        600,
        400,
    )
    assert (pulse.ending_key, pulse.ending_left_s) == (OWN, 400)
    collateral.write({keys.collateral(OTHER): record(TIME_S - 900, 1000)}, sync=True)
    collateral.write({keys.collateral(OWN): record(TIME_S + 500, 1000)}, sync=True)
    pulse = vitals.pulse()
    assert (pulse.collateral_age_s, pulse.collateral_left_s) == (100, 900)
    assert (pulse.ending_key, pulse.ending_left_s) == (OTHER, -500)


def test_a_node_without_collateral_has_none_left() -> None:
    """Where nothing is in force for this node's platform, it has ended long ago."""
    pulse = vitals_of(Parts(), MemoryStore()).pulse()
    assert pulse.collateral_left_s < 0
    assert pulse.ending_key == ""
