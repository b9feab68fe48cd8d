"""A node that answers an auditor's questions wrongly: told apart from an answer, and it ends."""

from collections import deque
from dataclasses import dataclass, field, replace

import pytest

from enclave_client.checkpoints import CheckpointBook
from enclave_client.errors import ReceiptInvalidError
from enclave_client.openings import Event
from enclave_client.wire_queries import QueryAnswer
from ledger.format.query import OpenEntries, Question
from node.audit.asker import Asker, Page
from tests.audit.test_people import event_of, opened_session
from tests.support.audited_log import NETWORK_ID, AuditedLog, pins

EMPTY = QueryAnswer((), (), (), (), (), (), b"", more=False, next_index=0, next_after="")


@dataclass(slots=True)
class Script:
    """Plays enclave_client.asking.Asking: answers in turn, to questions for entries only."""

    answers: deque[tuple[QueryAnswer, list[Event]]]
    asked: list[OpenEntries] = field(default_factory=list)
    shown: list[Event] = field(default_factory=list)

    async def ask(self, question: Question, what: str) -> QueryAnswer:
        if not isinstance(question, OpenEntries):
            raise TypeError(what)
        self.asked.append(question)
        answer, self.shown = self.answers.popleft()
        return answer

    def events(self, answer: QueryAnswer) -> list[Event]:
        return self.shown


def asker_of(*answers: tuple[QueryAnswer, list[Event]]) -> tuple[Asker, Script]:
    """An asker of a script."""
    script = Script(deque(answers))
    book = CheckpointBook(pins().rule())
    return Asker(script, book, NETWORK_ID), script  # type: ignore[arg-type]  # the part it uses


def says(next_index: int, *events: Event, more: bool = False) -> tuple[QueryAnswer, list[Event]]:
    """An answer."""
    return replace(EMPTY, next_index=next_index, more=more), list(events)


async def pages(asker: Asker, from_index: int = 0) -> list[Page]:
    """All pages."""
    return [page async for page in asker.pages(from_index)]


def events(count: int) -> list[Event]:
    """Denied reads, in entries from 3 on; the session's opening in entry 1 comes first."""
    log = AuditedLog()
    signer, opening = opened_session(log)
    log.log.end_block()
    return [opening, *(event_of(log.read(signer)) for _ in range(count))]


async def test_pages_go_on_to_the_end() -> None:
    """Each page starts where the one before said, also after an empty one."""
    _, first, second = events(2)
    asker, script = asker_of(
        says(4, first, more=True), says(5, second, more=True), says(7, more=True), says(9)
    )
    found = await pages(asker)
    assert [event.index for page in found for event in page.events] == [3, 4]
    assert [question.from_index for question in script.asked] == [0, 4, 5, 7]


@pytest.mark.parametrize("next_index", [0, 3])
async def test_a_node_that_goes_round_is_found(next_index: int) -> None:
    """A page that says that there is more, but not further on, is no answer."""
    asker, _ = asker_of(says(next_index, more=True))
    with pytest.raises(ReceiptInvalidError, match="does not go on"):
        await pages(asker, 3)


async def test_entries_that_were_not_asked_for_are_refused() -> None:
    """Proven entries from before the question, or behind where it goes on, are not its answer."""
    _, read = events(1)
    for from_index, next_index in ((4, 9), (0, 3)):
        asker, _ = asker_of(says(next_index, read))
        with pytest.raises(ReceiptInvalidError, match="not asked for"):
            await pages(asker, from_index)


async def test_an_opening_is_searched_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearest first, with growing steps, and only entries before the one that needs it."""
    monkeypatch.setattr("node.audit.asker._FIRST_STEP", 2)
    opening, *reads = events(8)
    session = reads[0].signer
    asker, script = asker_of(says(9, reads[5], more=True), says(1, more=True), says(2, opening))
    assert await asker.opening(session, 10) == opening
    assert [question.from_index for question in script.asked] == [8, 0, 1]
    assert {(question.session, question.limit) for question in script.asked} == {(session, 1)}
    nothing, script = asker_of(says(10), says(10))
    assert await nothing.opening(session, 10) is None
    assert [question.from_index for question in script.asked] == [8, 0]
