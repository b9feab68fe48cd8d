"""Receipts: what opens, what fits, and what is refused with which reason."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.errors import FormatError
from ledger.format import receipt as rc
from ledger.format import transaction as tx
from ledger.format.leaf import Leaf, encode_leaf
from ledger.format.operation import (
    MAX_OPERATION_BYTES,
    Put,
    encode_operation,
    operation_digest,
    outcome_digest,
)
from ledger.format.outcome import (
    MAX_OUTCOME_BYTES,
    Coordinates,
    Outcome,
    ReadGranted,
    encode_outcome,
)
from ledger.format.terms import CollectionTerms, CreateCollection
from ledger.format.trust import TrustDocument, quorum_rule
from ledger.log.merkle import leaf_hash
from ledger.log.proof_file import (
    MAX_LINE_BYTES,
    ProofFile,
    decode_proof_file,
    encode_proof_file,
)
from ledger.log.tree import Tree
from ledger.reason import Reason
from tests.ledger_format import make_vectors as v
from tests.ledger_format.wire import BYTES, VARINT, Field, encode_varint, join_fields, split_fields
from tests.support.log_reference import MemoryTiles

RULE = quorum_rule(v.TRUST)
OPENED = v.RECEIPT.opened[0]
SECOND = rc.Opened(1, v.SALTS[1], v.ASKED[1], v.ANSWERED[1])


def receipt_of(leaf: bytes, *opened: rc.Opened) -> rc.Receipt:
    """A certified receipt of a leaf that stands alone in its log."""
    tiles = MemoryTiles()
    tree = Tree.open(tiles, 0)
    tiles.persist(tree.append([leaf_hash(leaf)]).tiles)
    return rc.Receipt(0, (), v.signed_checkpoint(tree), leaf, opened)


def refused_reason(receipt: rc.Receipt, trust: TrustDocument = v.TRUST) -> Reason:
    """The reason that a receipt is refused with."""
    with pytest.raises(FormatError) as refused:
        rc.verify_receipt(receipt, quorum_rule(trust), v.NETWORK_ID)
    return refused.value.reason


def test_a_receipt_opens_some_or_all_of_its_operations() -> None:
    """Each operation that is opened comes back decoded, with its outcome and its place."""
    verified = rc.verify_receipt(v.make_receipt(OPENED, SECOND), RULE, v.NETWORK_ID)
    assert [one.position for one in verified.opened] == [0, 1]
    assert [one.operation for one in verified.opened] == [
        v.OPERATIONS["operation Read"],
        v.OPERATIONS["operation AcquireKey"],
    ]
    assert [one.outcome.reason for one in verified.opened] == [Reason.OK, Reason.DENIED]
    assert verified.leaf == v.LEAF
    assert verified.leaf_hash == leaf_hash(encode_leaf(v.LEAF))
    assert verified.body.signer == v.READER
    alone = rc.verify_receipt(v.make_receipt(SECOND), RULE, v.NETWORK_ID)
    assert alone.opened == verified.opened[1:]


@pytest.mark.parametrize(
    "opened",
    [
        replace(OPENED, position=1),
        replace(OPENED, position=2),
        replace(OPENED, position=2**32 - 1),
        replace(OPENED, salt=v.SALTS[1]),
        replace(OPENED, operation=v.ASKED[1]),
        replace(OPENED, outcome=v.ANSWERED[1]),
        replace(OPENED, salt=v.SALTS[0] + v.ASKED[0][:1], operation=v.ASKED[0][1:]),
        replace(OPENED, salt=v.SALTS[0][:15], operation=v.SALTS[0][15:] + v.ASKED[0]),
    ],
    ids=["position 1", "position 2", "last", "salt", "operation", "outcome", "wider", "narrower"],
)
def test_what_the_leaf_does_not_commit_to_does_not_open(opened: rc.Opened) -> None:
    """Another operation, outcome, salt, position or border between salt and operation."""
    assert refused_reason(v.make_receipt(opened)) is Reason.MALFORMED


def test_a_committed_operation_that_does_not_decode_is_refused() -> None:
    """A leaf can commit to malformed bytes; a receipt cannot open them."""
    envelope = v.signed(v.READER, v.SALTS[:1], (b"no operation",))
    leaf = encode_leaf(v.executed(1, envelope, (v.ANSWERED[1],)))
    opened = rc.Opened(0, v.SALTS[0], b"no operation", v.ANSWERED[1])
    assert refused_reason(receipt_of(leaf, opened)) is Reason.MALFORMED


def test_a_leaf_with_other_counts_of_digests_does_not_open() -> None:
    """As many outcomes as operations, or none of them opens."""
    leaf = replace(v.LEAF, outcome_digests=v.LEAF.outcome_digests[:1])
    assert refused_reason(receipt_of(encode_leaf(leaf), OPENED)) is Reason.MALFORMED


def test_a_receipt_of_another_network_is_refused() -> None:
    """The body's network id is compared, whatever the log's keys are."""
    with pytest.raises(FormatError) as refused:
        rc.verify_receipt(v.RECEIPT, RULE, bytes(32))
    assert refused.value.reason is Reason.WRONG_NETWORK


@pytest.mark.parametrize("leaf", [v.header_of(1), v.GENESIS_LEAF], ids=["header", "genesis"])
def test_only_a_transaction_has_operations(leaf: Leaf) -> None:
    """A header or genesis leaf that is truly in the log opens nothing."""
    assert refused_reason(receipt_of(encode_leaf(leaf), OPENED)) is Reason.MALFORMED


def test_a_receipt_must_be_certified() -> None:
    """Another index, leaf, proof, checkpoint or quorum is NOT_CERTIFIED."""
    good = v.RECEIPT
    other = receipt_of(good.leaf, OPENED)
    unsigned = good.checkpoint.rsplit("\u2014 ".encode(), 1)[0]
    for wrong in (
        replace(good, index=good.index - 1),
        replace(good, index=2**63 - 2),
        replace(good, hashes=good.hashes[:-1]),
        replace(good, hashes=(*good.hashes, bytes(32))),
        replace(good, leaf=v.ENTRIES[1]),
        replace(good, leaf=good.leaf + b"\0"),
        replace(good, checkpoint=other.checkpoint),
        replace(good, checkpoint=unsigned),
    ):
        assert refused_reason(wrong) is Reason.NOT_CERTIFIED
    strangers = replace(
        v.TRUST, cosigners=(replace(v.TRUST.cosigners[0], public_key=v.fixed("stranger")),)
    )
    assert refused_reason(good, strangers) is Reason.NOT_CERTIFIED


def changed_extra(change: Callable[[list[Field]], list[Field]]) -> bytes:
    """The example's file with other fields in its extra line."""
    proof = decode_proof_file(rc.encode_receipt(v.RECEIPT))
    fields = split_fields(proof.extra or b"")
    return encode_proof_file(replace(proof, extra=join_fields(change(fields))))


