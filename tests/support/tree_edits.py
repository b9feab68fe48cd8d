"""Structure-aware edits of trees of dicts and lists: documents in JSON, tables of TOML."""

import json

from hypothesis import strategies as st

_TEXTS = st.sampled_from(
    ("UpToDate", "Revoked", "OutOfDate", "", "SGX", "TDX", "QE", "TD_QE", "00", "ff" * 16, "\ud800")
) | st.sampled_from(
    (
        "2027-01-15T08:00:00Z",
        "2027-02-30T08:00:00Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2027-01-15T08:00:60Z",
        "2027-01-15T08:00:00+00:00",
        "2027-01-15 08:00:00Z",
    )
)
_NUMBERS = st.sampled_from(
    (-1, 0, 1, 2, 255, 256, 2**31, 2**32 - 1, 2**32, 2**64, 10**30, 1.0, 0.5)
)
_SCALARS = st.none() | st.booleans() | _NUMBERS | _TEXTS | st.text(max_size=8)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)

MANY = 30  # repetitions of a part of a list; lists stand in lists


@st.composite
def tree_edits(draw: st.DrawFn, value: object, at_most: int = 3) -> object:
    """A tree after one to `at_most` edits; the one that was given stays as it is."""
    for _ in range(draw(st.integers(1, at_most))):
        value = _edited(draw, value)
    return value


@st.composite
def json_edits(draw: st.DrawFn, text: str) -> str:
    """A JSON text after up to three edits of its tree, or of the text itself."""
    document = draw(tree_edits(json.loads(text)))
    text = json.dumps(document, separators=(",", ":"))
    how = draw(st.sampled_from(("no",) * 8 + ("cut", "repeat", "deep", "space", "insert")))
    at = draw(st.integers(0, len(text))) if how in ("cut", "repeat", "insert") else 0
    if how == "cut":
        return text[:at]
    if how == "repeat":
        return text[:at] + text[at : at + 40] + text[at:]
    if how == "insert":
        return text[:at] + draw(st.sampled_from(("NaN", "1e999", "\0", '"', "{}", "9" * 5000)))
    if how == "deep":
        return text[:-1] + ',"deep":' + "[" * 3000 + "]" * 3000 + "}"
    return " " + text + "\n" if how == "space" else text


def _edited(draw: st.DrawFn, value: object) -> object:
    """`value` with one of its parts replaced, removed or repeated."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 5)):
            return {**value, key: _edited(draw, value[key])}
        return {name: one for name, one in value.items() if name != key}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        at = draw(st.integers(0, len(value) - 1))
        how = draw(st.sampled_from(("edit", "edit", "drop", "repeat", "many")))
        if how == "edit":
            return [*value[:at], _edited(draw, value[at]), *value[at + 1 :]]
        if how == "drop":
            return value[:at] + value[at + 1 :]
        return value + [value[at]] * (1 if how == "repeat" else MANY)
    return draw(_VALUES)
