"""Operations, outcomes and stored records that are canonical bytes but cannot be meant."""

from dataclasses import replace
from hashlib import sha256

import pytest

from ledger.errors import FormatError, StoreError
from ledger.format import operation as ops
from ledger.format import outcome as outs
from ledger.format.hygiene import RevokeSession, UpdateCollateral
from ledger.format.platforms import PLATFORM_ID_BYTES, PlatformVote, VotePlatform
from ledger.format.stored import MAX_STORED_BYTES, Stored, decode_stored, encode_stored
from ledger.format.terms import (
    CollectionTerms,
    CreateCollection,
    Destroy,
    FreezeCollection,
    SetPolicy,
)
from ledger.format.transaction import MAX_ENVELOPE_BYTES
from ledger.reason import Reason
from sealedger.v1 import ledger_pb2 as pb
from tests.ledger_format import make_vectors as v

OPEN = ops.OpenSession(bytes(33), bytes(1216), *(bytes(32),) * 3, 5, bytes(32))
PUT = ops.Put("app", "name", bytes(16), 1, 1, bytes(32), 16)
TERMS = CollectionTerms(b"readers", b"writers")
MANY = tuple(sorted(bytes((n,)) * 20 for n in range(65)))
KEY = outs.KeyAcquired("app", 1, bytes(32), bytes(32), 1)
DETAILS = list({type(one.detail): one.detail for one in v.OUTCOMES.values() if one.detail}.values())
OPENED = outs.SessionOpened(bytes(32), 1, 1, b"")


@pytest.mark.parametrize(
    "operation",
    [
        *(replace(PUT, collection=name) for name in ("", "a//b", "a b")),
        *(replace(PUT, name=name) for name in ("", "..", "x" * 201)),
        replace(PUT, record_id=bytes(15)),
        replace(PUT, record_id=b""),
        replace(PUT, sealed_digest=bytes(33)),
        replace(PUT, mode=256),
        ops.Read("", "name"),
        ops.Read("app", "."),
        ops.Read("app", "name", 0),
        ops.Delete("app", "a/"),
        ops.Delete("/", "a"),
        ops.AcquireKey("../app"),
        Destroy("app", "a//b"),
        Destroy("app", "name", 0),
        FreezeCollection("a b", frozen=True),
        *(
            kind(*parts)
            for kind in (CreateCollection, SetPolicy)
            for parts in (
                ("", TERMS),
                ("app", replace(TERMS, readers=b"")),
                ("app", replace(TERMS, writers=b"")),
                ("app", replace(TERMS, readers=bytes(8193))),
                ("app", replace(TERMS, auditors=(bytes(19),))),
                ("app", replace(TERMS, auditors=(bytes(20), bytes(20)))),
                ("app", replace(TERMS, auditors=(b"b" * 20, b"a" * 20))),
                ("app", replace(TERMS, auditors=MANY)),
            )
        ),
        UpdateCollateral(bytes(31)),
        UpdateCollateral(b""),
        RevokeSession(bytes(31), "app"),
        RevokeSession(b"", ""),
        RevokeSession(bytes(32), "a//b"),
        RevokeSession(bytes(32), "(all)"),
        VotePlatform(b"", PlatformVote.ENROL),
        VotePlatform(bytes(15), PlatformVote.ENROL),
        VotePlatform(bytes(17), PlatformVote.REMOVE),
        VotePlatform(bytes(65), PlatformVote.TAKE_BACK),
        ops.KeyServiceStart(bytes(31), bytes(32)),
        ops.KeyServiceStart(bytes(32), bytes(0)),
        *(
            replace(OPEN, **{field: bytes(width + wrong)})  # type: ignore[arg-type]  # bytes fields
            for field, width in (
                ("session_key", 33),
                ("kem_key", 1216),
                ("evidence_digest", 32),
                ("service_key", 32),
                ("trust_digest", 32),
                ("checkpoint_root", 32),
            )
            for wrong in (-1, 1)
        ),
    ],
    ids=lambda one: f"{type(one).__name__} {sha256(repr(one).encode()).hexdigest()[:8]}",
)
def test_impossible_operations_are_refused(operation: ops.Operation) -> None:
    """A bad name, a wrong width, a version that never was: MALFORMED."""
    with pytest.raises(FormatError) as refused:
        ops.decode_operation(ops.encode_operation(operation))
    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "data",
    [b"", pb.Operation().SerializeToString(), b"\x8a\x01\x00"],
    ids=["empty", "none", "kind 17"],
)
def test_an_operation_has_a_kind(data: bytes) -> None:
    """Nothing, and a kind that nobody knows, are no operations."""
    with pytest.raises(FormatError):
        ops.decode_operation(data)


