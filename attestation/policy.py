"""What a policy says: matches joined by any and all, their limits and one encoding. Pure.

Rules: an empty list admits nothing and is invalid, not true. A match names exactly one of: a
measurement; a signer with its product and minimum SVN; a release; an MRTD. Whatever else it says is
a further condition, on one kind of TEE at most. At most 4 levels and 64 nodes. One policy has one
encoding, and a decoded policy is a valid one; callers on a hot path keep decoded policies by their
bytes. Whom it admits is `attestation.judging`; reasons for people are `attestation.explain`.
"""

from dataclasses import dataclass
from itertools import pairwise

from attestation.conditions import (
    ReleaseMatch,
    SgxMatch,
    SnpMatch,
    TdxMatch,
    TeeMatch,
    verify_release_match,
    verify_tee_match,
)
from attestation.errors import DecodeError
from attestation.identity import (
    MAX_U16,
    MAX_U32,
    TCB_STATUSES,
    is_advisory_list,
)
from attestation.policy_codec import (
    release_match_message,
    release_match_of_message,
    tee_match_message,
    tee_match_of_message,
)
from attestation.wire import decode_message, encode_message
from ledger.format.platforms import is_platform_list
from sealedger.v1 import attestation_pb2 as pb

MAX_DEPTH = 4
MAX_NODES = 64
MAX_PLATFORM_IDS = 64
MAX_RELEASE_NAMES = 8  # the ledger looks each of them up, at each use of a session
MAX_POLICY_BYTES = 16 * 1024
MAX_GRACE_S = 10 * 366 * 24 * 3600

_DIGEST_SIZES = (0, 32, 48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One kind of enclave; digests have 32 or 48 bytes."""

    measurement: bytes = b""
    signer: bytes = b""
    product_id: int = 0  # with signer only
    minimum_svn: int = 0  # with signer only
    release: ReleaseMatch | None = None
    tcb_statuses: tuple[str, ...] = ("UpToDate",)  # sorted, no repeats; not looked at for SNP
    advisories: tuple[str, ...] = ()  # the allowed ones, sorted, no repeats
    grace_s: int = 0  # how long after its TCB level's date a status but UpToDate passes; 0: ever
    allow_debug: bool = False
    platform_ids: tuple[bytes, ...] = ()  # only these, of 16 or 64 bytes, sorted; empty: any
    enrolled: bool = False  # only platforms that the network's members voted into their list
    tee: TeeMatch | None = None  # on the fields of one kind of TEE; SNP is admitted only by one


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
    releases = {match.release.name for match in matches_of(policy) if match.release is not None}
    if len(releases) > MAX_RELEASE_NAMES:
        raise DecodeError(f"policy: more than {MAX_RELEASE_NAMES} names of releases")


def encode_policy(policy: Policy) -> bytes:
    """The canonical bytes, at most 16 KiB; raises DecodeError for an invalid policy."""
    verify_policy(policy)
    return encode_message(_message(policy), MAX_POLICY_BYTES)


def decode_policy(data: bytes) -> Policy:
    """The valid policy of canonical bytes; raises DecodeError for anything else."""
    policy = _policy(decode_message(pb.IdentityPolicy, data, MAX_POLICY_BYTES), 1)
    verify_policy(policy)
    return policy


def matches_of(policy: Policy) -> tuple[Match, ...]:
    """Every match of a policy, wherever it stands."""
    if isinstance(policy, Match):
        return (policy,)
    return tuple(match for member in policy.members for match in matches_of(member))


def _verify_match(match: Match) -> None:
    by_signer = bool(match.signer)
    named = (
        bool(match.measurement),
        by_signer,
        match.release is not None,
        isinstance(match.tee, TdxMatch) and bool(match.tee.mr_td),
    )
    # An MRTD may also narrow a match that names something else.
    is_named = sum(named[:3]) == 1 or (not any(named[:3]) and named[3])
    checks = (
        ("measurement, signer, release or tdx.mr_td", is_named),
        ("measurement", len(match.measurement) in _DIGEST_SIZES),
        ("signer", len(match.signer) in _DIGEST_SIZES),
        ("product_id", 0 <= match.product_id <= (MAX_U16 if by_signer else 0)),
        ("minimum_svn", 0 <= match.minimum_svn <= (MAX_U32 if by_signer else 0)),
        ("tcb_statuses", bool(match.tcb_statuses) and _is_sorted(match.tcb_statuses)),
        ("tcb_statuses", all(status in TCB_STATUSES for status in match.tcb_statuses)),
        ("advisories", is_advisory_list(match.advisories)),
        ("grace_s", 0 <= match.grace_s <= MAX_GRACE_S),
        ("platform_ids", len(match.platform_ids) <= MAX_PLATFORM_IDS),
        ("platform_ids", is_platform_list(match.platform_ids)),
    )
    for name, is_good in checks:
        if not is_good:
            raise DecodeError(f"policy: bad {name}")
    if match.release is not None:
        verify_release_match(match.release)
    if match.tee is not None:
        verify_tee_match(match.tee)


def _is_sorted(items: tuple[str, ...]) -> bool:
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
        grace_s=policy.grace_s,
        enrolled=policy.enrolled,
    )
    if policy.tee is not None:
        word, message = tee_match_message(policy.tee)
        getattr(match, word).CopyFrom(message)
    if policy.release is not None:
        match.release.CopyFrom(release_match_message(policy.release))
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
        release=release_match_of_message(match.release) if match.HasField("release") else None,
        tcb_statuses=tuple(match.tcb_statuses),
        advisories=tuple(match.advisories),
        grace_s=match.grace_s,
        allow_debug=match.allow_debug,
        platform_ids=tuple(match.platform_ids),
        enrolled=match.enrolled,
        tee=tee_match_of_message(match),
    )


__all__ = [
    "AllOf",
    "AnyOf",
    "Match",
    "Policy",
    "ReleaseMatch",
    "SgxMatch",
    "SnpMatch",
    "TdxMatch",
    "decode_policy",
    "encode_policy",
    "matches_of",
    "verify_policy",
]
