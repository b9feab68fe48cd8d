"""Independent implementations agree: pymerkle on trees, metamorphic-log on proofs and notes."""

import metamorphic_log
import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log.checkpoint import Checkpoint
from ledger.log.merkle import leaf_hash
from ledger.log.note import encode_vkey
from ledger.log.tree import Tree
from tests.support.log_reference import MemoryTiles
from tests.support.log_signers import cosigner, log_signer, signed_note

COUNT = 600
ENTRIES = [b"entry %d" % number for number in range(COUNT)]
LOG = log_signer("example.org/log/1")


@pytest.fixture(scope="module")
def tree() -> Tree:
    """Our tree of the entries."""
    tree = Tree.open(MemoryTiles(), 0)
    tree.append([leaf_hash(entry) for entry in ENTRIES])
    return tree


@pytest.fixture(scope="module")
def other() -> pymerkle.InmemoryTree:
    """The same entries in pymerkle, which prefixes leaves and nodes as RFC 6962 does."""
    other = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in ENTRIES:
        other.append_entry(entry)
    return other


@settings(max_examples=40)
@given(st.integers(1, COUNT), st.data())
def test_pymerkle_has_the_same_roots_and_paths(
    tree: Tree, other: pymerkle.InmemoryTree, size: int, data: st.DataObject
) -> None:
    """Roots and inclusion paths are the same hashes (its consistency proofs have another form)."""
    assert other.get_root(size) == tree.root_at(size)
    index = data.draw(st.integers(0, size - 1))
    proof = other.prove_inclusion(index + 1, size)
    ours = tree.inclusion_proof(index, size)
    # pymerkle's path begins with the leaf itself
    assert proof.path[0] == leaf_hash(ENTRIES[index])
    assert tuple(proof.path[1:]) == ours


@settings(max_examples=60)
@given(st.integers(1, COUNT), st.integers(1, COUNT), st.data())
def test_metamorphic_log_accepts_our_proofs(
    tree: Tree, a: int, b: int, data: st.DataObject
) -> None:
    """Consistency and inclusion proofs verify there, and changed ones do not."""
    old, new = sorted((a, b))
    roots = tree.root_at(old), tree.root_at(new)
    proof = list(tree.consistency_proof(old, new))
    metamorphic_log.verify_consistency(old, new, proof, *roots)
    with pytest.raises(metamorphic_log.VerifyError):
        metamorphic_log.verify_consistency(old, new, [*proof, bytes(32)], *roots)
    index = data.draw(st.integers(0, new - 1))
    path = list(tree.inclusion_proof(index, new))
    leaf = leaf_hash(ENTRIES[index])
    metamorphic_log.verify_inclusion(index, new, leaf, path, roots[1])
    with pytest.raises(metamorphic_log.VerifyError):
        metamorphic_log.verify_inclusion(index, new, bytes(32), path, roots[1])


def test_metamorphic_log_accepts_our_checkpoints(tree: Tree) -> None:
    """A signed checkpoint, cosigned too, verifies there under our log key and no other."""
    checkpoint = Checkpoint(LOG.key.name, tree.size, tree.root())
    note = signed_note(checkpoint, [LOG, cosigner("core.example.org")]).decode()
    head = metamorphic_log.checkpoint_verify(note, [encode_vkey(LOG.key)])
    assert (head.origin, head.size, head.root) == (LOG.key.name, tree.size, tree.root())
    assert metamorphic_log.verify_signed_note(note, [encode_vkey(LOG.key)]) == 1
    metamorphic_log.checkpoint_verify_inclusion(
        note,
        [encode_vkey(LOG.key)],
        5,
        leaf_hash(ENTRIES[5]),
        list(tree.inclusion_proof(5, tree.size)),
    )
    with pytest.raises(metamorphic_log.VerifyError):
        metamorphic_log.checkpoint_verify(note, [encode_vkey(log_signer("example.org").key)])
