"""The explorer: a page for people at ``/explorer/``, its files read once when the node starts.

Rules: only the files of the table below; a strict policy for browsers (scripts and styles of this
address only, none inline, no frames, no markup from data); no cookies. Files are compared by their
hash at each visit, so that a new version of the node is seen at once.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from aiohttp import web

from node.http.answers import answer
from node.http.errors import AbsentError
from node.http.router import Route

FOLDER: Final = Path(__file__).parent / "explorer"
PAGE: Final = "index.html"

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
_REVALIDATE = "no-cache"
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
)


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is sent."""

    body: bytes
    content_type: str
    tag: str


class ExplorerRoutes:
    """Handlers for the page's files."""

    def __init__(self) -> None:
        """Read the files."""
        self._files = {
            path.name: _read(path)
            for path in sorted(FOLDER.iterdir())
            if path.suffix in _TYPES and path.is_file()
        }

    def routes(self) -> tuple[Route, ...]:
        """The routes, in order."""
        return (
            Route("/", re.compile(r"/(?:explorer)?"), self._redirect),
            Route("/explorer/{file}", re.compile(r"/explorer/([a-z0-9_.]*)"), self._file),
        )

    async def _redirect(self, _request: web.BaseRequest, _found: re.Match[str]) -> web.Response:
        return web.Response(status=307, headers={"Location": "/explorer/", **_HEADERS})

    async def _file(self, request: web.BaseRequest, found: re.Match[str]) -> web.Response:
        file = self._files.get(found[1] or PAGE)
        if file is None:
            raise AbsentError("the explorer has no such file", "see /explorer/")
        if request.headers.get("If-None-Match") == file.tag:
            response = web.Response(status=304, headers={"Cache-Control": _REVALIDATE})
        else:
            response = answer(file.body, file.content_type, _REVALIDATE)
        response.headers["ETag"] = file.tag
        response.headers.update(_HEADERS)
        return response


def _read(path: Path) -> _File:
    body = path.read_bytes()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return _File(body, _TYPES[path.suffix], tag)