def opened_at(position: int, salt: bytes = bytes(16)) -> Field:
    """One opened operation as a field of the extra line."""
    parts = [Field(1, VARINT, encode_varint(position))] if position else []
    return Field(2, BYTES, join_fields([*parts, Field(2, BYTES, salt)]))


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields[:1],
        lambda fields: [*fields, fields[-1]],
        lambda fields: [fields[0], opened_at(2), opened_at(1)],
        lambda fields: [fields[0], opened_at(2), opened_at(2)],
        lambda fields: [fields[0], opened_at(0, bytes(15))],
        lambda fields: fields[::-1],
        lambda fields: [*fields, Field(3, VARINT, b"\x01")],
        lambda fields: [*fields[:-1], Field(2, BYTES, fields[-1].value + b"\x28\x01")],
    ],
    ids=["none", "twice", "falling", "same", "salt", "backwards", "unknown", "unknown inside"],
)
def test_other_extra_lines_are_refused(change: Callable[[list[Field]], list[Field]]) -> None:
    """The extra line is canonical, opens something, and its positions grow."""
    with pytest.raises(FormatError) as refused:
        rc.decode_receipt(changed_extra(change))
    assert refused.value.reason is Reason.MALFORMED


def test_a_file_without_extra_is_no_receipt() -> None:
    """A bare proof file proves a leaf but opens nothing."""
    proof = decode_proof_file(rc.encode_receipt(v.RECEIPT))
    with pytest.raises(FormatError, match="no extra line"):
        rc.decode_receipt(encode_proof_file(ProofFile(proof.index, proof.hashes, proof.checkpoint)))


def test_an_oversized_leaf_is_too_large() -> None:
    """A leaf over its own limit is not looked into."""
    receipt = replace(v.RECEIPT, leaf=bytes(17_001))
    with pytest.raises(FormatError) as refused:
        rc.decode_receipt(rc.encode_receipt(receipt))
    assert refused.value.reason is Reason.TOO_LARGE


