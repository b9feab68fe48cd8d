"""Bodies, envelopes and leaves that are canonical bytes but cannot be meant; and their sizes."""

from dataclasses import replace

import pytest

from ledger.errors import FormatError
from ledger.format import leaf as lf
from ledger.format import transaction as tx
from ledger.format.operation import MAX_OPERATION_BYTES
from ledger.reason import Reason
from sealedger.v1 import ledger_pb2 as pb
from tests.ledger_format import make_vectors as v

BODY = tx.decode_body(v.ENVELOPE.body)
FULL = tx.Body(
    network_id=bytes(32),
    signer_kind=tx.SignerKind.NEW_SESSION,
    signer=bytes(33),
    sequence=2**64 - 1,
    valid_until_ms=2**64 - 1,
    atomic=True,
    operation_digests=(bytes(32),) * tx.MAX_OPERATIONS,
)


@pytest.mark.parametrize(
    "body",
    [
        replace(BODY, network_id=bytes(31)),
        replace(BODY, network_id=b""),
        replace(BODY, signer=bytes(20)),
        replace(BODY, signer=b""),
        replace(BODY, operation_digests=()),
        replace(BODY, operation_digests=(bytes(31),)),
        replace(BODY, operation_digests=(bytes(32), bytes(1))),
        replace(BODY, operation_digests=(bytes(32),) * 257),
    ],
)
def test_impossible_bodies_are_refused(body: tx.Body) -> None:
    """Wrong widths, no operation and more than 256 operations are MALFORMED."""
    with pytest.raises(FormatError) as refused:
        tx.decode_body(tx.encode_body(body))
    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("kind", tx.SignerKind)
@pytest.mark.parametrize("width", [0, 19, 20, 21, 31, 32, 33, 34, 65])
def test_a_signer_has_the_width_of_its_kind(kind: tx.SignerKind, width: int) -> None:
    """Only the width that belongs to the kind of signer decodes."""
    body = replace(BODY, signer_kind=kind, signer=bytes(width))
    if width == tx.SIGNER_BYTES[kind]:
        assert tx.decode_body(tx.encode_body(body)) == body
    else:
        with pytest.raises(FormatError):
            tx.decode_body(tx.encode_body(body))


@pytest.mark.parametrize("number", [0, 5, 2**31 - 1, -1])
def test_an_unknown_kind_of_signer_is_refused(number: int) -> None:
    """A signer of no kind or of a kind to come is MALFORMED."""
    message = pb.Body.FromString(v.ENVELOPE.body)
    message.signer_kind = number  # type: ignore[assignment]  # the wire can carry any number
    with pytest.raises(FormatError):
        tx.decode_body(message.SerializeToString(deterministic=True))


def test_kinds_have_their_numbers_and_widths() -> None:
    """The kinds are those of the messages, each with a width of signer and signature."""
    numbers = {name: number for name, number in pb.SignerKind.items() if number}
    assert numbers == {f"SIGNER_KIND_{kind.name}": kind.value for kind in tx.SignerKind}
    assert tx.SIGNER_BYTES.keys() == tx.SIGNATURE_BYTES.keys() == set(tx.SignerKind)


@pytest.mark.parametrize(
    "envelope",
    [
        replace(v.ENVELOPE, operations=()),
        tx.Envelope(b"", b"", (), (), ()),
        replace(v.ENVELOPE, operations=v.ASKED[:1]),
        replace(v.ENVELOPE, salts=v.SALTS[:1]),
        replace(v.ENVELOPE, salts=(bytes(16), bytes(15))),
        replace(v.ENVELOPE, salts=(bytes(16), bytes(17))),
        replace(v.ENVELOPE, payloads=(b"",)),
        replace(v.ENVELOPE, payloads=(b"",) * 3),
        tx.Envelope(b"", b"", (b"",) * 257, (bytes(16),) * 257, (b"",) * 257),
    ],
)
def test_impossible_envelopes_are_refused(envelope: tx.Envelope) -> None:
    """No operation, more than 256, or lists that do not fit each other are MALFORMED."""
    with pytest.raises(FormatError) as refused:
        tx.decode_envelope(tx.encode_envelope(envelope))
    assert refused.value.reason is Reason.MALFORMED


