"""This core's cosignature: only forward, one root per size."""

import pytest

from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.log.checkpoint import decode_checkpoint
from ledger.log.cosignature import verify_cosignature
from ledger.log.note import SignatureType, VerifierKey, decode_note
from network.cosigner import Cosigner
from network.errors import EngineFailedError

NAME = "dev.log.example/core"
ORIGIN = "dev.log.example/1"
ROOT = bytes(32)
OTHER_ROOT = b"\x01" * 32


@pytest.fixture
def key() -> SigningKey:
    """The core's key."""
    return SigningKey(Secret(bytes(range(32))))


@pytest.fixture
def core(key: SigningKey) -> Cosigner:
    """A core that signed nothing yet."""
    return Cosigner(
        origin=ORIGIN,
        name=NAME,
        public_key=key.public,
        sign=key.sign,
        clock_s=lambda: 1_800_000_000,
    )


def test_signs_what_it_is_given(core: Cosigner, key: SigningKey) -> None:
    """The note holds the checkpoint and one line that verifies under the core's key."""
    note = decode_note(core.cosign(7, ROOT))
    checkpoint = decode_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, 7, ROOT)
    (line,) = note.signatures
    verifier = VerifierKey(NAME, SignatureType.COSIGNATURE, key.public)
    assert verify_cosignature(note.text, line, verifier) == 1_800_000_000


def test_same_tree_again(core: Cosigner) -> None:
    """The same size and root may be signed again, a larger size too."""
    assert core.cosign(7, ROOT) == core.cosign(7, ROOT)
    assert core.cosign(8, OTHER_ROOT)


@pytest.mark.parametrize("size, root", [(7, OTHER_ROOT), (6, ROOT), (1, OTHER_ROOT)])
def test_never_another_root_or_back(core: Cosigner, size: int, root: bytes) -> None:
    """Another root of a signed size, or a smaller size, is refused and changes nothing."""
    core.cosign(7, ROOT)
    with pytest.raises(EngineFailedError):
        core.cosign(size, root)
    assert core.cosign(7, ROOT)
