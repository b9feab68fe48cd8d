"""Which identities are admitted: matches joined by any and all. Pure.

Rules: an empty list admits nothing and is invalid, not true. A match names a measurement, or a
signer with its product and minimum SVN, never neither. Only UpToDate platforms pass unless the
match lists other statuses; a status that comes with advisories passes only if each one is listed.
Debug enclaves pass only if the match allows them and the caller says that the network's profile is
development. At most 4 levels and 64 nodes. One policy has one encoding, and a decoded policy is a
valid one; callers on a hot path keep decoded policies by their bytes. Reasons for people are
`attestation.explain`.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from attestation.errors import DecodeError
from attestation.identity import (
    MAX_PLATFORM_ID,
    MAX_U16,
    TCB_STATUSES,
    Identity,
    is_advisory_list,
)
from attestation.wire import decode_message, encode_message
from sealedger.v1 import attestation_pb2 as pb

MAX_DEPTH = 4
MAX_NODES = 64
MAX_PLATFORM_IDS = 64
MAX_POLICY_BYTES = 16 * 1024

_DIGEST_SIZES = (32, 48)
_Text = TypeVar("_Text", str, bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One kind of enclave. Exactly one of `measurement` and `signer` is set (32 or 48 bytes)."""

    measurement: bytes = b""
    signer: bytes = b""
    product_id: int = 0  # with signer only
    minimum_svn: int = 0  # with signer only
    tcb_statuses: tuple[str, ...] = ("UpToDate",)  # sorted, no repeats
    advisories: tuple[str, ...] = ()  # the allowed ones, sorted, no repeats
    allow_debug: bool = False
    platform_ids: tuple[bytes, ...] = ()  # the enrolled ones, sorted; empty: any


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Admits what at least one member admits; at least one member."""

    members: tuple["Policy", ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Admits what every member admits; at least one member."""

    members: tuple["Policy", ...]


Policy = Match | AnyOf | AllOf


def verify_policy(policy: Policy) -> None:
    """Check shape, limits and every match; raises DecodeError naming the fault."""
    nodes = 0
    pending: list[tuple[Policy, int]] = [(policy, 1)]
    while pending:
        node, depth = pending.pop()
        nodes += 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise DecodeError(f"policy: more than {MAX_DEPTH} levels or {MAX_NODES} nodes")
        if isinstance(node, Match):
            _verify_match(node)
        elif not node.members:
            raise DecodeError("policy: an empty list admits nothing")
        else:
            pending.extend((member, depth + 1) for member in node.members)


def encode_policy(policy: Policy) -> bytes:
    """The canonical bytes, at most 16 KiB; raises DecodeError for an invalid policy."""
    verify_policy(policy)
    return encode_message(_message(policy), MAX_POLICY_BYTES)


def decode_policy(data: bytes) -> Policy:
    """The valid policy of canonical bytes; raises DecodeError for anything else."""
    policy = _policy(decode_message(pb.IdentityPolicy, data, MAX_POLICY_BYTES), 1)
    verify_policy(policy)
    return policy


def is_admitted(policy: Policy, identity: Identity, *, development: bool) -> bool:
    """Whether a verified policy admits a verified identity; `development` allows debug matches."""
    if isinstance(policy, AnyOf):
        return any(is_admitted(p, identity, development=development) for p in policy.members)
    if isinstance(policy, AllOf):
        members = policy.members
        return bool(members) and all(
            is_admitted(p, identity, development=development) for p in members
        )
    return (
        _is_named(policy, identity)
        and identity.tcb_status in policy.tcb_statuses
        and not has_unlisted_advisories(policy, identity)
        and (not identity.debug or (policy.allow_debug and development))
        and (not policy.platform_ids or identity.platform_id in policy.platform_ids)
    )


def _is_named(match: Match, identity: Identity) -> bool:
    if match.measurement:
        return match.measurement == identity.measurement
    return (
        bool(match.signer)
        and match.signer == identity.signer
        and match.product_id == identity.product_id
        and identity.svn >= match.minimum_svn
    )


def has_unlisted_advisories(match: Match, identity: Identity) -> bool:
    """Whether the identity carries an advisory that this match does not tolerate."""
    if not identity.advisories or (identity.tcb_status == "UpToDate" and not match.advisories):
        return False
    return any(name not in match.advisories for name in identity.advisories)


def _verify_match(match: Match) -> None:
    by_signer = bool(match.signer)
    checks = (
        ("measurement or signer", bool(match.measurement) != by_signer),
        ("digest size", len(match.signer or match.measurement) in _DIGEST_SIZES),
        ("product_id", 0 <= match.product_id <= (MAX_U16 if by_signer else 0)),
        ("minimum_svn", 0 <= match.minimum_svn <= (MAX_U16 if by_signer else 0)),
        ("tcb_statuses", bool(match.tcb_statuses) and _is_sorted(match.tcb_statuses)),
        ("tcb_statuses", all(status in TCB_STATUSES for status in match.tcb_statuses)),
        ("advisories", is_advisory_list(match.advisories)),
        ("platform_ids", len(match.platform_ids) <= MAX_PLATFORM_IDS),
        ("platform_ids", _is_sorted(match.platform_ids)),
        ("platform_ids", all(0 < len(p) <= MAX_PLATFORM_ID for p in match.platform_ids)),
    )
    for name, is_good in checks:
        if not is_good:
            raise DecodeError(f"policy: bad {name}")


def _is_sorted(items: tuple[_Text, ...]) -> bool:
    return all(a < b for a, b in pairwise(items))


def _message(policy: Policy) -> pb.IdentityPolicy:
    if isinstance(policy, AnyOf | AllOf):
        members = pb.IdentityPolicyList(members=[_message(member) for member in policy.members])
        if isinstance(policy, AnyOf):
            return pb.IdentityPolicy(any=members)
        return pb.IdentityPolicy(all=members)
    match = pb.IdentityMatch(
        measurement=policy.measurement,
        signer=policy.signer,
        product_id=policy.product_id,
        minimum_svn=policy.minimum_svn,
        tcb_statuses=policy.tcb_statuses,
        advisories=policy.advisories,
        allow_debug=policy.allow_debug,
        platform_ids=policy.platform_ids,
    )
    return pb.IdentityPolicy(match=match)


def _policy(message: pb.IdentityPolicy, depth: int) -> Policy:
    if depth > MAX_DEPTH:
        raise DecodeError(f"policy: more than {MAX_DEPTH} levels")
    kind = message.WhichOneof("node")
    if kind == "any":
        return AnyOf(tuple(_policy(member, depth + 1) for member in message.any.members))
    if kind == "all":
        return AllOf(tuple(_policy(member, depth + 1) for member in message.all.members))
    if kind != "match":
        raise DecodeError("policy: a node without content")
    match = message.match
    return Match(
        measurement=match.measurement,
        signer=match.signer,
        product_id=match.product_id,
        minimum_svn=match.minimum_svn,
        tcb_statuses=tuple(match.tcb_statuses),
        advisories=tuple(match.advisories),
        allow_debug=match.allow_debug,
        platform_ids=tuple(match.platform_ids),
    )
