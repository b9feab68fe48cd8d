"""Asks the key service for what a certified entry entitles to.

The node only brings the proof together: leaf, inclusion, outcomes and sealed headers. Whether a key
is released, and which, is the key service's judgement of exactly these bytes.
"""

import hashlib
from dataclasses import dataclass

from kms.errors import KeyServiceRefusal
from kms.messages import (
    Released,
    ReleaseItem,
    ReleaseRequest,
    decode_release_reply,
    encode_release_request,
)
from ledger import keys
from ledger.errors import FormatError
from ledger.format.outcome import KeyAcquired, Outcome, ReadGranted, SessionOpened
from ledger.format.sealed import split_sealed
from ledger.log.tree import Tree
from ledger.reason import Reason
from node.certifier import Certified, KeyServicePort
from node.ledger_store import LedgerStore

_NOTHING = Released(Reason.NOT_GRANTED)
_ERASED = Released(Reason.PAYLOAD_ERASED)
_LATER = Released(Reason.TOO_LARGE)
_NO_SECRET = Released(Reason.HEADER_MISMATCH)

# Sealed bytes in one reply; what does not fit is fetched with its own ticket (Node.Release).
MAX_SEALED_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which operations' keys are asked for (None: all), and how many sealed bytes have room."""

    only: frozenset[int] | None = None
    room_bytes: int = MAX_SEALED_BYTES


_EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction entry with what stands beside it."""

    index: int
    leaf: bytes
    operations: tuple[bytes, ...]
    salts: tuple[bytes, ...]
    encoded: tuple[bytes, ...]
    outcomes: tuple[Outcome, ...]


class Releases:
    """Prepares tickets and passes on the answers. One thread."""

    def __init__(self, key_service: KeyServicePort) -> None:
        """Keep the port."""
        self._key_service = key_service

    def release(
        self,
        entry: Entry,
        certified: Certified,
        tree: Tree,
        view: LedgerStore,
        wanted: Wanted = _EVERYTHING,
    ) -> tuple[tuple[bytes, ...], tuple[Released, ...]]:
        """For each operation: the sealed secret of a granted Read, and what was released.

        Positions that are not wanted are left empty.
        """
        count = len(entry.outcomes)
        sealed = [b""] * count
        released = [_NOTHING] * count
        items = []
        only, room = wanted.only, min(wanted.room_bytes, MAX_SEALED_BYTES)
        for position, outcome in enumerate(entry.outcomes):
            detail = outcome.detail
            if only is not None and position not in only:
                continue
            if isinstance(detail, ReadGranted):
                loaded = _load(position, entry, detail, view, room)
                if isinstance(loaded, Released):
                    released[position] = loaded
                    room = 0 if loaded is _LATER else room  # full: load no more to find that out
                    continue
                sealed[position], item = loaded
                room -= len(sealed[position])
                items.append(item)
            elif isinstance(detail, KeyAcquired | SessionOpened):
                items.append(_key_item(position, entry))
        if items:
            answers = self._ask(entry, tuple(items), certified, tree)
            for item, answer in zip(items, answers, strict=True):
                released[item.position] = answer
        return tuple(sealed), tuple(released)

    def _ask(
        self, entry: Entry, items: tuple[ReleaseItem, ...], certified: Certified, tree: Tree
    ) -> tuple[Released, ...]:
        request = ReleaseRequest(
            index=entry.index,
            leaf=entry.leaf,
            hashes=tree.inclusion_proof(entry.index, certified.size),
            size=certified.size,
            root=certified.root,
            consistency=tree.consistency_proof(certified.size, self._key_service.held.size),
            items=items,
        )
        try:
            return decode_release_reply(self._key_service.release(encode_release_request(request)))
        except KeyServiceRefusal as error:
            return (Released(error.reason),) * len(items)


def _key_item(position: int, entry: Entry) -> ReleaseItem:
    # A grant is checked against the operation too: it names the key that the secret is sealed to.
    is_session = isinstance(entry.outcomes[position].detail, SessionOpened)
    operation = entry.operations[position] if is_session else b""
    return ReleaseItem(position, entry.salts[position], entry.encoded[position], operation)


def _load(
    position: int, entry: Entry, granted: ReadGranted, view: LedgerStore, room: int
) -> tuple[bytes, ReleaseItem] | Released:
    """A read's sealed secret and the item that asks for its key, or why there is none."""
    if room <= 0:
        return _LATER
    payload = view.get(keys.payload(granted.put_index, granted.put_position))
    if payload is None:
        return _ERASED
    if len(payload) > room:
        return _LATER
    try:
        header, ciphertext = split_sealed(payload)
    except FormatError:  # what lies there is no sealed secret: this read's misfortune
        return _NO_SECRET
    item = ReleaseItem(
        position,
        entry.salts[position],
        entry.encoded[position],
        sealed_header=header,
        ciphertext_digest=hashlib.sha256(ciphertext).digest(),
    )
    return payload, item
