"""Signed questions: judged by the rules, answered from durable state, each entry with its proof.

An answer's entries are proven under one certified checkpoint; operations that the asker may not see
are left out, so an entry may come with none. One answer looks at a bounded number of rows and says
where to go on.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace

from contracts.errors import RefusedError
from contracts.execute import parameters_of
from contracts.queries import (
    AskContext,
    Asker,
    identify,
    list_collections,
    list_secrets,
    show_collection,
    show_head,
    show_history,
    verify_may_ask,
)
from ledger import keys
from ledger.errors import FormatError
from ledger.format.operation import decode_operation
from ledger.format.query import (
    ListCollections,
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
from ledger.format.stored import decode_stored
from ledger.store import Store
from node import question_answers as answers
from node.certifier import Certified, Certifier
from node.question_answers import OpenedEntry
from node.replica import Replica
from sealedger.v1 import node_pb2 as pb

MAX_WALKED = 2000  # entries that one answer looks at
MAX_REPLY_BYTES = 4 * 1024 * 1024


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

        The asker is judged again for each answer, so a session that ends stops watching.
        """
        try:
            query, _ = self._identify(body, signature)
            question = _watched(query)
            while True:
                asker = Asker.of(query, self._context(), self._view)
                reply = self._open_entries(asker, question)
                if reply.entries:
                    yield reply
                question = replace(question, from_index=reply.next_index)
                if not reply.more:
                    await self._certifier.beyond(reply.next_index)
        except FormatError as error:
            yield answers.refused(error.reason, str(error))
        except RefusedError as error:
            yield answers.refused(error.reason, error.hint)

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
                return answers.collections([row], more=False)
            case ListCollections(limit=limit):
                rows = list_collections(asker, question)
                return answers.collections(rows[:limit], more=len(rows) > limit)
            case OpenEntries():
                return self._open_entries(asker, question)

    def _open_entries(self, asker: Asker, asked: OpenEntries) -> pb.QueryReply:
        if asked.collection:
            verify_may_ask(asker, asked.collection)
        certified = self._certifier.latest
        found: list[OpenedEntry] = []
        size = 0
        at = asked.from_index
        stop = min(certified.size, at + MAX_WALKED)
        wanted: range | tuple[int, ...] = asked.indices or range(at, stop)
        for index in wanted:
            if len(found) >= asked.limit or size > MAX_REPLY_BYTES:
                break
            at = index + 1
            entry = self._open(asker, asked, index, certified)
            if entry is not None:
                found.append(entry)
                size += len(entry.leaf) + sum(len(one.operation) for one in entry.opened)
        more = not asked.indices and at < certified.size
        return answers.entries(found, certified.note, next_index=at, more=more)

    def _open(
        self, asker: Asker, asked: OpenEntries, index: int, certified: Certified
    ) -> OpenedEntry | None:
        data = self._view.get(keys.operations(index))
        leaf = self._view.get(keys.entry(index))
        if data is None or leaf is None or index >= certified.size:
            return None
        stored = decode_stored(data)
        opened = tuple(
            Opened(position, stored.salts[position], operation, stored.outcomes[position])
            for position, operation in enumerate(stored.operations)
            if _is_wanted(asker, asked, operation)
        )
        if not opened and not asked.indices:
            return None
        hashes = self._replica.tree.inclusion_proof(index, certified.size)
        return OpenedEntry(index, leaf, hashes, opened)


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
