"""Transactions that were sent and not answered yet, and what answers do to the waiting calls."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from enclave_client.calls import RANDOM_BYTES, Call, Landed
from enclave_client.checkpoints import CheckpointBook
from enclave_client.errors import (
    NotDeliveredError,
    OutcomeUnknownError,
    RefusedError,
    SealedgerClientError,
)
from enclave_client.replies import read_outcome, verify_recorded
from enclave_client.session import Session
from enclave_client.transactions import Transaction, Work, sign_transaction
from enclave_client.wire import Recorded
from ledger.format.operation import SALT_BYTES
from ledger.reason import Reason

# An answer may still be on its way when a transaction can no longer run.
LATE_MS = 5_000
_PART = SALT_BYTES + RANDOM_BYTES


@dataclass(slots=True, eq=False)
class Flight:
    """One sent transaction with the calls that wait for it, in the order of its operations."""

    transaction: Transaction
    session: Session
    calls: list[Call]
    sent_s: float  # by the loop's clock
    delays: int = 0  # how often the node asked to send it later


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A granted read whose value has to be fetched by its ticket."""

    call: Call
    landed: Landed
    position: int


@dataclass(slots=True)
class Leftover:
    """What an answer leaves to do."""

    again: list[Call] = field(default_factory=list)
    undelivered: list[Undelivered] = field(default_factory=list)


class Flights:
    """The unanswered transactions by hash."""

    def __init__(self) -> None:
        """Start with none."""
        self._flights: dict[bytes, Flight] = {}
        self.operations = 0  # calls in the air

    def __len__(self) -> int:
        """How many transactions wait."""
        return len(self._flights)

    def add(self, flight: Flight) -> None:
        """A transaction that is about to be sent."""
        self._flights[flight.transaction.hash] = flight
        self.operations += len(flight.calls)

    def get(self, transaction_hash: bytes) -> Flight | None:
        """The unanswered transaction of this hash."""
        return self._flights.get(transaction_hash)

    def remove(self, flight: Flight) -> None:
        """It is answered."""
        if self._flights.pop(flight.transaction.hash, None) is not None:
            self.operations -= len(flight.calls)

    def in_order(self) -> list[Flight]:
        """All of them, oldest first."""
        return list(self._flights.values())

    def oldest_s(self) -> float | None:
        """When the one that waits longest was last sent."""
        return min((flight.sent_s for flight in self._flights.values()), default=None)

    def expire(self, now_ms: int) -> None:
        """Give up those that can no longer run."""
        for flight in self.in_order():
            if now_ms > flight.transaction.valid_until_ms + LATE_MS:
                self.remove(flight)
                fail(flight.calls, unknown_outcome("no answer came in time"))

    def fail_all(self, error: SealedgerClientError) -> None:
        """Tell every caller."""
        for flight in self.in_order():
            self.remove(flight)
            fail(flight.calls, error)


def depart(session: Session, calls: list[Call], now_ms: int, now_s: float) -> Flight:
    """Seal and sign what these calls ask, in this session."""
    random = os.urandom(len(calls) * _PART)
    operations, salts, payloads = [], [], []
    at = 0
    for call in calls:
        middle, end = at + SALT_BYTES, at + _PART
        operation, payload = call.prepare(session, random[middle:end])
        operations.append(operation)
        salts.append(random[at:middle])
        payloads.append(payload)
        at = end
    work = Work(tuple(operations), tuple(salts), tuple(payloads))
    transaction = sign_transaction(session.signer, session.next_sequence(), now_ms, work)
    return Flight(transaction, session, calls, now_s)


def land(flight: Flight, recorded: Recorded, book: CheckpointBook) -> Leftover:
    """Prove the answer and tell every caller; ReceiptInvalidError if it is not proven."""
    entry = verify_recorded(recorded, flight.transaction, book)
    landed = Landed(flight.session, entry, recorded.sealed, recorded.released)
    leftover = Leftover()
    for position, call in enumerate(flight.calls):
        if call.future.done():
            continue
        try:
            result = call.finish(landed, position, read_outcome(entry.outcomes[position]))
        except NotDeliveredError:
            leftover.undelivered.append(Undelivered(call, landed, position))
        except RefusedError as error:
            if error.reason is Reason.WRONG_EPOCH:  # the network moved on: seal again
                flight.session.writer_keys.pop(call.collection, None)
                leftover.again.append(call)
            else:
                call.fail(error)
        except SealedgerClientError as error:
            call.fail(error)
        else:
            call.future.set_result(result)
    return leftover


def fail(calls: Iterable[Call], error: SealedgerClientError) -> None:
    """Tell these callers."""
    for call in calls:
        call.fail(error)


def unknown_outcome(why: str) -> OutcomeUnknownError:
    """What to say of a transaction that was sent and not answered."""
    return OutcomeUnknownError(
        f"the operation was sent and not answered: it ran once or not at all ({why})",
        "read the name to see; a put or delete with if_version is safe to repeat",
    )
