"""Fetching by ticket what did not come with a read's answer: it was too much, or too early.

Rules: the receipt is the ticket, so asking again is harmless. What the node gives is judged exactly
as if it had come with the answer.
"""

import asyncio
from collections.abc import Callable

from enclave_client.backoff import attempt_delay_s
from enclave_client.calls import Landed
from enclave_client.connector import TRY_LATER, Connector, Link
from enclave_client.errors import NotDeliveredError, SealedgerClientError, UnavailableError
from enclave_client.flights import Undelivered
from enclave_client.receipts import Receipt
from enclave_client.replies import read_outcome
from enclave_client.wire import ReleasedSecret
from ledger.reason import Reason

TRIES = 8
_LATER = TRY_LATER | {Reason.NOT_CERTIFIED}


async def redeem(undelivered: Undelivered, connector: Connector, link: Callable[[], Link]) -> None:
    """Finish a granted read by its ticket, over the link that is current at each attempt."""
    call, landed, position = undelivered.call, undelivered.landed, undelivered.position
    try:
        released = await _fetch(connector, link, Receipt(landed.entry, position))
        count = len(landed.entry.outcomes)
        whole = Landed(
            landed.session,
            landed.entry,
            (released.sealed,) * count,
            (released.released,) * count,
        )
        result = call.finish(whole, position, read_outcome(landed.entry.outcomes[position]))
    except NotDeliveredError:
        call.fail(UnavailableError("the node did not give the value of a granted read"))
    except SealedgerClientError as error:
        call.fail(error)
    else:
        if not call.future.done():
            call.future.set_result(result)


async def _fetch(
    connector: Connector, link: Callable[[], Link], receipt: Receipt
) -> ReleasedSecret:
    for attempt in range(TRIES):
        try:
            released = await connector.redeem(link(), receipt)
        except UnavailableError:
            if attempt == TRIES - 1:
                raise
        else:
            if released.released.reason not in _LATER or attempt == TRIES - 1:
                return released
        await asyncio.sleep(attempt_delay_s(attempt))
    raise UnavailableError("the node did not give the value of a granted read")