@pytest.mark.parametrize("vote", [0, 4, 2**31 - 1])
def test_a_vote_says_what_it_asks(vote: int) -> None:
    """No vote, and one that nobody knows, are refused."""
    message = pb.Operation(vote_platform=pb.VotePlatform(platform_id=bytes([1]) * 16, vote=vote))  # type: ignore[arg-type]  # proto3 enums are open
    with pytest.raises(FormatError):
        ops.decode_operation(message.SerializeToString(deterministic=True))


@pytest.mark.parametrize(
    "platform_id",
    [
        *(bytes(size) for size in PLATFORM_ID_BYTES),
        *(b"\1" * size for size in (0, 1, 15, 17, 48, 65)),
    ],
    ids=len,
)
def test_a_vote_names_a_platform(platform_id: bytes) -> None:
    """Zeros stand for a machine that says no id, and no machine has an id of another width."""
    vote = pb.VotePlatform(platform_id=platform_id, vote=pb.PLATFORM_VOTE_ENROL)
    message = pb.Operation(vote_platform=vote)
    with pytest.raises(FormatError, match=r"an id has 16 bytes .* not all zero") as refused:
        ops.decode_operation(message.SerializeToString(deterministic=True))
    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("version", [None, 0, 1, 2**64 - 1])
def test_no_version_is_not_version_zero(version: int | None) -> None:
    """`if_version` 0 (no version yet) and no `if_version` are different bytes."""
    for operation in (replace(PUT, if_version=version), ops.Delete("app", "name", version)):
        assert ops.decode_operation(ops.encode_operation(operation)) == operation


def test_the_largest_operation_is_within_the_limit() -> None:
    """Operations with every field at its widest are under 20 KiB, outcomes under 4,096 bytes."""
    widest = ops.Put(
        "x" * 200, "y" * 200, bytes(16), *(2**32 - 1,) * 2, bytes(32), 2**32 - 1, *(2**64 - 1,) * 2
    )
    terms = CollectionTerms(bytes(8192), bytes(8192), MANY[:64], 2**64 - 1)
    at = outs.Coordinates("x" * 200, "y" * 200, bytes(16), 2**32 - 1, 255, bytes(32))
    granted = outs.ReadGranted(
        "x" * 200, "y" * 200, 2**64 - 1, at, *(bytes(32),) * 3, 2**64 - 1, 255, 2**32 - 1
    )
    opened = replace(OPEN, checkpoint_size=2**64 - 1)
    assert max(len(ops.encode_operation(one)) for one in (widest, opened)) == 1404
    for owners in (CreateCollection("x" * 200, terms), SetPolicy("x" * 200, terms)):
        encoded = ops.encode_operation(owners)
        assert len(encoded) == 18_020 < ops.MAX_OPERATION_BYTES
        assert ops.decode_operation(encoded) == owners
    outcome = outs.Outcome(Reason.OK, granted)
    assert len(outs.encode_outcome(outcome)) == 1011
    assert outs.decode_outcome(outs.encode_outcome(outcome)) == outcome
    verdicts: tuple[outs.Detail, ...] = (
        outs.SessionOpened(bytes(32), 2**64 - 1, 2**32 - 1, bytes(outs.MAX_VERDICT_BYTES)),
        outs.CollateralUpdated(bytes(outs.MAX_COLLATERAL_VERDICT_BYTES)),
    )
    for detail, width in zip(verdicts, (3643, 520), strict=True):
        encoded = outs.encode_outcome(outs.Outcome(Reason.OK, detail))
        assert len(encoded) == width <= outs.MAX_OUTCOME_BYTES
        assert outs.decode_outcome(encoded).detail == detail


