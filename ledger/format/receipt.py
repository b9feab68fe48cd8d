"""The receipt: proof that an operation, with its outcome, stands on the certified ledger.

It is one C2SP tlog-proof file whose ``extra`` line carries the leaf and the opened operations; it
releases a key, it is kept by reader and owner, and it verifies offline. Verification:

1. the checkpoint is certified by the trust document's quorum, log key and witnesses;
2. the leaf is included at `index`;
3. the leaf's body is canonical and for this network;
4. each opened operation hashes to the body's digest, each outcome to the leaf's, at its position.

Not here: what an outcome entitles to (``kms``), files and endpoints.
"""

from dataclasses import dataclass

from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError
from ledger.format.leaf import MAX_LEAF_BYTES, TransactionLeaf, decode_leaf
from ledger.format.operation import (
    SALT_BYTES,
    Operation,
    decode_operation,
    operation_digest,
    outcome_digest,
)
from ledger.format.outcome import Outcome, decode_outcome
from ledger.format.strict import decode_strict, encode, verify_length
from ledger.format.transaction import Body, decode_body, verify_network
from ledger.log.errors import LogError
from ledger.log.merkle import leaf_hash
from ledger.log.proof_file import (
    MAX_EXTRA_BYTES,
    MAX_PROOF_FILE_BYTES,
    ProofFile,
    decode_proof_file,
    encode_proof_file,
    verify_proof_file,
)
from ledger.log.quorum import CertifiedCheckpoint, QuorumRule
from ledger.reason import Reason

MAX_RECEIPT_BYTES = MAX_PROOF_FILE_BYTES


@dataclass(frozen=True, slots=True)
class Opened:
    """One operation of a leaf, opened: its salt, its bytes and its outcome's bytes."""

    position: int
    salt: bytes
    operation: bytes
    outcome: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """A decoded receipt file; nothing in it is verified yet."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes  # certified, as a signed note
    leaf: bytes
    opened: tuple[Opened, ...]


@dataclass(frozen=True, slots=True)
class OpenedOperation:
    """An operation and its outcome that a leaf is proven to commit to."""

    position: int
    operation: Operation
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a valid receipt says."""

    index: int
    leaf_hash: bytes
    leaf: TransactionLeaf
    body: Body
    certified: CertifiedCheckpoint
    opened: tuple[OpenedOperation, ...]


def encode_receipt(receipt: Receipt) -> bytes:
    """The receipt file; FormatError if it does not fit a line of 64 KiB."""
    extra = encode(
        pb.Opening(
            leaf=receipt.leaf,
            operations=(
                pb.OpenedOperation(
                    position=one.position,
                    salt=one.salt,
                    operation=one.operation,
                    outcome=one.outcome,
                )
                for one in receipt.opened
            ),
        )
    )
    if len(extra) > MAX_EXTRA_BYTES:
        raise FormatError("receipt: too many operations opened at once", Reason.TOO_LARGE)
    try:
        return encode_proof_file(
            ProofFile(receipt.index, receipt.hashes, receipt.checkpoint, extra)
        )
    except LogError as error:
        raise FormatError(f"receipt: {error}") from error


def decode_receipt(data: bytes) -> Receipt:
    """Decode a receipt file; FormatError for any other spelling. Nothing is verified."""
    if len(data) > MAX_RECEIPT_BYTES:
        raise FormatError(f"receipt: {len(data)} bytes", Reason.TOO_LARGE)
    try:
        proof = decode_proof_file(data)
    except LogError as error:
        raise FormatError(f"receipt: {error}") from error
    if proof.extra is None:
        raise FormatError("receipt: no extra line with the leaf")
    message = decode_strict(pb.Opening, proof.extra, MAX_EXTRA_BYTES)
    if len(message.leaf) > MAX_LEAF_BYTES:
        raise FormatError(f"receipt: a leaf of {len(message.leaf)} bytes", Reason.TOO_LARGE)
    if not message.operations:
        raise FormatError("receipt: it opens no operation")
    opened = tuple(
        Opened(
            one.position,
            verify_length("salt", one.salt, SALT_BYTES),
            one.operation,
            one.outcome,
        )
        for one in message.operations
    )
    positions = [one.position for one in opened]
    if positions != sorted(set(positions)):
        raise FormatError("receipt: positions must grow")
    return Receipt(proof.index, proof.hashes, proof.checkpoint, message.leaf, opened)


def verify_receipt(receipt: Receipt, rule: QuorumRule, network_id: bytes) -> VerifiedReceipt:
    """Check a receipt (1 to 4 above).

    Raises FormatError (NOT_CERTIFIED where the log's proof or its signatures do not hold).
    """
    hashed = leaf_hash(receipt.leaf)
    proof = ProofFile(receipt.index, receipt.hashes, receipt.checkpoint)
    try:
        certified = verify_proof_file(proof, leaf_hash=hashed, rule=rule)
    except LogError as error:
        raise FormatError(f"receipt: {error}", Reason.NOT_CERTIFIED) from error
    leaf = decode_leaf(receipt.leaf)
    if not isinstance(leaf, TransactionLeaf):
        raise FormatError("receipt: the leaf is no transaction")
    body = decode_body(leaf.body)
    verify_network(body, network_id)
    opened = tuple(open_operation(leaf, body, one) for one in receipt.opened)
    return VerifiedReceipt(receipt.index, hashed, leaf, body, certified, opened)


def open_operation(leaf: TransactionLeaf, body: Body, opened: Opened) -> OpenedOperation:
    """Check that the leaf commits to this operation and outcome (4 above); FormatError if not."""
    # Salts of one width: a longer one could take the first bytes of an operation for itself.
    verify_length("salt", opened.salt, SALT_BYTES)
    at = opened.position
    if at >= len(body.operation_digests) or len(leaf.outcome_digests) != len(
        body.operation_digests
    ):
        raise FormatError("receipt: no operation at this position")
    if operation_digest(opened.salt, opened.operation) != body.operation_digests[at]:
        raise FormatError("receipt: the body does not commit to this operation")
    if outcome_digest(opened.salt, opened.outcome) != leaf.outcome_digests[at]:
        raise FormatError("receipt: the leaf does not commit to this outcome")
    return OpenedOperation(at, decode_operation(opened.operation), decode_outcome(opened.outcome))
