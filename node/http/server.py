"""The listening HTTP server: aiohttp's parser and connections under our limits.

1. Request lines, header fields and their number are bounded; bodies are read, and bounded, by
   the routes that take one.
2. A connection that sends no whole request in time is closed; connections are bounded in number.
3. What the parser refuses is answered in our form: JSON, closed, without versions.

aiohttp's low-level server is used: its Application decodes paths before it compares them, and
answers malformed requests by itself. Not here: what is answered (site.py).
"""

import asyncio
import logging
from typing import Final

import structlog
from aiohttp import web

from node.errors import ConfigError
from node.http.answers import fault_answer
from node.http.errors import HttpError
from node.http.gate import SERVER_NAME, Gate

MAX_LINE_BYTES: Final = 2048
MAX_FIELD_BYTES: Final = 4096
MAX_FIELDS: Final = 64
MAX_CONNECTIONS: Final = 256
IDLE_S: Final = 15.0
CLOSE_S: Final = 5.0

_log = structlog.get_logger()


class HttpServer:
    """Opened and closed by name."""

    def __init__(self, gate: Gate, listen: str, grace_s: float = CLOSE_S) -> None:
        """Keep the parts; `listen` is host:port, `grace_s` what a close waits for requests."""
        self._gate = gate
        self._listen = listen
        self._grace_s = grace_s
        self._runner: web.ServerRunner | None = None
        self.port = 0

    async def open(self) -> None:
        """Listen; ConfigError if the address cannot be had."""
        host, _, port = self._listen.rpartition(":")
        runner = web.ServerRunner(_BoundedServer(self._gate), shutdown_timeout=self._grace_s)
        await runner.setup()
        site = web.TCPSite(runner, host.strip("[]"), int(port))
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            await runner.cleanup()
            raise ConfigError(
                f"cannot listen on {self._listen}",
                "another program has this address, or it is not this machine's: stop that program, "
                "or change http.listen in node.toml",
            ) from error
        self._runner = runner
        self.port = int(runner.addresses[0][1])

    async def close(self) -> None:
        """Take nothing more, let running requests finish within the grace."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()


class _BoundedServer(web.Server):
    """aiohttp's server with our connections (1 and 2 above)."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(gate)
        # aiohttp wants a Logger; its access log is below this level, and ours is in gate.py.
        self._logger = logging.Logger("http", logging.WARNING)  # noqa: LOG001  # nobody else's
        self._logger.addHandler(_Bridge())

    def __call__(self) -> web.RequestHandler:
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            logger=self._logger,
            access_log=self._logger,
            keepalive_timeout=IDLE_S,
            lingering_time=0,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_FIELD_BYTES,
            max_headers=MAX_FIELDS,
        )

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()


class _Connection(web.RequestHandler):
    """A connection whose malformed requests are answered in our form (3 above)."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # aiohttp's signature; it may repeat the bytes
    ) -> web.StreamResponse:
        """An answer to what could not be parsed or answered; ConnectionError if one has begun."""
        if isinstance(exc, ConnectionError):  # the client left
            raise exc
        if status >= 500:
            _log.error("http connection failed", error=repr(exc))
        if request.writer.output_size > 0:
            raise ConnectionAbortedError("an answer was begun")
        response = fault_answer(
            HttpError(
                status,
                "the request cannot be understood" if status < 500 else "the node failed to answer",
                f"send HTTP/1.1 with a line of at most {MAX_LINE_BYTES} bytes and at most "
                f"{MAX_FIELDS} fields of {MAX_FIELD_BYTES} bytes",
            )
        )
        response.headers["Server"] = SERVER_NAME
        response.force_close()
        return response


class _Bridge(logging.Handler):
    """What aiohttp says, in the node's own log, without tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass it on."""
        fault = record.exc_info[1] if record.exc_info else None
        _log.error("http server", said=record.getMessage(), error=repr(fault))
