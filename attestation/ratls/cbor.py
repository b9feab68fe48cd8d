"""The little CBOR that RA-TLS needs, strictly. The parser is `cbor2`; only this module knows it.

Rules (RFC 8949, section 4.2.1 but for the order of map keys, which real certificates do not keep):
1. definite lengths only, two levels of containers, no tag but the one that the caller names; no
   other tag is ever interpreted;
2. map keys are texts or byte strings and stand once;
3. what is decoded, encoded again with its keys in their order, gives the same bytes: so numbers and
   lengths have their shortest form and nothing follows.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import cbor2

from attestation.errors import DecodeError

_MAX_DEPTH = 2

_TagDecoder = Callable[[Any, bool], Any]


def encode(value: object) -> bytes:
    """The bytes of a value made of integers, bytes, texts, lists and dicts; keys in their order."""
    return cbor2.dumps(value)


def encode_tagged(tag: int, value: object) -> bytes:
    """The bytes of a tagged value."""
    return cbor2.dumps(cbor2.CBORTag(tag, value))


def decode(data: bytes, what: str) -> object:
    """The value of an item without tags; raises DecodeError, whose text starts with `what`."""
    return _decode(data, what, _Tags())


def decode_tagged(data: bytes, tag: int, what: str) -> object:
    """The value under the tag `tag`; raises DecodeError, whose text starts with `what`."""
    item = _decode(data, what, _Tags(tag))
    if not isinstance(item, cbor2.CBORTag) or item.tag != tag:
        raise DecodeError(f"{what}: expected CBOR tag {tag}")
    value: object = item.value
    return value


class _Tags(Mapping[int, _TagDecoder]):
    """Decoders of tags, as `cbor2` asks for them: a refusal for every tag but the known ones."""

    def __init__(self, *known: int) -> None:
        self._known = known

    def __getitem__(self, tag: int) -> _TagDecoder:
        if tag in self._known:
            raise KeyError(tag)  # no decoder: the tag stays a tag

        def refuse(_value: object, _immutable: bool) -> object:
            raise cbor2.CBORDecodeError(f"CBOR tag {tag} is not read")

        return refuse

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _decode(data: bytes, what: str, tags: _Tags) -> object:
    try:
        value: object = cbor2.loads(
            data,
            semantic_decoders=tags,
            max_depth=_MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
        again = cbor2.dumps(value)
    except (cbor2.CBORError, ValueError) as error:
        raise DecodeError(f"{what}: not the CBOR that is read: {_shortened(error)}") from error
    if again != data:
        raise DecodeError(f"{what}: CBOR that is not in its one form")
    return value


def _shortened(error: Exception) -> str:
    """The parser's words; it never quotes the data, but a duplicate key stands in them."""
    return ascii(str(error))[1:80]
