"""Answers: bodies with their types and caching.

What never changes may be kept for ever, the checkpoint and what stands on it for a second, the rest
not at all. Absence is never kept: what is not certified yet will be.
"""

import json
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from node.http.errors import HttpError
from node.http.views import ErrorView

JSON_TYPE: Final = "application/json"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
OCTETS_TYPE: Final = "application/octet-stream"

IMMUTABLE: Final = "public, max-age=31536000, immutable"
BRIEFLY: Final = "public, max-age=1"
NEVER: Final = "no-store"


def answer(body: bytes, content_type: str, caching: str, status: int = 200) -> web.Response:
    """A body with its type and caching."""
    headers = {"Content-Type": content_type, "Cache-Control": caching}
    return web.Response(status=status, body=body, headers=headers)


def view_answer(view: BaseModel, caching: str = NEVER, status: int = 200) -> web.Response:
    """A JSON body of a view."""
    return answer(view.model_dump_json().encode(), JSON_TYPE, caching, status)


def table_answer(table: Mapping[str, object], caching: str) -> web.Response:
    """A JSON body of a table."""
    return answer(json.dumps(table).encode(), JSON_TYPE, caching)


def fault_answer(fault: HttpError) -> web.Response:
    """What is said instead of an answer."""
    view = ErrorView(error=str(fault), hint=fault.hint)
    response = view_answer(view, NEVER, fault.status)
    response.headers.update(fault.headers)
    return response
