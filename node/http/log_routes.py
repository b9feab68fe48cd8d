"""The public log over HTTP (C2SP tlog-tiles): checkpoint, tiles, entry bundles, and proofs.

1. ``/checkpoint``: the certified signed note.
2. ``/tile/<L>/<N>[.p/<W>]`` and ``/tile/entries/<N>[.p/<W>]``: immutable; 404 for what is absent,
   not certified or spelled otherwise. Bundles are compressed for whoever asks for gzip.
3. ``/v1/entries/<index>/proof``: a tlog-proof file under the certified checkpoint.
"""

import gzip
import re

from aiohttp import web

from ledger.log.errors import TileError
from ledger.log.tiles import EntryBundle, decode_path
from node.http.answers import BRIEFLY, IMMUTABLE, OCTETS_TYPE, TEXT_TYPE, answer
from node.http.encoding import is_gzip_wanted
from node.http.errors import AbsentError
from node.http.published import PublishedLog
from node.http.reader import Reader
from node.http.router import Route

# Leaves are mostly digests and signatures: the fastest level gains nearly all that there is.
_GZIP_LEVEL = 1


class LogRoutes:
    """Handlers over a PublishedLog."""

    def __init__(self, log: PublishedLog, reader: Reader) -> None:
        """Keep the parts."""
        self._log = log
        self._reader = reader

    def routes(self) -> tuple[Route, ...]:
        """The routes, in order."""
        return (
            Route("/checkpoint", re.compile(r"/checkpoint"), self._checkpoint),
            Route("/tile/entries", re.compile(r"/(tile/entries/.*)"), self._tile),
            Route("/tile", re.compile(r"/(tile/.*)"), self._tile),
            Route(
                "/v1/entries/{index}/proof",
                re.compile(r"/v1/entries/(0|[1-9][0-9]{0,18})/proof"),
                self._proof,
            ),
        )

    async def _checkpoint(
        self,
        _request: web.BaseRequest,
        _found: re.Match[str],
    ) -> web.Response:
        return answer(self._log.checkpoint(), TEXT_TYPE, BRIEFLY)

    async def _tile(self, request: web.BaseRequest, found: re.Match[str]) -> web.Response:
        try:
            resource = decode_path(found[1])
        except TileError as error:
            raise AbsentError(f"no tile: {error}", "see c2sp.org/tlog-tiles for paths") from error
        if isinstance(resource, EntryBundle):
            return await self._bundle(request, resource)
        return answer(await self._reader.run(self._log.tile, resource), OCTETS_TYPE, IMMUTABLE)

    async def _bundle(self, request: web.BaseRequest, bundle: EntryBundle) -> web.Response:
        wanted = is_gzip_wanted(",".join(request.headers.getall("Accept-Encoding", ())))
        read = self._compressed if wanted else self._log.bundle
        response = answer(await self._reader.run(read, bundle), OCTETS_TYPE, IMMUTABLE)
        response.headers["Vary"] = "Accept-Encoding"
        if wanted:
            response.headers["Content-Encoding"] = "gzip"
        return response

    async def _proof(
        self,
        _request: web.BaseRequest,
        found: re.Match[str],
    ) -> web.Response:
        return answer(await self._reader.run(self._log.proof, int(found[1])), TEXT_TYPE, BRIEFLY)

    def _compressed(self, bundle: EntryBundle) -> bytes:
        return gzip.compress(self._log.bundle(bundle), _GZIP_LEVEL, mtime=0)