@pytest.mark.parametrize(
    "detail",
    [
        replace(KEY, collection="a//b"),
        replace(KEY, session_id=bytes(31)),
        replace(KEY, identity_digest=bytes(33)),
        replace(OPENED, session_id=b""),
        replace(OPENED, verdict=bytes(outs.MAX_VERDICT_BYTES + 1)),
        outs.CollateralUpdated(b""),
        outs.CollateralUpdated(bytes(outs.MAX_COLLATERAL_VERDICT_BYTES + 1)),
        outs.PutDone(0),
        outs.Deleted(0),
        outs.Destroyed(0, 1),
        outs.Destroyed(0, 0),
        outs.Destroyed(2, 1),
        replace(v.GRANTED, collection=""),
        replace(v.GRANTED, name="a b"),
        replace(v.GRANTED, version=0),
        replace(v.GRANTED, sealed_digest=bytes(31)),
        replace(v.GRANTED, reader_session=bytes(33)),
        replace(v.GRANTED, identity_digest=b""),
        replace(v.GRANTED, put_position=256),
        replace(v.GRANTED, origin=replace(v.AT, collection=".")),
        replace(v.GRANTED, origin=replace(v.AT, name="a/")),
        replace(v.GRANTED, origin=replace(v.AT, record_id=bytes(17))),
        replace(v.GRANTED, origin=replace(v.AT, mode=0)),
        replace(v.GRANTED, origin=replace(v.AT, mode=256)),
        replace(v.GRANTED, origin=replace(v.AT, writer_session=bytes(31))),
    ],
    ids=repr,
)
def test_impossible_details_are_refused(detail: outs.Detail) -> None:
    """A detail with a bad name, a wrong width or a number that cannot be is MALFORMED."""
    with pytest.raises(FormatError):
        outs.decode_outcome(outs.encode_outcome(outs.Outcome(Reason.OK, detail)))


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("detail", [None, *DETAILS], ids=type)
def test_a_detail_stands_beside_its_reason_only(reason: Reason, detail: outs.Detail | None) -> None:
    """OK may carry what was granted, VERSION_CONFLICT names the version, no other says anything."""
    outcome = outs.Outcome(reason, detail)
    if reason is Reason.VERSION_CONFLICT:
        may_be = isinstance(detail, outs.Conflict)
    else:
        may_be = detail is None or (reason is Reason.OK and not isinstance(detail, outs.Conflict))
    encoded = outs.encode_outcome(outcome)
    if may_be:
        assert outs.decode_outcome(encoded) == outcome
    else:
        with pytest.raises(FormatError):
            outs.decode_outcome(encoded)


@pytest.mark.parametrize("number", [0, 2, 9, 73, 2**31 - 1])
def test_an_unknown_reason_is_refused(number: int) -> None:
    """A reason that is not in the list, the unspecified one among them, is MALFORMED."""
    message = pb.Outcome()
    message.reason = number  # type: ignore[assignment]  # the wire can carry any number
    with pytest.raises(FormatError):
        outs.decode_outcome(message.SerializeToString())


def test_what_stands_beside_a_leaf_can_be_read_again() -> None:
    """The record of the largest envelope with 256 of the largest outcomes is within its limit."""
    operation = bytes(MAX_ENVELOPE_BYTES // 256)
    stored = Stored((operation,) * 256, (bytes(16),) * 256, (bytes(outs.MAX_OUTCOME_BYTES),) * 256)
    encoded = encode_stored(stored)
    assert MAX_ENVELOPE_BYTES + 1024 * 1024 < len(encoded) < MAX_STORED_BYTES
    assert decode_stored(encoded) == stored


def test_a_digest_hides_and_binds() -> None:
    """Another salt gives another digest, and an outcome's digest is not its operation's."""
    operation = ops.encode_operation(ops.AcquireKey("app"))
    digests = {ops.operation_digest(bytes((salt,)) * 16, operation) for salt in range(20)}
    digests |= {ops.outcome_digest(bytes((salt,)) * 16, operation) for salt in range(20)}
    assert len(digests) == 40


@pytest.mark.parametrize(
    "damaged",
    [
        encode_stored(Stored((b"a",), (), (b"b",))),
        encode_stored(Stored((b"a",), (bytes(16),), ())),
        encode_stored(Stored((b"a", b"b"), (bytes(16), bytes(15)), (b"a", b"b"))),
        encode_stored(v.STORED)[:-1],
        encode_stored(v.STORED) + b"\x20\x01",
        b"\xff",
    ],
)
def test_a_damaged_stored_record_is_our_fault(damaged: bytes) -> None:
    """What this node wrote and cannot read is a StoreError, not a refusal of a sender."""
    with pytest.raises(StoreError, match="damaged"):
        decode_stored(damaged)
