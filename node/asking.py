"""Signed questions: judged by the rules, answered from durable state, each entry with its proof.

An answer's entries are proven under one certified checkpoint; operations that the asker may not see
are left out, and entries without any, unless they are asked for by index. Who has no part in
anything may ask by index, and is shown what was said of releases. One answer looks at a bounded
number of operations and says where to go on. There is a bounded number of watches, and they end
when the node stops.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from attestation.handshake import session_id
from contracts.asker import AskContext, Asker, identify, verify_may_ask
from contracts.errors import RefusedError, StateError
from contracts.execute import parameters_of
from contracts.queries import (
    list_collections,
    list_platforms,
    list_releases,
    list_secrets,
    show_collection,
    show_head,
    show_history,
)
from ledger import keys
from ledger.errors import FormatError
from ledger.format.leaf import TransactionLeaf, decode_leaf
from ledger.format.operation import decode_operation
from ledger.format.query import (
    ListCollections,
    ListPlatforms,
    ListReleases,
    ListSecrets,
    OpenEntries,
    Query,
    Question,
    ShowCollection,
    ShowHead,
    ShowHistory,
    decode_query,
)
from ledger.format.receipt import Opened
from ledger.format.stored import Stored, decode_stored
from ledger.format.transaction import SignerKind, decode_body
from ledger.reason import Reason
from ledger.store import Store
from node import question_answers as answers
from node.certifier import Certified, Certifier
from node.question_answers import OpenedEntry
from node.replica import Replica
from sealedger.v1 import node_pb2 as pb

MAX_WALKED = 2000  # entries that one answer looks at
MAX_LOOKED_AT = 4096  # operations, likewise
MAX_REPLY_BYTES = 2 * 1024 * 1024  # an entry alone may have more: 5 MiB, under a message's 8
MAX_WATCHES = 256


@dataclass(frozen=True, slots=True)
class DurableView:
    """contracts.view.ScanView over what is on disk."""

    store: Store

    def get(self, key: bytes) -> bytes | None:
        """See StateView."""
        return self.store.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """See ScanView."""
        return self.store.scan(start, stop)


class Asking:
    """Answers signed questions. One event loop."""

    def __init__(
        self,
        network_id: bytes,
        store: Store,
        replica: Replica[pb.SubmitReply],
        certifier: Certifier,
        clock_ms: Callable[[], int],
    ) -> None:
        """Keep the parts."""
        self._network_id = network_id
        self._view = DurableView(store)
        self._replica = replica
        self._certifier = certifier
        self._clock_ms = clock_ms
        self._stopped = asyncio.Event()
        self._watches = 0

    def ask(self, body: bytes, signature: bytes) -> pb.QueryReply:
        """One answer; a refusal is an answer too."""
        try:
            query, asker = self._identify(body, signature)
            return self._answer(asker, query.question)
        except FormatError as error:
            return answers.refused(error.reason, str(error))
        except RefusedError as error:
            return answers.refused(error.reason, error.hint)

    async def watch(self, body: bytes, signature: bytes) -> AsyncIterator[pb.QueryReply]:
        """What stands from an index on, then what is added, for as long as the asker may ask.

        The asker is judged again for each answer, so a session that ends stops watching. An answer
        without entries says only where to go on.
        """
        if self._watches >= MAX_WATCHES:
            yield answers.refused(Reason.OVERLOADED, "there are too many watches: ask again later")
            return
        self._watches += 1
        try:
            async for reply in self._watch(body, signature):
                yield reply
        except FormatError as error:
            yield answers.refused(error.reason, str(error))
        except RefusedError as error:
            yield answers.refused(error.reason, error.hint)
        finally:
            self._watches -= 1

    def stop(self) -> None:
        """End every watch; later ones end at once."""
        self._stopped.set()

    async def _watch(self, body: bytes, signature: bytes) -> AsyncIterator[pb.QueryReply]:
        query, _ = self._identify(body, signature)
        question = _watched(query)
        while not self._stopped.is_set():
            asker = Asker.of(query, self._context(), self._view)
            reply = self._open_entries(asker, question)
            if reply.entries:
                yield reply
            question = replace(question, from_index=reply.next_index)
            if reply.more:
                await asyncio.sleep(0)  # a long walk lets others in
            else:
                await self._growth(reply.next_index)
        raise RefusedError(Reason.SHUTTING_DOWN, "the node is stopping: watch again later")

    async def _growth(self, size: int) -> None:
        waiting = (
            asyncio.ensure_future(self._certifier.beyond(size)),
            asyncio.ensure_future(self._stopped.wait()),
        )
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()

    def _context(self) -> AskContext:
        return AskContext(self._network_id, parameters_of(self._view), self._clock_ms())

    def _identify(self, body: bytes, signature: bytes) -> tuple[Query, Asker]:
        query = decode_query(body)
        return query, identify(query, body, signature, self._view, self._context())

    def _answer(self, asker: Asker, question: Question) -> pb.QueryReply:
        match question:
            case ListSecrets():
                page = list_secrets(asker, question)
                return answers.secrets(((row.name, row.head) for row in page.rows), more=page.more)
            case ShowHead(collection, name):
                return answers.secrets([(name, show_head(asker, collection, name))], more=False)
            case ShowHistory(limit=limit):
                places = show_history(asker, question)
                return answers.history(places[:limit], more=len(places) > limit)
            case ShowCollection(collection):
                row = (collection, show_collection(asker, collection))
                return answers.collections([row])
            case ListCollections():
                found = list_collections(asker, question)
                return answers.collections(found.rows, next_after=found.next_after)
            case ListReleases():
                listed = list_releases(self._view, question)
                return answers.releases(listed.rows, next_after=listed.next_after)
            case ListPlatforms():
                platforms = list_platforms(asker, question)
                return answers.platforms(platforms)
            case OpenEntries():
                return self._open_entries(asker, question)

    def _open_entries(self, asker: Asker, asked: OpenEntries) -> pb.QueryReply:
        if asked.collection:
            verify_may_ask(asker, asked.collection)
        elif not asked.indices and not asker.may_see_votes():
            raise RefusedError(Reason.DENIED, "there is nothing that this signer may ask about")
        certified = self._certifier.latest
        found: list[OpenedEntry] = []
        size = looked_at = 0
        wanted = _wanted(asked, certified.size)
        for walked, index in enumerate(wanted):
            is_full = len(found) >= asked.limit or (walked and asker.has_judged_enough)
            if is_full or walked >= MAX_WALKED or looked_at >= MAX_LOOKED_AT:
                return answers.entries(found, certified.note, next_index=index, more=True)
            stored = self._stored(asked, index)
            if stored is None:
                continue
            looked_at += len(stored.operations)
            entry = self._open(asker, asked, index, stored, certified)
            if entry is None:
                continue
            if found and size + entry.size > MAX_REPLY_BYTES:
                return answers.entries(found, certified.note, next_index=index, more=True)
            found.append(entry)
            size += entry.size
        next_index = max(certified.size, asked.from_index)
        return answers.entries(found, certified.note, next_index=next_index, more=False)

    def _stored(self, asked: OpenEntries, index: int) -> Stored | None:
        """What stands beside the entry, if it is one of the session that is asked for."""
        data = self._view.get(keys.operations(index))
        if data is None or (asked.session and not self._is_of(asked.session, index)):
            return None
        return decode_stored(data)

    def _is_of(self, session: bytes, index: int) -> bool:
        leaf = decode_leaf(self._leaf(index))
        if not isinstance(leaf, TransactionLeaf):
            raise StateError("operations stand beside a leaf that is no transaction")
        body = decode_body(leaf.body)
        if body.signer_kind is SignerKind.NEW_SESSION:
            return session_id(leaf.body) == session
        return body.signer_kind is SignerKind.SESSION and body.signer == session

    def _leaf(self, index: int) -> bytes:
        leaf = self._view.get(keys.entry(index))
        if leaf is None:
            raise StateError("operations stand beside no leaf")
        return leaf

    def _open(
        self,
        asker: Asker,
        asked: OpenEntries,
        index: int,
        stored: Stored,
        certified: Certified,
    ) -> OpenedEntry | None:
        opened = tuple(
            Opened(position, stored.salts[position], operation, stored.outcomes[position])
            for position, operation in enumerate(stored.operations)
            if _is_wanted(asker, asked, operation)
        )
        if not opened and not (asked.indices and asker.may_ask_any()):
            return None
        hashes = self._replica.tree.inclusion_proof(index, certified.size)
        return OpenedEntry(index, self._leaf(index), hashes, opened)


def _wanted(asked: OpenEntries, size: int) -> Sequence[int]:
    if asked.indices:
        return tuple(index for index in asked.indices if index < size)
    return range(asked.from_index, size)


def _watched(query: Query) -> OpenEntries:
    question = query.question
    if not isinstance(question, OpenEntries) or question.indices:
        raise FormatError("watch: only entries from an index on can be watched")
    return question


def _is_wanted(asker: Asker, asked: OpenEntries, data: bytes) -> bool:
    try:
        operation = decode_operation(data)
    except FormatError:
        return False
    if asked.collection and getattr(operation, "collection", None) != asked.collection:
        return False
    return asker.may_see(operation)
