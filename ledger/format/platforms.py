"""Votes on platforms: which machines the members of a network stand for.

A platform's id is its PPID (Intel, in the PCK certificate) or CHIP_ID (AMD, in the report). A vote
names the change of the list that its member saw last: whoever keeps a vote back cannot cast it when
the list has changed meanwhile. Not here: how votes are counted (``contracts``), what the list is
asked for (``attestation.policy``).
"""

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import cast

from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError

PLATFORM_ID_BYTES = (16, 64)  # PPID (Intel), CHIP_ID (AMD)


class PlatformVote(IntEnum):
    """What a member asks for."""

    ENROL = 1
    REMOVE = 2
    TAKE_BACK = 3  # the own open vote on this platform

    @property
    def word(self) -> str:
        """``enrol``, ``remove`` or ``take-back``: as wallets and commands say it."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class VotePlatform:
    """A member's vote on whether a platform stands in the network's list."""

    platform_id: bytes
    vote: PlatformVote
    since: int = 0  # the entry in which the list changed for this platform last; 0: it never did


def platform_message(operation: VotePlatform) -> pb.Operation:
    """The message of the operation."""
    vote = cast("pb.PlatformVote", operation.vote.value)
    return pb.Operation(
        vote_platform=pb.VotePlatform(
            platform_id=operation.platform_id, vote=vote, since=operation.since
        )
    )


def decode_platform(message: pb.Operation) -> VotePlatform:
    """The operation of a strictly decoded message; FormatError if it cannot be meant."""
    said = message.vote_platform
    try:
        vote = PlatformVote(said.vote)
    except ValueError as error:
        raise FormatError("platform: a vote is to enrol, to remove or to take back") from error
    return VotePlatform(verify_platform_id(said.platform_id), vote, said.since)


def is_platform_id(platform_id: bytes) -> bool:
    """Whether a platform can have this id: 16 or 64 bytes, not all zero.

    Zeros stand where hardware says no id (AMD's ABI specification, 56860: MASK_CHIP_ID).
    """
    return len(platform_id) in PLATFORM_ID_BYTES and any(platform_id)


def verify_platform_id(platform_id: bytes) -> bytes:
    """The id; FormatError if it is none (`is_platform_id`)."""
    if not is_platform_id(platform_id):
        raise FormatError("platform: an id has 16 bytes (PPID) or 64 (CHIP_ID), not all zero")
    return platform_id


def is_platform_list(platforms: tuple[bytes, ...]) -> bool:
    """Whether these are ids, sorted, without repeats."""
    return all(map(is_platform_id, platforms)) and all(a < b for a, b in pairwise(platforms))
