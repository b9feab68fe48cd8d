"""For whoever runs the node: is the process there, should clients be sent here, what is counted.

Without names or ids, but not meant for everybody either: a proxy in front passes on only what is
public. Not limited together with the public routes, so that a crowd does not look like a fault.
"""

import re

from aiohttp import web

from node.http.answers import NEVER, answer, view_answer
from node.http.reader import Reader
from node.http.readiness import Freshness, judge
from node.http.router import Route
from node.http.views import AliveView
from node.metrics import CONTENT_TYPE, NodeMetrics
from node.vitals import Vitals


class OperatorRoutes:
    """Handlers over the node's vitals and counters."""

    def __init__(
        self, vitals: Vitals, freshness: Freshness, metrics: NodeMetrics, reader: Reader
    ) -> None:
        """Keep the parts."""
        self._vitals = vitals
        self._freshness = freshness
        self._metrics = metrics
        self._reader = reader

    def routes(self) -> tuple[Route, ...]:
        """The routes, in order."""
        return (
            Route("/healthz", re.compile(r"/healthz"), self._alive, is_public=False),
            Route("/readyz", re.compile(r"/readyz"), self._ready, is_public=False),
            Route("/metrics", re.compile(r"/metrics"), self._count, is_public=False),
        )

    async def _alive(
        self,
        _request: web.BaseRequest,
        _found: re.Match[str],
    ) -> web.Response:
        return view_answer(AliveView())

    async def _ready(
        self,
        _request: web.BaseRequest,
        _found: re.Match[str],
    ) -> web.Response:
        readiness = judge(await self._reader.run(self._vitals.pulse), self._freshness)
        return view_answer(readiness, status=200 if readiness.ready else 503)

    async def _count(
        self,
        _request: web.BaseRequest,
        _found: re.Match[str],
    ) -> web.Response:
        return answer(await self._reader.run(self._metrics.render), CONTENT_TYPE, NEVER)
