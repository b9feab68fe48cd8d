"""The list of enrolled platforms in the state: one record for each that members spoke of.

Records are written by these rules only, so one that does not decode is a StateError. Not here:
whose votes change the list (`platforms`), who asks for it (`facts`).
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

from ledger import keys
from ledger.format.terms import ADDRESS_BYTES
from ledger.format.transaction import split

from contracts.errors import StateError
from contracts.view import Changes, StateView

_FIXED = struct.Struct(">BQ")


@dataclass(frozen=True, slots=True)
class PlatformRecord:
    """Whether a platform is enrolled, since which entry that is so, and who asks for a change."""

    is_enrolled: bool = False
    index: int = 0  # 0: from the start
    voters: tuple[bytes, ...] = ()  # addresses, in the order of their votes


def encode_record(record: PlatformRecord) -> bytes:
    """9 bytes, then 20 for each voter."""
    return _FIXED.pack(record.is_enrolled, record.index) + b"".join(record.voters)


@lru_cache(maxsize=4096)  # read for each use of a session
def decode_record(data: bytes) -> PlatformRecord:
    """The record; StateError if it is not one of ours."""
    if len(data) < _FIXED.size or data[0] > 1 or (len(data) - _FIXED.size) % ADDRESS_BYTES:
        raise StateError("platform: not one of ours")
    is_enrolled, index = _FIXED.unpack_from(data)
    return PlatformRecord(bool(is_enrolled), index, split(data[_FIXED.size :], ADDRESS_BYTES))


def find_platform(view: StateView, platform_id: bytes) -> PlatformRecord:
    """The record of a platform; that of one that nobody spoke of says nothing."""
    data = view.get(keys.platform(platform_id))
    return PlatformRecord() if data is None else decode_record(data)


def is_enrolled(view: StateView, platform_id: bytes) -> bool:
    """Whether the members stand for a platform; never for an empty id."""
    return bool(platform_id) and find_platform(view, platform_id).is_enrolled


def store_platform(state: Changes, platform_id: bytes, record: PlatformRecord) -> None:
    """Write a record; one that says nothing, also not when the list changed, is taken away."""
    says_nothing = record == PlatformRecord()
    state.put(keys.platform(platform_id), None if says_nothing else encode_record(record))
