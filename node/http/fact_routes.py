"""Public facts: the network, where its certified log stands, and this interface's description.

Genesis itself is not shown: it names collections and their policies, and those are private.
"""

import re
from collections.abc import Mapping

from aiohttp import web

from node.http.answers import BRIEFLY, table_answer, view_answer
from node.http.published import PublishedLog, Standing
from node.http.reader import Reader
from node.http.router import Route
from node.http.views import NetworkView, StatusView
from sealedger.version import VERSION


class FactRoutes:
    """Handlers for what everybody may know."""

    def __init__(
        self,
        log: PublishedLog,
        reader: Reader,
        network: NetworkView,
        description: Mapping[str, object],
    ) -> None:
        """Keep the parts; `description` is the OpenAPI document."""
        self._log = log
        self._reader = reader
        self._network = network
        self._description = description

    def routes(self) -> tuple[Route, ...]:
        """The routes, in order."""
        return (
            Route("/v1/status", re.compile(r"/v1/status"), self._status),
            Route("/v1/network", re.compile(r"/v1/network"), self._show_network),
            Route("/openapi.json", re.compile(r"/openapi\.json"), self._describe),
        )

    async def _status(
        self,
        _request: web.BaseRequest,
        _found: re.Match[str],
    ) -> web.Response:
        standing = await self._reader.run(self._log.standing)
        return view_answer(status_view(standing), BRIEFLY)

    async def _show_network(
        self,
        _request: web.BaseRequest,
        _found: re.Match[str],
    ) -> web.Response:
        return view_answer(self._network, BRIEFLY)

    async def _describe(
        self,
        _request: web.BaseRequest,
        _found: re.Match[str],
    ) -> web.Response:
        return table_answer(self._description, BRIEFLY)


def status_view(standing: Standing) -> StatusView:
    """The body that says where the certified log stands."""
    header = standing.header
    return StatusView(
        entries=standing.size,
        root=standing.root.hex(),
        height=header.height,
        time_ms=header.time_ms,
        epoch=header.epoch,
        trust_version=header.trust_version,
        rules_version=header.rules_version,
        version=VERSION,
    )
