"""Whether a client wants gzip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.http.encoding import is_gzip_wanted


@pytest.mark.parametrize(
    "header",
    [
        "gzip",
        "GZIP",
        "x-gzip",
        "deflate, gzip",
        "gzip;q=0.5",
        "gzip ; q=1.0, identity;q=0.5",
        "*",
        "*;q=0.1",
        "br;q=1, gzip;q=0.2, *;q=0",
        "gzip;q=1,gzip;q=1",
    ],
)
def test_wanted(header: str) -> None:
    """A client that takes gzip at least as gladly as the plain bytes gets it."""
    assert is_gzip_wanted(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "identity",
        "br, deflate",
        "gzip;q=0",
        "gzip;q=0.000",
        "*;q=1, gzip;q=0",
        "gzip;q=0.5, identity;q=0.9",
        "gzip;q=nan",
        "gzip;q=inf",
        "gzip;q=2",
        "gzip;q=-1",
        "gzip;q=",
        "gzip;v=1",
        "gzipped",
        ";;,,;q=1",
    ],
)
def test_not_wanted(header: str) -> None:
    """No header, a weight of nothing, or one that is no weight: the plain bytes."""
    assert not is_gzip_wanted(header)


@given(st.text(max_size=200) | st.text(alphabet="gzip;,q=.10* identy", max_size=80))
def test_any_header(header: str) -> None:
    """Any text is a yes or a no."""
    assert is_gzip_wanted(header) in (True, False)
