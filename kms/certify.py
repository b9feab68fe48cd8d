"""Moving to a newer checkpoint, and the log key's signature under it.

1. The note carries the quorum of the trust document's cosigners.
2. It is not smaller than the held checkpoint and begins with the whole of it (RFC 6962
   consistency); of the same size it has the same root.
3. Its last leaf is shown: a block header, or the genesis leaf at size 1. It speaks of this network
   and of the trust document that this service judges by.
4. Its block time is not before the held one.
5. Then, and only then, the log key signs: its line comes first, in place of any it had.

So one holder of the log key cannot make a certified note, and neither can a quorum make two trees.
Not here: saving what is held (service.py), asking witnesses (the node).
"""

from kms.anchor import TrustAnchor
from kms.errors import KeyServiceRefusal
from kms.messages import CertifyRequest
from kms.state import Held
from ledger.crypto.ed25519 import SigningKey
from ledger.errors import FormatError
from ledger.format.leaf import BlockHeader, GenesisLeaf, decode_leaf
from ledger.log.checkpoint import Checkpoint
from ledger.log.errors import LogError
from ledger.log.merkle import leaf_hash, verify_consistency, verify_inclusion
from ledger.log.note import Note, decode_note, encode_note, is_line_of, sign_note
from ledger.log.quorum import verify_quorum
from ledger.reason import Reason


def verify_move(request: CertifyRequest, anchor: TrustAnchor, held: Held) -> Held:
    """Check 1 to 4 and give the checkpoint to hold; KeyServiceRefusal otherwise."""
    try:
        checkpoint = verify_quorum(request.note, anchor.rule).checkpoint
        verify_consistency(
            old_size=held.size,
            old_root=held.root,
            new_size=checkpoint.size,
            new_root=checkpoint.root,
            proof=request.consistency,
        )
        verify_inclusion(
            index=checkpoint.size - 1,
            size=checkpoint.size,
            leaf_hash=leaf_hash(request.header),
            proof=request.header_hashes,
            root=checkpoint.root,
        )
    except LogError as error:
        raise KeyServiceRefusal(Reason.NOT_CERTIFIED, str(error)) from error
    time_ms = _block_time(request.header, anchor, checkpoint)
    if time_ms < held.time_ms:
        raise KeyServiceRefusal(Reason.NOT_CERTIFIED, "the block is older than the held one")
    return Held(checkpoint.size, checkpoint.root, time_ms)


def sign_with_log_key(data: bytes, anchor: TrustAnchor, log_key: SigningKey) -> bytes:
    """The same note with the log key's line first; KeyServiceRefusal if it has no room for it."""
    try:
        note = decode_note(data)
        line = sign_note(note.text, key=anchor.rule.log_key, sign=log_key.sign)
        others = (one for one in note.signatures if not is_line_of(one, anchor.rule.log_key))
        return encode_note(Note(note.text, (line, *others)))
    except LogError as error:
        raise KeyServiceRefusal(Reason.NOT_CERTIFIED, str(error)) from error


def _block_time(header: bytes, anchor: TrustAnchor, checkpoint: Checkpoint) -> int:
    try:
        leaf = decode_leaf(header)
    except FormatError as error:
        raise KeyServiceRefusal(error.reason, str(error)) from error
    if isinstance(leaf, GenesisLeaf) and checkpoint.size == 1:
        if leaf.network_id != anchor.network_id:
            raise KeyServiceRefusal(Reason.WRONG_NETWORK, "the log is of another network")
        return leaf.time_ms
    if not isinstance(leaf, BlockHeader) or checkpoint.size == 1:
        raise KeyServiceRefusal(Reason.NOT_CERTIFIED, "the last leaf does not end a block")
    if leaf.trust_version != anchor.trust.version:
        raise KeyServiceRefusal(
            Reason.WRONG_TRUST_DOCUMENT,
            f"the block is under trust document {leaf.trust_version}, "
            f"this key service judges by {anchor.trust.version}",
        )
    return leaf.time_ms
