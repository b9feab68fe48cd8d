"""The node's pulse: ages by the clock, from verified times."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from attestation.platforms.software import create_platform, read_trust
from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import LogError
from node.certifier import Certified
from node.vitals import VitalParts, Vitals
from tests.support.log_signers import TIME_S, cosigner, log_signer, rule_of, signed_note

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


@pytest.fixture(scope="module")
def collateral(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Collateral of a software platform, issued at TIME_S."""
    directory = tmp_path_factory.mktemp("platform") / "platform"
    create_platform(directory, TIME_S)
    return read_trust(Path(directory)).collateral


def vitals_of(parts: Parts, collateral: bytes) -> Vitals:
    """Vitals that look at these parts."""
    return Vitals(
        VitalParts(
            engine=parts,
            key_service=parts,
            certifier=parts,
            rule=RULE,
            collateral=(collateral,),
            clock_s=parts.clock_s,
        )
    )


def test_ages(collateral: bytes) -> None:
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


def test_states(collateral: bytes) -> None:
    """What the parts say is passed on."""
    parts = Parts()
    vitals = vitals_of(parts, collateral)
    assert (vitals.pulse().is_started, vitals.pulse().has_failed) == (False, False)
    parts.is_started, parts.has_failed, parts.queued_operations = True, True, 17
    pulse = vitals.pulse()
    assert (pulse.is_started, pulse.has_failed, pulse.queued_operations) == (True, True, 17)
    assert pulse.entries == 5


def test_an_uncertified_checkpoint_has_no_age(collateral: bytes) -> None:
    """The age of a checkpoint without its signatures is not believed."""
    parts = Parts(signers=[LOG])
    with pytest.raises(LogError):
        vitals_of(parts, collateral).pulse()
