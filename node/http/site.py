"""Puts the HTTP side together: everything that can be asked, behind the gate."""

from dataclasses import dataclass

from enclave_client.network_file import NetworkFile
from ledger.store import Store
from node.http.entitled import AskRoutes, Questions
from node.http.explorer_routes import ExplorerRoutes
from node.http.fact_routes import FactRoutes
from node.http.gate import Gate, GateLimits
from node.http.log_routes import LogRoutes
from node.http.openapi import describe
from node.http.operator_routes import OperatorRoutes
from node.http.published import PublishedLog
from node.http.reader import Reader
from node.http.readiness import Freshness
from node.http.router import Router
from node.http.server import CLOSE_S, HttpServer
from node.http.views import NetworkView
from node.http.watch_routes import GrowingLog, WatchLimits, WatchRoutes
from node.metrics import NodeMetrics
from node.vitals import Vitals


@dataclass(frozen=True, slots=True)
class SiteParts:
    """What the HTTP side stands on."""

    store: Store
    certifier: GrowingLog
    network: NetworkFile
    genesis_time_ms: int
    vitals: Vitals
    freshness: Freshness
    metrics: NodeMetrics
    questions: Questions


class Site:
    """The node's HTTP side; use as an async context manager."""

    def __init__(self, parts: SiteParts, listen: str, grace_s: float = CLOSE_S) -> None:
        """Wire the routes; nothing listens yet. The vitals become gauges of the metrics.

        At the close running requests have `grace_s` seconds.
        """
        parts.metrics.watch(parts.vitals)
        self._reader = Reader()
        log = PublishedLog(parts.store, parts.certifier)
        self._watching = WatchRoutes(parts.certifier, log, self._reader, WatchLimits())
        network = network_view(parts.network, parts.genesis_time_ms)
        routes = (
            *LogRoutes(log, self._reader).routes(),
            *FactRoutes(log, self._reader, network, describe()).routes(),
            *self._watching.routes(),
            *AskRoutes(parts.questions).routes(),
            *ExplorerRoutes().routes(),
            *OperatorRoutes(parts.vitals, parts.freshness, parts.metrics, self._reader).routes(),
        )
        gate = Gate(Router(routes), parts.metrics, GateLimits())
        self._server = HttpServer(gate, listen, grace_s)

    @property
    def port(self) -> int:
        """Where it listens; 0 before it does."""
        return self._server.port

    async def __aenter__(self) -> "Site":
        """Listen; ConfigError if the address cannot be had."""
        await self._server.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening, finish what runs; afterwards the store is not read any more."""
        await self.close()
        self._reader.close()

    async def close(self) -> None:
        """Stop listening and finish what runs."""
        self._watching.close()
        await self._server.close()


def network_view(file: NetworkFile, genesis_time_ms: int) -> NetworkView:
    """What is public about the network."""
    return NetworkView(
        network_id=file.network_id.hex(),
        name=file.name,
        profile=file.profile,
        origin=file.origin,
        vkey=file.log.vkey,
        genesis_time_ms=genesis_time_ms,
        network_file=file.encode().decode(),
    )