def test_what_no_file_can_carry_is_not_encoded() -> None:
    """Too much at once is TOO_LARGE; an impossible index or checkpoint is a FormatError too."""
    with pytest.raises(FormatError) as refused:
        rc.encode_receipt(replace(v.RECEIPT, opened=(replace(OPENED, outcome=bytes(50_000)),)))
    assert refused.value.reason is Reason.TOO_LARGE
    for wrong in (replace(v.RECEIPT, index=-1), replace(v.RECEIPT, checkpoint=b"no note")):
        with pytest.raises(FormatError):
            rc.encode_receipt(wrong)


def test_one_maximal_operation_of_a_maximal_leaf_fits_a_line() -> None:
    """The receipt of one of 256 widest operations stays within the line of 64 KiB."""
    put = Put("x" * 200, "y" * 200, bytes(16), 2**32 - 1, 255, bytes(32), 2**32 - 1, 2**64 - 1)
    at = Coordinates("x" * 200, "y" * 200, bytes(16), 2**32 - 1, 255, bytes(32))
    granted = ReadGranted(
        "x" * 200, "y" * 200, 2**64 - 1, at, *(bytes(32),) * 3, 2**64 - 1, 255, 2**32 - 1
    )
    answers = (encode_outcome(Outcome(Reason.OK, granted)),) * 256
    salts = tuple(v.fixed(f"salt {number}", 16) for number in range(256))
    envelope = v.signed(v.READER, salts, (encode_operation(put),) * 256)
    leaf = replace(v.executed(2**62, envelope, answers), time_ms=2**64 - 1)
    receipt = receipt_of(
        encode_leaf(leaf), rc.Opened(255, salts[255], envelope.operations[255], answers[255])
    )
    deep = replace(receipt, index=2**63 - 2, hashes=(bytes(32),) * 63)
    line = rc.encode_receipt(deep).split(b"\n")[1]
    assert len(line) + 1 < 26_000
    terms = CollectionTerms(bytes(8192), bytes(8192), tuple(bytes((n,)) * 20 for n in range(64)))
    created = encode_operation(CreateCollection("x" * 200, replace(terms, ttl_ms=2**64 - 1)))
    opened = rc.Opened(255, salts[255], created, answers[255])
    line = rc.encode_receipt(replace(deep, opened=(opened,))).split(b"\n")[1]
    assert len(line) + 1 < 49_000 < MAX_LINE_BYTES
    widest = rc.Opened(255, salts[255], bytes(MAX_OPERATION_BYTES), bytes(MAX_OUTCOME_BYTES))
    line = rc.encode_receipt(replace(deep, opened=(widest,))).split(b"\n")[1]
    assert len(line) + 1 < 57_000 < MAX_LINE_BYTES
    verified = rc.verify_receipt(rc.decode_receipt(rc.encode_receipt(receipt)), RULE, v.NETWORK_ID)
    assert verified.opened[0].operation == put


def test_many_operations_fit_until_the_line_is_full() -> None:
    """Opening 256 small operations of one leaf at once fits; the line limit is said, not met."""
    small = tuple(encode_operation(v.OPERATIONS["operation AcquireKey"]) for _ in range(256))
    envelope = v.signed(v.READER, (v.SALTS[0],) * 256, small)
    answers = (v.ANSWERED[1],) * 256
    leaf = encode_leaf(v.executed(1, envelope, answers))
    opened = tuple(rc.Opened(at, v.SALTS[0], small[at], answers[at]) for at in range(256))
    receipt = receipt_of(leaf, *opened)
    data = rc.encode_receipt(receipt)
    assert rc.decode_receipt(data) == receipt
    assert len(rc.verify_receipt(receipt, RULE, v.NETWORK_ID).opened) == 256
    assert max(map(len, data.split(b"\n"))) < MAX_LINE_BYTES


def test_digests_are_what_opens() -> None:
    """`open_operation` accepts exactly the preimages of the two digests at a position."""
    body = tx.decode_body(v.ENVELOPE.body)
    assert body.operation_digests[1] == operation_digest(SECOND.salt, SECOND.operation)
    assert v.LEAF.outcome_digests[1] == outcome_digest(SECOND.salt, SECOND.outcome)
    assert rc.open_operation(v.LEAF, body, SECOND).position == 1
    with pytest.raises(FormatError, match="no operation"):
        rc.open_operation(v.LEAF, body, replace(SECOND, position=256))
