"""RFC 6962 hashes and the verification of proofs, against the definitions themselves."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.errors import LogError, ProofError
from ledger.log.merkle import (
    EMPTY_ROOT,
    MAX_PROOF_HASHES,
    MAX_TREE_SIZE,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    verify_consistency,
    verify_inclusion,
)
from tests.support.log_reference import path_of, proof_of, root_of, synthetic_leaves

LEAVES = synthetic_leaves(130)
hashes = st.binary(min_size=32, max_size=32)
sizes = st.integers(1, len(LEAVES))


def test_the_known_hashes_of_rfc_6962() -> None:
    """The empty root, the empty leaf and a node over two of them are the published ones."""
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (
        leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert (
        node_hash(b"N123", b"N456").hex()
        == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    )


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 100])
def test_every_leaf_of_a_tree_verifies(size: int) -> None:
    """The path of RFC 6962 section 2.1.1 verifies for each leaf, and for no other index."""
    leaves = LEAVES[:size]
    root = root_of(leaves)
    for index, leaf in enumerate(leaves):
        proof = path_of(index, leaves)
        verify_inclusion(index=index, size=size, leaf_hash=leaf, proof=proof, root=root)
        with pytest.raises(ProofError):
            verify_inclusion(
                index=(index + 1) % (size + 1), size=size, leaf_hash=leaf, proof=proof, root=root
            )


def test_every_pair_of_sizes_is_consistent() -> None:
    """The proof of RFC 6962 section 2.1.2 verifies for all sizes up to 40."""
    roots = [root_of(LEAVES[:size]) for size in range(41)]
    for new in range(1, 41):
        for old in range(1, new + 1):
            verify_consistency(
                old_size=old,
                old_root=roots[old],
                new_size=new,
                new_root=roots[new],
                proof=proof_of(old, LEAVES[:new]),
            )


@given(sizes, st.data())
def test_a_changed_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    """Dropping, adding or changing any hash, the leaf or the root is a ProofError."""
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    proof = path_of(index, leaves)
    good: dict[str, Any] = {
        "index": index,
        "size": size,
        "leaf_hash": leaves[index],
        "proof": proof,
        "root": root_of(leaves),
    }
    changed = data.draw(
        st.one_of(
            st.builds(lambda at, h: [*proof[:at], h, *proof[at:]], st.integers(0, 9), hashes),
            st.builds(lambda at: proof[:at], st.integers(0, max(len(proof) - 1, 0))),
            st.builds(
                lambda at, h: [*proof[:at], h, *proof[at + 1 :]],
                st.integers(0, max(len(proof) - 1, 0)),
                hashes,
            ),
        )
    )
    if changed != proof:
        with pytest.raises(ProofError):
            verify_inclusion(**good | {"proof": changed})
    for part in ("leaf_hash", "root"):
        with pytest.raises(ProofError):
            verify_inclusion(**good | {part: data.draw(hashes)})


@given(sizes, sizes, st.data())
def test_a_changed_consistency_proof_is_refused(a: int, b: int, data: st.DataObject) -> None:
    """Dropping, adding or changing any hash or root is a ProofError."""
    old, new = sorted((a, b))
    proof = proof_of(old, LEAVES[:new])
    good: dict[str, Any] = {
        "old_size": old,
        "old_root": root_of(LEAVES[:old]),
        "new_size": new,
        "new_root": root_of(LEAVES[:new]),
        "proof": proof,
    }
    verify_consistency(**good)
    for at in range(len(proof)):
        with pytest.raises(ProofError):
            verify_consistency(
                **good | {"proof": [*proof[:at], data.draw(hashes), *proof[at + 1 :]]}
            )
        with pytest.raises(ProofError):
            verify_consistency(**good | {"proof": [*proof[:at], *proof[at + 1 :]]})
    with pytest.raises(ProofError):
        verify_consistency(**good | {"proof": [*proof, data.draw(hashes)]})
    for part in ("old_root", "new_root"):
        with pytest.raises(ProofError):
            verify_consistency(**good | {part: data.draw(hashes)})


def test_two_roots_of_one_size_are_refused() -> None:
    """Equal sizes need equal roots and an empty proof."""
    first, second = LEAVES[:2]
    verify_consistency(old_size=1, old_root=first, new_size=1, new_root=first, proof=())
    for root, proof in ((second, ()), (first, (first,))):
        with pytest.raises(ProofError):
            verify_consistency(old_size=1, old_root=first, new_size=1, new_root=root, proof=proof)


def test_the_empty_tree_is_the_start_of_every_tree() -> None:
    """From size 0 only the hash of nothing and an empty proof are accepted."""
    leaf = LEAVES[0]
    verify_consistency(old_size=0, old_root=EMPTY_ROOT, new_size=1, new_root=leaf, proof=())
    verify_consistency(old_size=0, old_root=EMPTY_ROOT, new_size=0, new_root=EMPTY_ROOT, proof=())
    for old_root, new_size, new_root, proof in (
        (leaf, 1, leaf, ()),
        (EMPTY_ROOT, 1, leaf, (leaf,)),
        (EMPTY_ROOT, 0, leaf, ()),
    ):
        with pytest.raises(ProofError):
            verify_consistency(
                old_size=0, old_root=old_root, new_size=new_size, new_root=new_root, proof=proof
            )


def test_a_proof_has_the_length_of_its_sizes() -> None:
    """A proof that leads to the root of another shape of tree is refused for its length."""
    leaves = LEAVES[:4]
    whole, half = root_of(leaves), root_of(leaves[:2])
    with pytest.raises(ProofError, match="too short"):
        verify_inclusion(
            index=0, size=4, leaf_hash=leaves[0], proof=path_of(0, leaves[:2]), root=half
        )
    # leaf 2 of 4 passed off as leaf 0 of 2: the hashes would lead to the root
    with pytest.raises(ProofError, match="too long"):
        verify_inclusion(index=0, size=2, leaf_hash=leaves[2], proof=path_of(2, leaves), root=whole)
    with pytest.raises(ProofError, match="too short"):
        verify_consistency(
            old_size=1, old_root=leaves[0], new_size=4, new_root=half, proof=(leaves[1],)
        )
    # both roots pushed under one more left sibling
    over = [node_hash(leaves[3], root) for root in (leaves[0], half)]
    with pytest.raises(ProofError, match="too long"):
        verify_consistency(
            old_size=3,
            old_root=over[0],
            new_size=4,
            new_root=over[1],
            proof=(leaves[0], leaves[1], leaves[3], leaves[3]),
        )


def test_a_grown_tree_needs_a_proof() -> None:
    """Between two sizes above 0 an empty proof shows nothing."""
    with pytest.raises(ProofError, match="empty"):
        verify_consistency(
            old_size=1, old_root=LEAVES[0], new_size=2, new_root=root_of(LEAVES[:2]), proof=()
        )


@pytest.mark.parametrize("old, new", [(2, 1), (-1, 1), (1, MAX_TREE_SIZE + 1)])
def test_impossible_sizes_are_refused(old: int, new: int) -> None:
    """A tree does not shrink, is not negative and has less than 2^63 leaves."""
    leaf = LEAVES[0]
    with pytest.raises(ProofError):
        verify_consistency(old_size=old, old_root=leaf, new_size=new, new_root=leaf, proof=(leaf,))


@pytest.mark.parametrize("index, size", [(0, 0), (1, 1), (-1, 1), (0, MAX_TREE_SIZE + 1)])
def test_a_leaf_outside_the_tree_is_refused(index: int, size: int) -> None:
    """The index must be below the size, and the size below 2^63."""
    with pytest.raises(ProofError):
        verify_inclusion(index=index, size=size, leaf_hash=LEAVES[0], proof=(), root=LEAVES[0])


def test_a_proof_of_more_hashes_than_any_tree_has_is_refused() -> None:
    """64 hashes are refused before anything is hashed."""
    with pytest.raises(ProofError, match="at most 63"):
        root_from_inclusion(
            index=0, size=1, leaf_hash=LEAVES[0], proof=[LEAVES[0]] * (MAX_PROOF_HASHES + 1)
        )


@given(
    st.integers(-5, 2**64),
    st.integers(-5, 2**64),
    st.binary(max_size=40),
    st.lists(st.binary(max_size=40) | hashes, max_size=70),
    hashes,
)
def test_random_proofs_raise_nothing_but_log_errors(
    a: int, b: int, leaf: bytes, proof: list[bytes], root: bytes
) -> None:
    """Whatever comes, a proof either verifies or is a LogError."""
    with pytest.raises(LogError):
        verify_inclusion(index=a, size=b, leaf_hash=leaf, proof=[*proof, root], root=b"")
    with pytest.raises(LogError):
        verify_consistency(old_size=a, old_root=leaf, new_size=b, new_root=b"", proof=proof)
