"""`OwnerClient`: what a person without an enclave uses, signing as an account (EIP-712).

Rules: the node proves itself exactly as it does to an enclave, before anything is sent. The owner
makes collections and says who may read and write; puts values sealed to the collection's public
key, which the attested service key vouches for; and can never be given a value back: only an
admitted enclave can. Every change returns with its verified receipt. One client belongs to one
event loop. `releases` is what a publisher and an auditor do (`owner_releases`), `sessions` what
owners and members do about sessions (`owner_sessions`), `platforms` what members do about machines
(`owner_platforms`). Not here: signing and sending (`account`, `owner_line`).
"""

import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from attestation.errors import AttestationError
from attestation.policy import decode_policy
from enclave_client import queries, watching
from enclave_client.account import Account, AccountSigner
from enclave_client.arguments import (
    verified_index,
    verified_name,
    verified_prefix,
    verified_ttl,
    verified_value,
    verified_version,
)
from enclave_client.asking import Asking
from enclave_client.calls import Removed, Stored
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import Dialer
from enclave_client.errors import InvalidRequestError, ReceiptInvalidError, RefusedError
from enclave_client.network_file import NetworkFile
from enclave_client.openings import Event
from enclave_client.outcomes import granted_detail
from enclave_client.owner_line import OwnerLine
from enclave_client.owner_platforms import Platforms
from enclave_client.owner_put import Fresh, OwnedValue, sealed_put
from enclave_client.owner_releases import Releases
from enclave_client.owner_sessions import Sessions
from enclave_client.queries import Head
from enclave_client.receipts import Receipt
from enclave_client.replies import read_outcome
from enclave_client.rows import CollectionRow, SecretRow
from ledger.crypto.derive import KEY_BYTES
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format.operation import (
    RECORD_ID_BYTES,
    Delete,
    Operation,
    decode_operation,
    encode_operation,
)
from ledger.format.outcome import Deleted, Destroyed, Detail, Outcome, PutDone
from ledger.format.terms import (
    CollectionTerms,
    CreateCollection,
    Destroy,
    FreezeCollection,
    SetPolicy,
)
from ledger.reason import Reason

# What a reason means to an owner, where an enclave would be told something else.
_HINTS = {
    Reason.DENIED: "only the collection's owner may do this: is it this account?",
    Reason.UNKNOWN_COLLECTION: "check the name, or create the collection first",
    Reason.COLLECTION_EXISTS: "choose another name: collections of all owners share their names",
    Reason.QUOTA_EXCEEDED: "this account holds as much as the network allows: destroy old values",
    Reason.NOT_FOUND: "nothing is stored under this name and version, or it was deleted",
    Reason.MALFORMED: "a policy of these terms is not one that the ledger takes",
}
_MAX_EPOCHS = 3  # how often a value is sealed again because the network moved on
_Detail = TypeVar("_Detail", PutDone, Deleted, Destroyed)


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of a collection stands on the ledger."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Erased:
    """The values of versions `first` to `last` are gone for ever."""

    first: int
    last: int
    receipt: Receipt


