"""Any path, field or bytes: an answer that says whose fault it is, never 500, never silence."""

import asyncio
import re
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.grown_node import Grown
from tests.support.raw_http import get, status_of, told

EXAMPLES = 150
STEMS = (
    "/checkpoint", "/tile/0/000", "/tile/0/001.p/20", "/tile/1/000.p/1", "/tile/entries/000",
    "/tile/entries/001.p/20", "/v1/entries/17/proof", "/v1/status", "/v1/network", "/readyz",
    "/metrics", "/openapi.json",
)  # fmt: skip
FEW = st.sampled_from(["/", ".", "..", "p", "x", "0", "00", "000", "1", "255", "256", "entries"])
MADE = st.lists(FEW | st.text("0123456789x.p/%-+ae", max_size=4), max_size=9).map("".join)


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A path that exists, with a piece of it replaced."""
    stem = draw(st.sampled_from(STEMS))
    at = draw(st.integers(1, len(stem)))
    upto = draw(st.integers(at, len(stem)))
    return stem[:at] + draw(st.text("0123456789x.p/%-_~Aa", max_size=6)) + stem[upto:]


paths = (
    edited()
    | MADE.map(lambda path: "/tile/" + path)
    | st.text(max_size=30).map(lambda text: "/" + quote(text, safe="/."))
)
# Indices of entries, whatever their length.
numbers = st.integers(0, 2**64).map(str) | st.text("0123456789", min_size=1, max_size=30)


@given(path=paths | numbers.map("/v1/entries/{}/proof".format))
@settings(max_examples=EXAMPLES)
def test_any_path(grown: Grown, path: str) -> None:
    """A real node answers any path with what is there, or 404 (or 400: no request at all).

    `/` leads to the explorer (307).
    """
    said = asyncio.run(told(grown.process.http_port, get(path.encode("latin-1", "replace"))))
    assert status_of(said) in (200, 307, 400, 404)


@given(
    st.binary(max_size=300) | st.binary(max_size=80).map(lambda tail: get(b"/checkpoint") + tail)
)
@settings(max_examples=EXAMPLES)
def test_any_bytes(grown: Grown, data: bytes) -> None:
    """Bytes that are no request end in 400 or a closed connection; the node serves the next."""
    port = grown.process.http_port
    said = asyncio.run(told(port, data + b"\r\n\r\n" + get(b"/healthz")))
    assert status_of(said) in (200, 400, 404, 405)
    assert status_of(asyncio.run(told(port, get(b"/healthz")))) == 200


field = st.sampled_from(
    [b"Accept-Encoding", b"Range", b"If-None-Match", b"Accept", b"Cookie", b"X"]
)
value = st.binary(max_size=60).map(lambda raw: re.sub(rb"[\x00-\x1f\x7f]", b" ", raw))


@given(path=st.sampled_from(STEMS), fields=st.lists(st.tuples(field, value), max_size=5))
@settings(max_examples=EXAMPLES)
def test_any_fields(grown: Grown, path: str, fields: list[tuple[bytes, bytes]]) -> None:
    """No header field changes more than the encoding of an answer that exists."""
    lines = [name + b": " + content for name, content in fields]
    said = asyncio.run(told(grown.process.http_port, get(path.encode(), *lines)))
    assert status_of(said) in (200, 400)
