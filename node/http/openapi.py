"""The OpenAPI 3.1 description of what can be asked, served at /openapi.json.

Bodies are those of views.py and ask_views.py; a test compares the paths with the routes, and the
described statuses, types and headers with real answers. A tile of a log of more than 256,000
entries has more groups in its path than OpenAPI can say (c2sp.org/tlog-tiles); those are described
in words. The explorer is a page for people and not described.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from node.http.ask_views import AnswerView, AskView
from node.http.views import AliveView, ErrorView, NetworkView, ReadinessView, StatusView
from sealedger.version import VERSION

Table = dict[str, Any]

_VIEWS: Final = (
    AliveView,
    AnswerView,
    AskView,
    ErrorView,
    NetworkView,
    ReadinessView,
    StatusView,
)
_REF = "#/components/schemas/{model}"

_LEVEL: Table = {
    "name": "level",
    "in": "path",
    "required": True,
    "description": "Level of the tile; level 0 are the leaf hashes",
    "schema": {"type": "string", "pattern": "^([0-9]|[1-5][0-9]|6[0-3])$"},
    "example": "0",
}
_TILE: Table = {
    "name": "tile",
    "in": "path",
    "required": True,
    "description": "Index in three digits; a larger one is spelled x001/x234/067",
    "schema": {"type": "string", "pattern": "^[0-9]{3}$"},
    "example": "000",
}
_WIDTH: Table = {
    "name": "width",
    "in": "path",
    "required": True,
    "description": "Hashes or entries, when fewer than 256",
    "schema": {"type": "string", "pattern": "^([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])$"},
    "example": "2",
}
_ENTRY: Table = {
    "name": "index",
    "in": "path",
    "required": True,
    "description": "Index of the entry, from 0, without leading zeros",
    "schema": {"type": "string", "pattern": "^(0|[1-9][0-9]{0,18})$"},
    "example": "1",
}


def describe() -> Table:
    """The document."""
    _, schemas = models_json_schema([(view, "serialization") for view in _VIEWS], ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sealedger node",
            "version": VERSION,
            "description": "The public log (C2SP tlog-tiles), public facts, metrics and health.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            **{path: {"get": get, "head": _head(get)} for path, get in _paths().items()},
            "/v1/watch": {"get": _watch()},
            "/v1/ask": {"post": _ask()},
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _paths() -> Table:
    tile = _octets("32 bytes for each hash")
    bundle = _octets("Each entry behind its length in 2 big-endian bytes; gzip on request")
    return {
        "/checkpoint": _get("Certified checkpoint", {"200": _text("A signed note")}),
        "/tile/{level}/{tile}": _get("Full tile", tile, _LEVEL, _TILE),
        "/tile/{level}/{tile}.p/{width}": _get("Partial tile", tile, _LEVEL, _TILE, _WIDTH),
        "/tile/entries/{tile}": _get("Full entry bundle", bundle, _TILE),
        "/tile/entries/{tile}.p/{width}": _get("Partial entry bundle", bundle, _TILE, _WIDTH),
        "/v1/entries/{index}/proof": _get(
            "Inclusion proof of an entry", {"200": _text("A c2sp.org/tlog-proof@v1 file")}, _ENTRY
        ),
        "/v1/status": _get("Where the log stands", {"200": _json("Status", StatusView)}),
        "/v1/network": _get("The network", {"200": _json("Public facts", NetworkView)}),
        "/openapi.json": _get("This document", {"200": _any_json("OpenAPI 3.1")}),
        "/healthz": _get("Does the process serve?", {"200": _json("It does", AliveView)}),
        "/readyz": _get(
            "Should clients be sent here?",
            {"200": _json("Yes", ReadinessView), "503": _json("No, and why", ReadinessView)},
        ),
        "/metrics": _get("Counters", {"200": _text("Prometheus text format")}),
    }


def _watch() -> Table:
    """Server-sent events; they are not read with HEAD."""
    events = _response("Events whose data is a Status", "text/event-stream", {})
    return _get("The certified log as it grows", {"200": events})


def _ask() -> Table:
    """A signed question."""
    operation = _get("A signed question", {"200": _json("An answer with proofs", AnswerView)})
    fault = operation["responses"]["500"]
    operation["responses"] |= dict.fromkeys(("400", "403", "404", "415"), fault)
    content = {"application/json": {"schema": {"$ref": _REF.format(model=AskView.__name__)}}}
    return {**operation, "requestBody": {"required": True, "content": content}}


def _get(summary: str, answers: Mapping[str, Table], *parameters: Table) -> Table:
    """A GET: its own answers, and those that any path may give."""
    fault = _json("What is wrong, and what would be right", ErrorView)
    faults = ["405", "413", "500"]
    if parameters:
        faults.append("404")
    if "503" not in answers:
        faults.append("503")
    responses = {**dict.fromkeys(faults, fault), **answers}
    operation: Table = {"summary": summary, "responses": responses}
    if parameters:
        operation["parameters"] = list(parameters)
    return operation


def _head(get: Table) -> Table:
    """The same without bodies."""
    bare = {
        status: {name: value for name, value in answer.items() if name != "content"}
        for status, answer in get["responses"].items()
    }
    return {**get, "summary": f"{get['summary']}: headers only", "responses": bare}


def _response(about: str, content_type: str, schema: Table) -> Table:
    header: Table = {"required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{16}$"}}
    return {
        "description": about,
        "headers": {"X-Request-Id": header},
        "content": {content_type: {"schema": schema}},
    }


def _json(about: str, view: type[BaseModel]) -> Table:
    return _response(about, "application/json", {"$ref": _REF.format(model=view.__name__)})


def _any_json(about: str) -> Table:
    return _response(about, "application/json", {"type": "object"})


def _text(about: str) -> Table:
    return _response(about, "text/plain", {"type": "string"})


def _octets(about: str) -> Table:
    return {"200": _response(about, "application/octet-stream", {})}
