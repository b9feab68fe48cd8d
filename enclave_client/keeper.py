"""The current session: opened when first needed, renewed before it ends, replaced when it is over.

Rules: at 90 % of a session's life the next one is opened beside the work; until it is there, and
has every key that the old one had, the old one goes on. A renewal that fails is tried again later;
only when nothing is left does its error reach the callers. Evidence that could not be decided is
made once more: the collateral may have changed while it was judged.
"""

import asyncio
from collections.abc import Callable

from enclave_client.connector import Connector, Link
from enclave_client.errors import LogForkedError, RefusedError, SealedgerClientError
from enclave_client.session import Session
from ledger.reason import Reason

RETRY_MS = 5_000


class SessionKeeper:
    """Hands out the session to sign in; tasks that ask at once wait for each other."""

    def __init__(self, connector: Connector, now_ms: Callable[[], int]) -> None:
        """Start without a session."""
        self._connector = connector
        self._now_ms = now_ms
        self._session: Session | None = None
        self._renewal: asyncio.Task[Session] | None = None
        self._not_before_ms = 0
        self._turn = asyncio.Lock()

    async def current(self, link: Link) -> Session:
        """An open session; raises what `Connector.session` raises when there is none to be had."""
        async with self._turn:
            return await self._current(link)

    async def end(self, link: Link) -> None:
        """End the session on the ledger, if there is one; raises what `Connector.end` does."""
        async with self._turn:
            session, self._session = self._session, None
            if session is not None and not session.is_expired(self._now_ms()):
                await self._connector.end(link, session)

    def over(self, session_id: bytes) -> None:
        """The ledger no longer knows this session, should it be the current one."""
        if self._session is not None and self._session.id == session_id:
            self._session.is_over = True

    async def _current(self, link: Link) -> Session:
        now_ms = self._now_ms()
        session = self._session
        if session is not None and not session.is_due(now_ms):
            return session
        is_usable = session is not None and not session.is_expired(now_ms)
        if self._renewal is None:
            if session is not None and is_usable and now_ms < self._not_before_ms:
                return session
            self._renewal = asyncio.create_task(self._open(link, session))
        if session is not None and is_usable and not self._renewal.done():
            return session
        renewal, self._renewal = self._renewal, None
        try:
            self._session = await renewal
        except LogForkedError:
            raise
        except SealedgerClientError:
            self._not_before_ms = now_ms + RETRY_MS
            if session is None or not is_usable:
                raise
            return session
        return self._session

    async def _open(self, link: Link, old: Session | None) -> Session:
        session = await self._attested(link)
        for collection in old.writer_keys if old is not None else ():
            try:
                await self._connector.acquire(link, session, collection)
            except RefusedError:
                continue  # the next put asks again and tells its caller
        return session

    async def _attested(self, link: Link) -> Session:
        try:
            return await self._connector.session(link)
        except RefusedError as error:
            if error.reason is not Reason.EVIDENCE_UNDECIDED:
                raise
        return await self._connector.session(link)

    async def close(self) -> None:
        """Drop the session and stop a renewal."""
        renewal, self._renewal, self._session = self._renewal, None, None
        if renewal is not None:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)
