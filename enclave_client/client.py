"""`SecretClient`: what an enclave app uses: put, get, delete, list, history, watch.

Rules: nothing is sent before the node proved itself; a call returns only what stands on the
certified ledger; every failure is one of `errors`. One client belongs to one event loop; any number
of tasks may call it at once, and calls that wait together travel together.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from attestation.platforms.platform import Platform
from enclave_client import queries, watching
from enclave_client.arguments import (
    verified_index,
    verified_name,
    verified_prefix,
    verified_ttl,
    verified_value,
    verified_version,
)
from enclave_client.asking import Asking
from enclave_client.calls import DeleteCall, GetCall, Got, PutCall, Removed, Stored
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import Connector
from enclave_client.errors import ClosedError
from enclave_client.network_file import NetworkFile
from enclave_client.openings import Event
from enclave_client.pipeline import Pipeline
from enclave_client.queries import Head
from enclave_client.rows import SecretRow


class SecretClient:
    """A session with one network, reading and writing one collection."""

    def __init__(
        self, network: NetworkFile, pipeline: Pipeline, asking: Asking, collection: str
    ) -> None:
        """Keep the parts; use `connect`."""
        self.network = network
        self.collection = collection
        self._pipeline = pipeline
        self._asking = asking
        self._max_value_bytes = 0

    @classmethod
    def connect(
        cls,
        *,
        network: Path | NetworkFile,
        platform: Platform,
        collection: str,
        allow_development: bool = False,
        proxied: bool = False,
    ) -> "SecretClient":
        """A client for ``async with``: connects and attests both ways when entered.

        `network` pins the network; `platform` gives this enclave's evidence. Development networks
        are refused unless allowed. `proxied` gives up comparing the TLS key, for use behind a
        proxy that ends TLS; what the proxy sees is sealed and signed, but not its sizes and names.
        Raises NetworkFileError, InvalidRequestError; entering raises AttestationFailedError,
        DeniedError, RefusedError, UnavailableError.
        """
        file = network if isinstance(network, NetworkFile) else NetworkFile.load(network)
        file.verify_allowed(allow_development=allow_development)
        book = CheckpointBook(file.rule())
        connector = Connector(file, platform, book, proxied=proxied, now_ms=_now_ms)
        pipeline = Pipeline(connector, book, _now_ms)
        asking = Asking(pipeline, book, file.network_id, _now_ms)
        return cls(file, pipeline, asking, verified_name(collection))

    async def open(self) -> None:
        """Connect; ``async with`` does it. Raises what `connect` says."""
        link = await self._pipeline.open()
        self._max_value_bytes = link.peer.genesis.limits.value_bytes

    async def close(self) -> None:
        """Close at once; calls that still wait fail. ``async with`` does it."""
        await self._pipeline.close()

    async def end_session(self) -> None:
        """End the session on the ledger, once no call waits any more.

        A network bounds how many sessions an identity may have open, for an hour each: a program
        that runs often and briefly says when it is done. The next call opens another session.
        Raises RefusedError, UnavailableError.
        """
        await self._pipeline.end_session()

    async def __aenter__(self) -> Self:
        """Open."""
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()

    async def put(
        self, name: str, value: bytes, if_version: int | None = None, ttl_ms: int = 0
    ) -> Stored:
        """Seal `value` (at most 1 MiB) and store it as the next version of `name`.

        With `if_version`, only if that is the current version (0: there is none). `ttl_ms` is how
        long it can be read, from block time; 0 takes the collection's default. Raises
        DeniedError, VersionConflictError, InvalidRequestError, UnavailableError (did not run),
        OutcomeUnknownError (ran once or not at all), ReceiptInvalidError.
        """
        if not self._max_value_bytes:
            raise ClosedError("the client is not open", "use `async with`")
        sealable = verified_value(value, self._max_value_bytes)
        version = verified_version(if_version, 0)
        call = PutCall(
            self.collection, verified_name(name), sealable, version, verified_ttl(ttl_ms)
        )
        return cast("Stored", await self._pipeline.submit(call))

    async def get(self, name: str, version: int | None = None) -> Got:
        """The value of a name's current version, or of `version` (from 1).

        The read stands on the ledger before the key is released. Raises NotFoundError, DeniedError
        (both recorded: `receipt`), InvalidRequestError, UnavailableError, ReceiptInvalidError.
        """
        call = GetCall(self.collection, verified_name(name), verified_version(version, 1))
        return cast("Got", await self._pipeline.submit(call))

    async def delete(self, name: str, if_version: int | None = None) -> Removed:
        """End a name: its versions can no longer be read; the next put goes on counting.

        Raises NotFoundError, DeniedError, VersionConflictError, InvalidRequestError,
        UnavailableError, OutcomeUnknownError, ReceiptInvalidError.
        """
        call = DeleteCall(self.collection, verified_name(name), verified_version(if_version, 0))
        return cast("Removed", await self._pipeline.submit(call))

    def list(self, prefix: str = "") -> AsyncIterator[SecretRow]:
        """The names that start with `prefix`, in order, with their current versions.

        Rows are the node's word (`rows`); names that were deleted are among them and say so.
        Raises DeniedError, UnavailableError and what `connect` says.
        """
        return queries.list_secrets(self._asking, self.collection, verified_prefix(prefix))

    async def head(self, name: str) -> Head:
        """The current version of a name without its value, and the proven entry that stored it.

        Nothing is recorded. Raises NotFoundError if there never was one, and what `list` does.
        """
        return await queries.head(self._asking, self.collection, verified_name(name))

    def history(self, name: str, from_index: int = 0) -> AsyncIterator[Event]:
        """Every operation on a name from entry `from_index` on, also denied ones, each proven."""
        found = verified_index(from_index)
        return queries.history(self._asking, self.collection, verified_name(name), found)

    def watch(self, from_index: int = 0) -> AsyncGenerator[Event, None]:
        """Every operation on the collection from entry `from_index` on, for ever, each proven.

        Outlives restarts of the node and ends of sessions; UnavailableError after half a minute
        without a node.
        """
        return watching.watch(self._asking, self.collection, verified_index(from_index))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
