"""Which handler a path belongs to. Paths are compared as they came: one spelling each.

A percent-encoded, doubled or dotted spelling of a path is another path, and there is none: caches,
verifiers and this node then agree on what a path names.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.http.errors import HttpError

Handler = Callable[[web.BaseRequest, re.Match[str]], Awaitable[web.StreamResponse]]

READING: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Route:
    """A path, or a family of paths, and who answers.

    `label` names it in metrics and logs. `is_public` routes are for everybody: browsers of other
    origins may read them, and together they are limited. The others are the operator's. Live ones
    answer for as long as the client listens, and limit themselves.
    """

    label: str
    pattern: re.Pattern[str]  # of the whole path; its groups are the parts
    handler: Handler
    is_public: bool = True
    methods: tuple[str, ...] = READING
    max_body: int = 0  # bytes that the handler may read
    is_live: bool = False


class Router:
    """The first route that a path matches; a path without one is answered with 404."""

    def __init__(self, routes: Sequence[Route]) -> None:
        """Keep the routes, in order."""
        self.routes = (*routes, Route("other", re.compile(r"(?s).*"), _no_such_path))

    def find(self, path: str) -> tuple[Route, re.Match[str]]:
        """The path's route and parts."""
        matches = ((route, route.pattern.fullmatch(path)) for route in self.routes)
        return next((route, match) for route, match in matches if match is not None)


async def _no_such_path(_request: web.BaseRequest, _found: re.Match[str]) -> web.Response:
    raise HttpError(404, "no such path", "see /openapi.json for what there is")
