"""``POST /v1/ask``: a signed question over HTTP, judged and answered exactly like gRPC Ask.

1. The body is ``{"query": ..., "signature": ...}``, both base64: the bytes of a Query
   (docs/spec/formats.md) and its signer's signature. At most 8 KiB, no other field.
2. The answer is JSON with the fields of QueryReply; bytes are base64, ids and owners hex. Proofs
   are in it: nobody needs to believe it for where it came from.
3. A refusal is an error whose text is the reason's name. No cookies, no other sign of who asks.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from aiohttp import web
from pydantic import ValidationError

from ledger.reason import Reason
from node.http.answers import JSON_TYPE, view_answer
from node.http.ask_views import AskView, answer_view
from node.http.errors import HttpError
from node.http.router import Route
from sealedger.v1 import node_pb2 as pb

MAX_ASK_BYTES: Final = 8192

_HINT = 'send {"query": base64, "signature": base64}'
_STATUS: Mapping[Reason, int] = MappingProxyType(
    {Reason.MALFORMED: 400, Reason.TOO_LARGE: 413, Reason.NOT_FOUND: 404}
)
_REFUSED = 403


class Questions(Protocol):
    """Who answers signed questions; see node.service."""

    def ask(self, query: bytes, signature: bytes) -> pb.QueryReply:
        """One answer; a refusal is an answer too. One event loop."""
        ...


class AskRoutes:
    """The handler of signed questions."""

    def __init__(self, questions: Questions) -> None:
        """Keep who answers."""
        self._questions = questions

    def routes(self) -> tuple[Route, ...]:
        """The one route."""
        path = re.compile(r"/v1/ask")
        return (Route("/v1/ask", path, self._ask, methods=("POST",), max_body=MAX_ASK_BYTES),)

    async def _ask(self, request: web.BaseRequest, _found: re.Match[str]) -> web.Response:
        if request.content_type != JSON_TYPE:
            raise HttpError(415, "the body is no JSON", f"Content-Type: {JSON_TYPE}; {_HINT}")
        asked = _decode(await _read(request))
        reply = self._questions.ask(_bytes(asked.query), _bytes(asked.signature))
        if reply.HasField("refusal"):
            reason = Reason(reply.refusal.reason)
            raise HttpError(_STATUS.get(reason, _REFUSED), reason.name, reply.refusal.hint)
        return view_answer(answer_view(reply))


async def _read(request: web.BaseRequest) -> bytes:
    body = bytearray()
    async for part in request.content.iter_any():
        body += part
        if len(body) > MAX_ASK_BYTES:
            raise HttpError(413, f"the body has over {MAX_ASK_BYTES} bytes", _HINT)
    return bytes(body)


def _decode(body: bytes) -> AskView:
    try:
        return AskView.model_validate_json(body)
    except ValidationError as error:
        raise HttpError(400, "the body is not understood", _HINT) from error


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise HttpError(400, "not base64", _HINT) from error
