"""`SecretClient`: what an enclave app uses. Put, get, delete; each with a verified receipt.

Rules: nothing is sent before the node proved itself; a call returns only what stands on the
certified ledger; every failure is one of `errors`. One client belongs to one event loop; any number
of tasks may call it at once, and calls that wait together travel together.
"""

import time
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from attestation.platforms.platform import Platform
from enclave_client.calls import DeleteCall, GetCall, Got, PutCall, Removed, Stored
from enclave_client.checkpoints import CheckpointBook
from enclave_client.connector import Connector
from enclave_client.errors import ClosedError, InvalidRequestError
from enclave_client.network_file import NetworkFile
from enclave_client.pipeline import Pipeline
from ledger.errors import FormatError
from ledger.format.names import verify_name

MAX_VERSION = 2**64 - 1


class SecretClient:
    """A session with one network, reading and writing one collection."""

    def __init__(self, network: NetworkFile, pipeline: Pipeline, collection: str) -> None:
        """Keep the parts; use `connect`."""
        self.network = network
        self.collection = collection
        self._pipeline = pipeline
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
        return cls(file, Pipeline(connector, book, _now_ms), _name(collection))

    async def open(self) -> None:
        """Connect; ``async with`` does it. Raises what `connect` says."""
        link = await self._pipeline.open()
        self._max_value_bytes = link.peer.genesis.limits.value_bytes

    async def close(self) -> None:
        """Close at once; calls that still wait fail. ``async with`` does it."""
        await self._pipeline.close()

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

    async def put(self, name: str, value: bytes, if_version: int | None = None) -> Stored:
        """Seal `value` (at most 1 MiB) and store it as the next version of `name`.

        With `if_version`, only if that is the current version (0: there is none). Raises
        DeniedError, VersionConflictError, InvalidRequestError, UnavailableError (did not run),
        OutcomeUnknownError (ran once or not at all), ReceiptInvalidError.
        """
        if not isinstance(value, bytes | bytearray | memoryview):
            raise InvalidRequestError("a value is bytes", "encode text first")
        if len(value) > self._max_value_bytes:
            if not self._max_value_bytes:
                raise ClosedError("the client is not open", "use `async with`")
            raise InvalidRequestError(
                f"a value of {len(value)} bytes", f"at most {self._max_value_bytes} bytes"
            )
        call = PutCall(self.collection, _name(name), bytes(value), _version(if_version, 0))
        return cast("Stored", await self._pipeline.submit(call))

    async def get(self, name: str, version: int | None = None) -> Got:
        """The value of a name's current version, or of `version` (from 1).

        The read stands on the ledger before the key is released. Raises NotFoundError, DeniedError
        (both recorded: `receipt`), InvalidRequestError, UnavailableError, ReceiptInvalidError.
        """
        call = GetCall(self.collection, _name(name), _version(version, 1))
        return cast("Got", await self._pipeline.submit(call))

    async def delete(self, name: str, if_version: int | None = None) -> Removed:
        """End a name: its versions can no longer be read; the next put goes on counting.

        Raises NotFoundError, DeniedError, VersionConflictError, InvalidRequestError,
        UnavailableError, OutcomeUnknownError, ReceiptInvalidError.
        """
        call = DeleteCall(self.collection, _name(name), _version(if_version, 0))
        return cast("Removed", await self._pipeline.submit(call))


def _name(name: str) -> str:
    try:
        return verify_name(name)
    except (FormatError, TypeError) as error:
        raise InvalidRequestError(
            "this is no name", "1 to 200 characters of A-Z a-z 0-9 . _ / - in segments"
        ) from error


def _version(version: int | None, lowest: int) -> int | None:
    if version is not None and not lowest <= version <= MAX_VERSION:
        raise InvalidRequestError(f"a version is a number from {lowest} on")
    return version


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