def test_an_operation_that_no_receipt_could_open_is_refused() -> None:
    """Over 4,096 bytes of one operation are TOO_LARGE: even a malformed one would be kept."""
    for size, fits in ((MAX_OPERATION_BYTES, True), (MAX_OPERATION_BYTES + 1, False)):
        envelope = replace(v.ENVELOPE, operations=(v.ASKED[0], bytes(size)))
        if fits:
            assert tx.decode_envelope(tx.encode_envelope(envelope)) == envelope
        else:
            with pytest.raises(FormatError) as refused:
                tx.decode_envelope(tx.encode_envelope(envelope))
            assert refused.value.reason is Reason.TOO_LARGE


def test_the_body_commits_to_its_operations() -> None:
    """Other operations, salts, order or count than the signed ones are MALFORMED."""
    operations, salts = v.ASKED, v.SALTS
    tx.verify_commitment(BODY, operations, salts)
    for wrong_operations, wrong_salts in (
        (operations[::-1], salts),
        (operations, salts[::-1]),
        (operations[:1], salts[:1]),
        (operations, salts[:1]),
        (operations[:1], salts),
        ((*operations, b""), (*salts, bytes(16))),
        ((*operations, b""), salts),
        ((operations[0] + b"\0", operations[1]), salts),
        ((), ()),
    ):
        with pytest.raises(FormatError) as refused:
            tx.verify_commitment(BODY, wrong_operations, wrong_salts)
        assert refused.value.reason is Reason.MALFORMED


def test_a_body_of_another_network_is_wrong_network() -> None:
    """The network id in the body is compared with ours."""
    tx.verify_network(BODY, v.NETWORK_ID)
    with pytest.raises(FormatError) as refused:
        tx.verify_network(BODY, bytes(32))
    assert refused.value.reason is Reason.WRONG_NETWORK


def test_the_leaf_of_256_operations_is_small() -> None:
    """The widest body and leaf are within 8,448 and 17,000 bytes, far under the tile's 65,535."""
    body = tx.encode_body(FULL)
    leaf = lf.TransactionLeaf(2**64 - 1, 2**64 - 1, body, bytes(65), (bytes(32),) * 256)
    encoded = lf.encode_leaf(leaf)
    assert len(body) == 8290 <= tx.MAX_BODY_BYTES
    assert len(encoded) == 16_581 <= lf.MAX_LEAF_BYTES < 17_001 < 65_536
    assert tx.decode_body(body) == FULL
    assert lf.decode_leaf(encoded) == leaf


@pytest.mark.parametrize(
    "leaf",
    [
        *(replace(v.LEAF, signature=bytes(width)) for width in (0, 63, 66)),
        replace(v.LEAF, outcome_digests=()),
        replace(v.LEAF, outcome_digests=(bytes(31),)),
        replace(v.LEAF, outcome_digests=(bytes(32),) * 257),
        *(replace(v.header_of(1), state_root=bytes(width)) for width in (1, 31, 33, 64)),
        *(replace(v.GENESIS_LEAF, network_id=bytes(width)) for width in (0, 31, 33)),
    ],
)
def test_impossible_leaves_are_refused(leaf: lf.Leaf) -> None:
    """Signatures, digests, roots and network ids of a wrong width are MALFORMED."""
    with pytest.raises(FormatError) as refused:
        lf.decode_leaf(lf.encode_leaf(leaf))
    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("data", [b"", b"\x22\x00"], ids=["empty", "kind 4"])
def test_a_leaf_has_a_kind(data: bytes) -> None:
    """Nothing, and a kind that nobody knows, are no leaves."""
    with pytest.raises(FormatError):
        lf.decode_leaf(data)


def test_a_leaf_holds_no_name() -> None:
    """Neither names nor outcomes of an operation stand in its leaf."""
    encoded = lf.encode_leaf(v.LEAF)
    for secret in (b"app/secrets", b"db/password", v.AT.record_id, v.GRANTED.sealed_digest):
        assert any(secret in part for part in (*v.ASKED, *v.ANSWERED))
        assert secret not in encoded
