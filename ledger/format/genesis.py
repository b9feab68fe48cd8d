"""Genesis: what every node, client and auditor of a network starts from.

The network id is SHA-256 of these bytes and stands in every signature and derivation. Genesis holds
the profile, the first trust document, collateral, limits and the first collections with their
policies (canonical bytes of ``attestation``, opaque here).
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError
from ledger.format.names import is_name, verify_name
from ledger.format.platforms import is_platform_list
from ledger.format.strict import decode_strict, encode, verify_length
from ledger.format.terms import ADDRESS_BYTES, is_auditor_list
from ledger.format.trust import TrustDocument, decode_trust

MAX_GENESIS_BYTES = 1024 * 1024
MAX_TIME_MS = 2**48 - 1
MAX_LIMIT_MS = 366 * 24 * 3_600_000


class Profile(IntEnum):
    """How much a host alone can do; fixed for ever by genesis (design section 1)."""

    DEVELOPMENT = 1
    SINGLE = 2
    CONSORTIUM = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits that the rules apply; times in milliseconds of block time."""

    session_ms: int = 3_600_000
    skew_ms: int = 30_000
    checkpoint_age_ms: int = 600_000
    receipt_age_ms: int = 600_000
    block_interval_ms: int = 600_000
    value_bytes: int = 1024 * 1024
    denials: int = 100
    owner_collections: int = 256
    owner_bytes: int = 16 * 1024 * 1024 * 1024
    identity_sessions: int = 256  # open at once
    owner_releases: int = 64  # published for ever: a revoked one counts


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection and who may read and write it (canonical policy bytes)."""

    name: str
    readers: bytes
    writers: bytes


@dataclass(frozen=True, slots=True)
class Genesis:
    """The start of a network."""

    name: str
    profile: Profile
    time_ms: int
    salt: bytes  # 32 random bytes: two networks with the same settings differ
    trust: bytes  # the first trust document
    collateral: tuple[bytes, ...]
    limits: Limits
    collections: tuple[Collection, ...]
    auditors: tuple[bytes, ...] = ()  # addresses that may ask about everything, sorted
    platforms: tuple[bytes, ...] = ()  # ids of platforms enrolled from the start, sorted


def network_id(genesis: bytes) -> bytes:
    """SHA-256 of genesis."""
    return hashlib.sha256(genesis).digest()


def encode_genesis(genesis: Genesis) -> bytes:
    """The canonical bytes of genesis."""
    limits = genesis.limits
    return encode(
        pb.Genesis(
            name=genesis.name,
            profile=cast("pb.Profile", genesis.profile.value),
            time_ms=genesis.time_ms,
            salt=genesis.salt,
            trust=genesis.trust,
            collateral=genesis.collateral,
            limits=pb.Limits(
                session_ms=limits.session_ms,
                skew_ms=limits.skew_ms,
                checkpoint_age_ms=limits.checkpoint_age_ms,
                receipt_age_ms=limits.receipt_age_ms,
                block_interval_ms=limits.block_interval_ms,
                value_bytes=limits.value_bytes,
                denials=limits.denials,
                owner_collections=limits.owner_collections,
                owner_bytes=limits.owner_bytes,
                identity_sessions=limits.identity_sessions,
                owner_releases=limits.owner_releases,
            ),
            collections=(
                pb.CollectionGrant(name=c.name, readers=c.readers, writers=c.writers)
                for c in genesis.collections
            ),
            auditors=genesis.auditors,
            platforms=genesis.platforms,
        )
    )


def decode_genesis(data: bytes) -> Genesis:
    """Decode genesis of at most 1 MiB; FormatError for anything that cannot be meant."""
    message = decode_strict(pb.Genesis, data, MAX_GENESIS_BYTES)
    try:
        profile = Profile(message.profile)
    except ValueError as error:
        raise FormatError("genesis: unknown profile") from error
    limits = message.limits
    genesis = Genesis(
        name=message.name,
        profile=profile,
        time_ms=message.time_ms,
        salt=verify_length("salt", message.salt, 32),
        trust=message.trust,
        collateral=tuple(message.collateral),
        limits=Limits(
            session_ms=limits.session_ms,
            skew_ms=limits.skew_ms,
            checkpoint_age_ms=limits.checkpoint_age_ms,
            receipt_age_ms=limits.receipt_age_ms,
            block_interval_ms=limits.block_interval_ms,
            value_bytes=limits.value_bytes,
            denials=limits.denials,
            owner_collections=limits.owner_collections,
            owner_bytes=limits.owner_bytes,
            identity_sessions=limits.identity_sessions,
            owner_releases=limits.owner_releases,
        ),
        collections=tuple(
            Collection(verify_name(c.name), c.readers, c.writers) for c in message.collections
        ),
        auditors=tuple(verify_length("auditor", one, ADDRESS_BYTES) for one in message.auditors),
        platforms=tuple(message.platforms),
    )
    _verify_genesis(genesis, decode_trust(genesis.trust))
    return genesis


def _verify_genesis(genesis: Genesis, trust: TrustDocument) -> None:
    limits = genesis.limits
    durations = (
        limits.session_ms,
        limits.skew_ms,
        limits.checkpoint_age_ms,
        limits.receipt_age_ms,
        limits.block_interval_ms,
    )
    names = [collection.name for collection in genesis.collections]
    is_development = genesis.profile is Profile.DEVELOPMENT
    wrong = {
        "name": not is_name(genesis.name),
        "trust": trust.version != 1,
        # Bounded above too, so that no sum of times leaves 64 bits.
        "time_ms": genesis.time_ms > MAX_TIME_MS,
        "limits": min(limits.session_ms, limits.checkpoint_age_ms, limits.receipt_age_ms) < 1000
        or limits.block_interval_ms < 1
        or max(durations) > MAX_LIMIT_MS
        or min(limits.denials, limits.identity_sessions, limits.owner_releases) < 1
        or not 1 <= limits.value_bytes <= 1024 * 1024,
        "collections": len(set(names)) != len(names),
        "auditors": not is_auditor_list(genesis.auditors),
        "platforms": not is_platform_list(genesis.platforms),
        # Clients refuse `dev.` origins unless told, so only a development network may have one.
        "origin": trust.origin.startswith("dev.") != is_development,
        # A production network without an outside witness or with one operator is not what it says.
        "witnesses": genesis.profile is Profile.SINGLE and trust.witness_quorum < 1,
        "quorum": genesis.profile is Profile.CONSORTIUM
        and (
            len({c.operator for c in trust.cosigners}) < 4
            or trust.quorum < 2 * len({c.operator for c in trust.cosigners}) // 3 + 1
        ),
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            raise FormatError(f"genesis: {field} cannot be meant for this profile")
