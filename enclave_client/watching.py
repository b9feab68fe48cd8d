"""Watching a collection: what stands from an entry on, then what is added, each event proven.

Rules: a broken stream is opened again at the entry behind the last one that was given out, so
nothing comes twice and nothing is lost between. Half a minute without a node ends the watch with
UnavailableError; whoever watches begins again behind the last event.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from enclave_client.asking import Asking
from enclave_client.backoff import PATIENCE_S, Backoff
from enclave_client.errors import ReceiptInvalidError, UnavailableError
from enclave_client.openings import Event
from enclave_client.wire_queries import QueryAnswer
from ledger.format.query import MAX_INDICES, OpenEntries


async def watch(asking: Asking, collection: str, from_index: int) -> AsyncGenerator[Event, None]:
    """Every operation on a collection from entry `from_index` on, in order, for ever.

    Raises what `Asking.ask` does.
    """
    at = from_index
    backoff = Backoff()
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + PATIENCE_S
    while True:
        question = OpenEntries(at, MAX_INDICES, collection)
        try:
            async with aclosing(asking.follow(question, collection)) as answers:
                async for answer in answers:
                    events = asking.events(answer)
                    at = _verify_goes_on(answer, events, collection, at)
                    for event in events:
                        yield event
                    backoff.reset()
                    ends_s = loop.time() + PATIENCE_S
            ends_s = loop.time() + PATIENCE_S  # silence: the stream was open
        except UnavailableError:
            delay_s = backoff.next_s()
            if loop.time() + delay_s > ends_s:
                raise
            await asyncio.sleep(delay_s)


def _verify_goes_on(answer: QueryAnswer, events: list[Event], collection: str, at: int) -> int:
    """Where to go on behind this answer; ReceiptInvalidError if it goes back or elsewhere."""
    if any(getattr(one.operation, "collection", None) != collection for one in events):
        raise ReceiptInvalidError(f"{collection}: an operation on another collection")
    last = answer.entries[-1].index if answer.entries else at - 1
    if (answer.entries and answer.entries[0].index < at) or answer.next_index <= last:
        raise ReceiptInvalidError(f"{collection}: the watch does not go on from entry {at}")
    return last + 1
