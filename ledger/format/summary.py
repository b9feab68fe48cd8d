"""The canonical text of operations: what a wallet shows and an account signs.

1. One line for each operation, in their order, joined by a newline: the operation's word, then
   ``field=value`` for every field of it, in the table's order, each after one space.
2. Names are ASCII without spaces, bytes are lower-case hex, numbers decimal; a field that is not
   set says what that means (``any``, ``current``). So no two lists of operations share a text:
   the one field given by its SHA-256 is the KEM key, which is too long to show.
3. The contracts make the text again from the operations that they execute and check the signature
   over that: nothing else can be shown.
A new kind of operation is one entry in the table. Not here: what stands in the body around the
operations (signer, sequence, time limit, atomic): the body's hash is signed beside the text.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.format.operation import (
    AcquireKey,
    Delete,
    KeyServiceStart,
    OpenSession,
    Operation,
    Put,
    Read,
)

MAX_LINE_CHARACTERS = 2048  # two names of 200 characters and two policies are under it

_Render = Callable[[Any], str]  # each field's own type: what the table gives it is tested


def summarize(operations: tuple[Operation, ...]) -> str:
    """The text of operations that decoded: ASCII, at most 2,048 characters a line."""
    return "\n".join(map(_line, operations))


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of operation is written: its word, and every field with its rendering."""

    word: str
    fields: Mapping[str, _Render]


def _line(operation: Operation) -> str:
    kind = _KINDS[type(operation)]
    fields = (f"{name}={render(getattr(operation, name))}" for name, render in kind.fields.items())
    return " ".join((kind.word, *fields))


def _or(word: str) -> _Render:
    """A number, or the word for its absence."""
    return lambda value: word if value is None else str(value)


def _sha256(value: bytes) -> str:
    return f"sha256:{hashlib.sha256(value).hexdigest()}"


_KINDS: dict[type, _Kind] = {
    Put: _Kind(
        "Put",
        {
            "collection": str,
            "name": str,
            "if_version": _or("any"),
            "size": str,
            "sealed_digest": bytes.hex,
            "record_id": bytes.hex,
            "epoch": str,
            "mode": str,
        },
    ),
    Read: _Kind("Read", {"collection": str, "name": str, "version": _or("current")}),
    Delete: _Kind("Delete", {"collection": str, "name": str, "if_version": _or("any")}),
    AcquireKey: _Kind("AcquireKey", {"collection": str}),
    OpenSession: _Kind(
        "OpenSession",
        {
            "session_key": bytes.hex,
            "kem_key": _sha256,
            "evidence_digest": bytes.hex,
            "service_key": bytes.hex,
            "trust_digest": bytes.hex,
            "checkpoint_size": str,
            "checkpoint_root": bytes.hex,
        },
    ),
    KeyServiceStart: _Kind("KeyServiceStart", {"nonce": bytes.hex, "service_key": bytes.hex}),
}
