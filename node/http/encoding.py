"""Accept-Encoding, as far as gzip goes (RFC 9110 section 12.5.3)."""

_GZIP = ("gzip", "x-gzip")


def is_gzip_wanted(accept_encoding: str) -> bool:
    """Whether a client prefers gzip over the plain bytes; no header, or an odd one: it does not."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameter = part.partition(";")
        weights[coding.strip()] = _weight(parameter)
    named = [weights[coding] for coding in _GZIP if coding in weights]
    gzip = max(named) if named else weights.get("*", 0.0)
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _weight(parameter: str) -> float:
    """The value of `q=`: 1 if it is not there, 0 if it is no number from 0 to 1."""
    name, equals, value = parameter.strip().partition("=")
    if not name and not equals:
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if name.strip() == "q" and 0 <= weight <= 1 else 0.0
