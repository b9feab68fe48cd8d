"""Deterministic log, cosigner and witness keys for tests, and the notes that they sign."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.log.checkpoint import Checkpoint, encode_checkpoint
from ledger.log.cosignature import cosign
from ledger.log.note import Note, SignatureLine, SignatureType, VerifierKey, encode_note, sign_note
from ledger.log.quorum import Cosigner, QuorumRule

TIME_S = 1_790_000_000


@dataclass(frozen=True, slots=True)
class TestSigner:
    """A verifier key together with its private half, made from the name alone."""

    __test__ = False

    key: VerifierKey
    signing: SigningKey

    def line(self, text: bytes, time_s: int = TIME_S) -> SignatureLine:
        """Sign a checkpoint text, with a time if this is a cosigner's key."""
        if self.key.kind is SignatureType.ED25519:
            return sign_note(text, key=self.key, sign=self.signing.sign)
        return cosign(text, key=self.key, time_s=time_s, sign=self.signing.sign)


def log_signer(name: str) -> TestSigner:
    """A log key (type 0x01) of this name."""
    return _signer(name, SignatureType.ED25519)


def cosigner(name: str) -> TestSigner:
    """A cosigner's or witness's key (type 0x04) of this name."""
    return _signer(name, SignatureType.COSIGNATURE)


def signed_note(checkpoint: Checkpoint, signers: Iterable[TestSigner]) -> bytes:
    """The note of a checkpoint, signed by each of the signers at TIME_S."""
    text = encode_checkpoint(checkpoint)
    return encode_note(Note(text, tuple(signer.line(text) for signer in signers)))


def rule_of(
    log: TestSigner, cosigners: Iterable[tuple[TestSigner, str]], threshold: int
) -> QuorumRule:
    """A rule without witnesses over cosigners and their operators."""
    return QuorumRule(
        log.key, tuple(Cosigner(one.key, operator) for one, operator in cosigners), threshold
    )


def _signer(name: str, kind: SignatureType) -> TestSigner:
    signing = SigningKey(Secret(sha256(f"test {kind} {name}".encode()).digest()))
    return TestSigner(VerifierKey(name, kind, signing.public), signing)
