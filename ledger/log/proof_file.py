"""The tlog-proof file: one leaf's inclusion under a signed checkpoint (C2SP tlog-proof, draft).

Rules: header line, an optional `extra` line of base64 (not authenticated, so whatever it carries
must be checked against the leaf hash), the index, at most 63 hashes with the leaf's sibling first,
an empty line, the signed checkpoint verbatim. A line with its newline has at most 64 KiB. One
spelling per file: whatever decodes re-encodes to the same bytes.

Not here: what `extra` means (the receipt format), the leaf itself.
"""

from dataclasses import dataclass

from ledger.log.errors import NoteError, ProofError
from ledger.log.merkle import HASH_BYTES, MAX_PROOF_HASHES, MAX_TREE_SIZE, verify_inclusion
from ledger.log.note import MAX_NOTE_BYTES, decode_note
from ledger.log.quorum import CertifiedCheckpoint, QuorumRule, verify_certified
from ledger.log.spelling import decode_base64, decode_decimal, encode_base64

MAX_LINE_BYTES = 65_536

_HEADER = b"c2sp.org/tlog-proof@v1\n"
_EXTRA = b"extra "
_INDEX = b"index "
_HASH_LINE_BYTES = 45
MAX_EXTRA_BYTES = (MAX_LINE_BYTES - len(_EXTRA) - 1) // 4 * 3
_MAX_INDEX_LINE_BYTES = len(_INDEX) + 19 + 1
MAX_PROOF_FILE_BYTES = (
    len(_HEADER)
    + MAX_LINE_BYTES
    + _MAX_INDEX_LINE_BYTES
    + MAX_PROOF_HASHES * _HASH_LINE_BYTES
    + 1
    + MAX_NOTE_BYTES
)


@dataclass(frozen=True, slots=True)
class ProofFile:
    """A leaf's 0-based index, its inclusion proof, the signed checkpoint's bytes, and `extra`.

    `extra` is None or 1 to 49,146 bytes that nothing here authenticates.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None


def encode_proof_file(proof: ProofFile) -> bytes:
    """Return the file's bytes; raises ProofError for parts that no file can carry."""
    if not 0 <= proof.index < MAX_TREE_SIZE:
        raise ProofError("index is not in 0 to 2^63 - 2")
    if len(proof.hashes) > MAX_PROOF_HASHES:
        raise ProofError(f"proof has {len(proof.hashes)} hashes, at most {MAX_PROOF_HASHES}")
    if any(len(value) != HASH_BYTES for value in proof.hashes):
        raise ProofError(f"a hash has not {HASH_BYTES} bytes")
    parts = [_HEADER]
    if proof.extra is not None:
        if not 1 <= len(proof.extra) <= MAX_EXTRA_BYTES:
            raise ProofError(f"extra has {len(proof.extra)} bytes, not 1 to {MAX_EXTRA_BYTES}")
        parts += (_EXTRA, encode_base64(proof.extra), b"\n")
    parts.append(b"%b%d\n" % (_INDEX, proof.index))
    parts += (encode_base64(value) + b"\n" for value in proof.hashes)
    _check_checkpoint(proof.checkpoint)
    parts += (b"\n", proof.checkpoint)
    return b"".join(parts)


def decode_proof_file(data: bytes) -> ProofFile:
    """Return the parts of a proof file; raises ProofError. Nothing is verified here."""
    if len(data) > MAX_PROOF_FILE_BYTES:
        raise ProofError(f"proof file has {len(data)} bytes, at most {MAX_PROOF_FILE_BYTES}")
    if not data.startswith(_HEADER):
        raise ProofError("proof file does not start with its header line")
    head, empty_line, checkpoint = data[len(_HEADER) :].partition(b"\n\n")
    if not empty_line:
        raise ProofError("proof file has no empty line before its checkpoint")
    lines = head.split(b"\n", MAX_PROOF_HASHES + 2)
    extra = _decode_extra(lines.pop(0)) if lines[0].startswith(_EXTRA) else None
    if not lines or not lines[0].startswith(_INDEX):
        raise ProofError("proof file has no index line")
    index = decode_decimal(lines[0][len(_INDEX) :], MAX_TREE_SIZE - 1, "index", ProofError)
    if len(lines) - 1 > MAX_PROOF_HASHES:
        raise ProofError(f"proof has more than {MAX_PROOF_HASHES} hashes")
    hashes = tuple(map(_decode_hash, lines[1:]))
    _check_checkpoint(checkpoint)
    return ProofFile(index, hashes, checkpoint, extra)


def verify_proof_file(
    proof: ProofFile, *, leaf_hash: bytes, rule: QuorumRule
) -> CertifiedCheckpoint:
    """Check that the leaf stands at `proof.index` under a checkpoint certified by the rule.

    Returns that checkpoint. Raises NoteError, CheckpointError, QuorumError or ProofError.
    Whoever uses `proof.extra` must have computed `leaf_hash` from it.
    """
    certified = verify_certified(proof.checkpoint, rule)
    verify_inclusion(
        index=proof.index,
        size=certified.checkpoint.size,
        leaf_hash=leaf_hash,
        proof=proof.hashes,
        root=certified.checkpoint.root,
    )
    return certified


def _decode_extra(line: bytes) -> bytes:
    if len(line) >= MAX_LINE_BYTES:
        raise ProofError(f"extra line has {len(line) + 1} bytes, at most {MAX_LINE_BYTES}")
    extra = decode_base64(line[len(_EXTRA) :], "extra", ProofError)
    if not extra:
        raise ProofError("extra line is empty")
    return extra


def _decode_hash(line: bytes) -> bytes:
    value = decode_base64(line, "proof hash", ProofError)
    if len(value) != HASH_BYTES:
        raise ProofError(f"a proof hash has {len(value)} bytes, not {HASH_BYTES}")
    return value


def _check_checkpoint(checkpoint: bytes) -> None:
    try:
        decode_note(checkpoint)
    except NoteError as fault:
        raise ProofError(f"checkpoint: {fault}") from fault