class OwnerClient:
    """An account's hand on one network."""

    def __init__(self, network: NetworkFile, line: OwnerLine, asking: Asking) -> None:
        """Keep the parts; use `connect`."""
        self.network = network
        self.releases = Releases(line, asking)
        self.sessions = Sessions(line)
        self.platforms = Platforms(line, asking)
        self._line = line
        self._asking = asking

    @classmethod
    def connect(
        cls,
        *,
        network: Path | NetworkFile,
        signer: AccountSigner,
        allow_development: bool = False,
        proxied: bool = False,
    ) -> "OwnerClient":
        """A client for ``async with``: connects and judges the node when entered.

        `network` pins the network, `signer` holds the account's key. Development networks are
        refused unless allowed. `proxied` as for `SecretClient`. Raises NetworkFileError; entering
        raises AttestationFailedError, UnavailableError.
        """
        file = network if isinstance(network, NetworkFile) else NetworkFile.load(network)
        file.verify_allowed(allow_development=allow_development)
        book = CheckpointBook(file.rule())
        dialer = Dialer(file, book, proxied=proxied, now_ms=_now_ms)
        line = OwnerLine(dialer, Account(file.network_id, signer), book, _now_ms)
        return cls(file, line, Asking(line, book, file.network_id, _now_ms))

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._line.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        await self._line.close()

    # ------------------------------------------------------------------ collections

    async def create_collection(self, collection: str, terms: CollectionTerms) -> Changed:
        """Make a collection that this account owns.

        This and every other change raises RefusedError (COLLECTION_EXISTS, QUOTA_EXCEEDED, ...),
        InvalidRequestError, UnavailableError (did not run), OutcomeUnknownError (ran once or not
        at all), ReceiptInvalidError.
        """
        operation = CreateCollection(verified_name(collection), verified_terms(terms))
        _, receipt = await self._run(operation, collection)
        return Changed(receipt)

    async def set_policy(self, collection: str, terms: CollectionTerms) -> Changed:
        """Replace a collection's terms as a whole; takes effect with the next operation."""
        operation = SetPolicy(verified_name(collection), verified_terms(terms))
        _, receipt = await self._run(operation, collection)
        return Changed(receipt)

    async def freeze(self, collection: str, *, frozen: bool = True) -> Changed:
        """Stop all reads and writes of a collection at once, or let them go on."""
        _, receipt = await self._run(
            FreezeCollection(verified_name(collection), frozen), collection
        )
        return Changed(receipt)

    # ------------------------------------------------------------------ secrets

    async def put(
        self,
        collection: str,
        name: str,
        value: bytes,
        if_version: int | None = None,
        ttl_ms: int = 0,
    ) -> Stored:
        """Seal `value` to the collection and store it as the next version of `name`.

        Arguments as for `SecretClient.put`.
        """
        most = await self._line.value_bytes()
        wanted = OwnedValue(
            verified_name(collection),
            verified_name(name),
            verified_value(value, most),
            verified_version(if_version, 0),
            verified_ttl(ttl_ms),
        )
        what = f"{collection}: {name}"
        tries = _MAX_EPOCHS
        while True:
            key = await self._line.sealing_key(collection)
            operation, sealed = sealed_put(self._line.account, key, wanted, _fresh())
            outcome, receipt = await self._outcome(operation, what, sealed)
            tries -= 1
            if outcome.reason is not Reason.WRONG_EPOCH or not tries:
                done = _of(PutDone, _granted(outcome, what, receipt))
                return Stored(done.version, receipt)

    async def delete(self, collection: str, name: str, if_version: int | None = None) -> Removed:
        """End a name, as `SecretClient.delete` does."""
        operation = Delete(
            verified_name(collection), verified_name(name), verified_version(if_version, 0)
        )
        detail, receipt = await self._run(operation, f"{collection}: {name}")
        return Removed(_of(Deleted, detail).version, receipt)

    async def destroy(self, collection: str, name: str, version: int | None = None) -> Erased:
        """Erase one version's value on every honest node, for ever; without `version`, all.

        One call erases at most the 256 oldest that are left: go on while that many were. Works in
        a frozen collection too. NotFoundError (DESTROYED) if nothing is left.
        """
        operation = Destroy(
            verified_name(collection), verified_name(name), verified_version(version, 1)
        )
        detail, receipt = await self._run(operation, f"{collection}: {name}")
        erased = _of(Destroyed, detail)
        return Erased(erased.first, erased.last, receipt)

    # ------------------------------------------------------------------ questions

    def list(self, collection: str, prefix: str = "") -> AsyncIterator[SecretRow]:
        """The collection's names that start with `prefix`, as `SecretClient.list` gives them."""
        return queries.list_secrets(
            self._asking, verified_name(collection), verified_prefix(prefix)
        )

    async def head(self, collection: str, name: str) -> Head:
        """The current version of a name without its value, as `SecretClient.head` gives it."""
        return await queries.head(self._asking, verified_name(collection), verified_name(name))

    def history(self, collection: str, name: str, from_index: int = 0) -> AsyncIterator[Event]:
        """Every operation on a name from entry `from_index` on, also denied ones, each proven."""
        found = verified_index(from_index)
        return queries.history(self._asking, verified_name(collection), verified_name(name), found)

    def watch(self, collection: str, from_index: int = 0) -> AsyncGenerator[Event, None]:
        """Every operation on a collection, for ever, as `SecretClient.watch` gives them."""
        return watching.watch(self._asking, verified_name(collection), verified_index(from_index))

    async def collection(self, collection: str) -> CollectionRow:
        """A collection's owner and terms as the node says; DeniedError if it is not ours to see."""
        return await queries.show_collection(self._asking, verified_name(collection))

    def collections(self) -> AsyncIterator[CollectionRow]:
        """The collections that this account owns or audits, in order."""
        return queries.list_collections(self._asking)

    async def _run(self, operation: Operation, what: str) -> tuple[Detail | None, Receipt]:
        outcome, receipt = await self._outcome(operation, what)
        return _granted(outcome, what, receipt), receipt

    async def _outcome(
        self, operation: Operation, what: str, payload: bytes = b""
    ) -> tuple[Outcome, Receipt]:
        try:
            entry = await self._line.submit(encode_operation(operation), payload, what)
        except RefusedError as error:
            error.hint = _HINTS.get(error.reason, error.hint)
            raise
        return read_outcome(entry.outcomes[0]), Receipt(entry, 0)


def verified_terms(terms: CollectionTerms) -> CollectionTerms:
    """Terms that the ledger takes; InvalidRequestError says what is wrong with others."""
    try:
        decode_policy(terms.readers)
        decode_policy(terms.writers)
        decode_operation(encode_operation(SetPolicy("any", terms)))
    except (AttestationError, FormatError, ValueError, TypeError) as error:
        raise InvalidRequestError(f"these are no terms of a collection: {error}") from error
    return terms


def _granted(outcome: Outcome, what: str, receipt: Receipt) -> Detail | None:
    return granted_detail(outcome, what, receipt, _HINTS.get(outcome.reason, ""))


def _of(kind: type[_Detail], detail: Detail | None) -> _Detail:
    if not isinstance(detail, kind):
        raise ReceiptInvalidError("the outcome is not of the operation that was asked for")
    return detail


def _fresh() -> Fresh:
    return Fresh(os.urandom(RECORD_ID_BYTES), Secret(os.urandom(KEY_BYTES)))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
