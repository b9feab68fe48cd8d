"""What entries must be to one another, in the order of the log. Pure; memory grows with signers.

1. Entry 0 starts the network; nothing else does.
2. Blocks: heights count up by one from 1, every entry of a block has its height and time, time
   never goes back, and each block ends with its header.
3. Trust version, epoch and rules version start at 1 or above and never go back; this program knows
   the rules.
4. A signer's sequence number runs once, and not once it is 1,024 below the highest (so it never ran
   another body either). A session key opens one session.
5. A session signs only after the entry that opened it; a node is one that the auditor pins.

Not here: signatures of sessions (given out to be checked), outcomes, and all that needs operations.
"""

from collections import Counter
from dataclasses import dataclass, field

from contracts.execute import SEQUENCE_WINDOW
from contracts.genesis import RULES_VERSION
from ledger.format.transaction import SignerKind
from node.audit.errors import Finding, NotVerifiedError
from node.audit.leaves import End, Fact, Ran, Start, Unchecked

SignerId = tuple[int, bytes]
_SESSION = int(SignerKind.SESSION)
_NODE = int(SignerKind.NODE)
_WINDOW_MASK = (1 << SEQUENCE_WINDOW) - 1


@dataclass(slots=True)
class Versions:
    """What the newest header said."""

    trust_version: int = 1
    epoch: int = 1
    rules_version: int = 1


@dataclass(slots=True)
class Totals:
    """What was counted."""

    blocks: int = 0
    transactions: int = 0
    operations: int = 0
    by_kind: Counter[int] = field(default_factory=Counter)
    first_ms: int = 0
    longest_gap_ms: int = 0
    longest_gap_height: int = 0


@dataclass(slots=True)
class LogRules:
    """The state that the next entry is judged by; `height` and `time_ms` are of the last block.

    `open_ms` is the time of the block that has no header yet. A signer's window is its highest
    number and a bit for each number from there down. A session has its key and opening entry.
    """

    nodes: frozenset[bytes]
    height: int = 0
    time_ms: int = 0
    open_ms: int | None = None
    versions: Versions = field(default_factory=Versions)
    totals: Totals = field(default_factory=Totals)
    windows: dict[SignerId, tuple[int, int]] = field(default_factory=dict)
    sessions: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)

    def absorb(self, first: int, facts: tuple[Fact, ...]) -> tuple[Unchecked, ...]:
        """Judge entries from `first` on (1 to 5 above); gives the signatures left to check.

        Raises NotVerifiedError at the first entry that breaks a rule.
        """
        unchecked = []
        for index, fact in enumerate(facts, first):
            if (not index) != isinstance(fact, Start):
                raise _wrong(index, "entry 0, and no other, is genesis")
            if isinstance(fact, Ran):
                row = self._transaction(index, fact)
                if row is not None:
                    unchecked.append(row)
            elif isinstance(fact, End):
                self._header(index, fact)
            else:
                self.time_ms = self.totals.first_ms = fact.time_ms
        return tuple(unchecked)

    def verify_ended(self, size: int) -> None:
        """Check that the last entry ended a block; NotVerifiedError otherwise."""
        if self.open_ms is not None:
            raise _wrong(size - 1, "the checkpoint is inside a block: it has no header")

    def _place(self, index: int, height: int, time_ms: int) -> None:
        if height != self.height + 1:
            raise _wrong(index, "wrong block height", str(self.height + 1), str(height))
        if time_ms < self.time_ms:
            raise _wrong(index, "block time goes back", f"{self.time_ms} ms or later", f"{time_ms}")
        if self.open_ms is None:
            self.open_ms = time_ms
        elif time_ms != self.open_ms:
            raise _wrong(index, "not its block's time", f"{self.open_ms} ms", f"{time_ms} ms")

    def _header(self, index: int, header: End) -> None:
        self._place(index, header.height, header.time_ms)
        known = self.versions
        for field_name in ("trust_version", "epoch", "rules_version"):
            before, now = getattr(known, field_name), getattr(header, field_name)
            if now < before:
                what = f"{field_name.replace('_', ' ')} goes back"
                raise _wrong(index, what, f"{before} or higher", str(now))
            setattr(known, field_name, now)
        if header.rules_version > RULES_VERSION:
            what = "this program does not know the rules in force"
            raise _wrong(index, what, f"rules {RULES_VERSION}", f"rules {header.rules_version}")
        totals = self.totals
        totals.blocks += 1
        if header.time_ms - self.time_ms > totals.longest_gap_ms:
            totals.longest_gap_ms = header.time_ms - self.time_ms
            totals.longest_gap_height = header.height
        self.height, self.time_ms, self.open_ms = header.height, header.time_ms, None

    def _transaction(self, index: int, ran: Ran) -> Unchecked | None:
        self._place(index, ran.height, ran.time_ms)
        self._sequence(index, ran)
        totals = self.totals
        totals.transactions += 1
        totals.operations += ran.operations
        totals.by_kind[ran.kind] += 1
        if ran.opens:
            self.sessions[ran.opens] = (ran.signer, index)
        elif ran.kind == _NODE and ran.signer not in self.nodes:
            raise _wrong(index, f"signed by node {ran.signer.hex()}, which is no pinned cosigner")
        elif ran.kind == _SESSION:
            session = self.sessions.get(ran.signer)
            if session is None:
                raise _wrong(
                    index, f"signed by session {ran.signer.hex()}, which no entry before it opened"
                )
            return Unchecked(index, session[0], ran.body, ran.signature)
        return None

    def _sequence(self, index: int, ran: Ran) -> None:
        signer = (ran.kind, ran.signer)
        highest, seen = self.windows.get(signer, (ran.sequence, 0))
        if ran.sequence > highest:
            ahead = ran.sequence - highest
            seen = (seen << ahead) & _WINDOW_MASK if ahead < SEQUENCE_WINDOW else 0
            highest = ran.sequence
        bit = 1 << (highest - ran.sequence) if highest - ran.sequence < SEQUENCE_WINDOW else 0
        if not bit or seen & bit:
            why = "ran before" if bit else "is too far below the highest"
            raise _wrong(
                index, f"sequence {ran.sequence} of signer {ran.signer.hex()} {why} (now {highest})"
            )
        self.windows[signer] = (highest, seen | bit)


def _wrong(index: int, what: str, expected: str = "", got: str = "") -> NotVerifiedError:
    return NotVerifiedError(Finding(f"entry {index}", what, expected, got))
