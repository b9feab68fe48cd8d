"""Hashes and proofs of the RFC 6962 Merkle tree (RFC 6962 section 2.1, RFC 9162 section 2.1).

Rules: SHA-256 only; a leaf is hashed behind 0x00 and a node behind 0x01; the empty tree's root
is SHA-256 of nothing; an odd subtree is split at the largest power of two below its size. All
hashes are 32 bytes, an inclusion proof lists the leaf's sibling first.

Not here: making proofs (tree.py), who vouches for a root (quorum.py).
"""

from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest

from ledger.log.errors import ProofError

HASH_BYTES = 32
MAX_TREE_SIZE = 2**63 - 1
MAX_PROOF_HASHES = 63
EMPTY_ROOT = sha256(b"").digest()

_LEAF = b"\x00"
_NODE = b"\x01"


def leaf_hash(entry: bytes) -> bytes:
    """Return the 32-byte hash of a log entry (RFC 6962 section 2.1)."""
    return sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash over two 32-byte child hashes (RFC 6962 section 2.1)."""
    return sha256(_NODE + left + right).digest()


def root_from_inclusion(
    *, index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes]
) -> bytes:
    """Return the root that an inclusion proof leads to (RFC 9162 section 2.1.3.2).

    Takes the 0-based leaf index, the tree size, the 32-byte leaf hash and the proof.
    Raises ProofError if the index is not in the tree or the proof has not its only length.
    """
    if not 0 <= index < size <= MAX_TREE_SIZE:
        raise ProofError(f"leaf {index} is not in a tree of {size} leaves")
    _check_hashes(proof, leaf_hash)
    node, last, result = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError("inclusion proof is too long for the tree")
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            result = node_hash(result, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError("inclusion proof is too short for the tree")
    return result


def verify_inclusion(
    *, index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf stands at `index` of the tree with this size and 32-byte root.

    Raises ProofError if it is not shown (RFC 9162 section 2.1.3.2; at most 63 hashes).
    """
    found = root_from_inclusion(index=index, size=size, leaf_hash=leaf_hash, proof=proof)
    if not compare_digest(found, root):
        raise ProofError("inclusion proof does not lead to the root")


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `new_size` begins with the whole tree of `old_size`.

    Every tree extends the empty one and itself, both with an empty proof. Raises ProofError
    if it is not shown (RFC 9162 section 2.1.4.2; at most 63 hashes, roots of 32 bytes).
    """
    if not 0 <= old_size <= new_size <= MAX_TREE_SIZE:
        raise ProofError(f"a tree of {new_size} leaves cannot extend one of {old_size}")
    _check_hashes(proof, old_root, new_root)
    _check_empty_root(old_size, old_root)
    _check_empty_root(new_size, new_root)
    if old_size in (0, new_size):
        if proof:
            raise ProofError("consistency proof must be empty for these sizes")
        if old_size == new_size and not compare_digest(old_root, new_root):
            raise ProofError("two roots for one tree size")
        return
    if not proof:
        raise ProofError("consistency proof is empty")
    found_old, found_new = _roots_from_consistency(old_size, new_size, old_root, proof)
    if not (compare_digest(found_old, old_root) and compare_digest(found_new, new_root)):
        raise ProofError("consistency proof does not lead to both roots")


def _roots_from_consistency(
    old_size: int, new_size: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Fold the proof into the old and the new root (RFC 9162 section 2.1.4.2, steps 2 to 6)."""
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    # The old tree of a power of two is itself the first node, and the proof leaves it out.
    path = iter(proof)
    first = old_root if old_size & (old_size - 1) == 0 else next(path)
    old, new = first, first
    for sibling in path:
        if last == 0:
            raise ProofError("consistency proof is too long for the trees")
        if node & 1 or node == last:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError("consistency proof is too short for the trees")
    return old, new


def _check_empty_root(size: int, root: bytes) -> None:
    if size == 0 and root != EMPTY_ROOT:
        raise ProofError("root of the empty tree is not the hash of nothing")


def _check_hashes(proof: Sequence[bytes], *others: bytes) -> None:
    if len(proof) > MAX_PROOF_HASHES:
        raise ProofError(f"proof has {len(proof)} hashes, at most {MAX_PROOF_HASHES} allowed")
    for value in (*others, *proof):
        if len(value) != HASH_BYTES:
            raise ProofError(f"a hash has {len(value)} bytes, not {HASH_BYTES}")
