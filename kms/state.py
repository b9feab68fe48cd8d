"""All that the key service keeps, its strict codec and its sealing.

A sealed state is::

    0    1  version, 1
    1   32  salt, random for each save
    33   .  AES-256-GCM of the canonical KeyServiceState message, with its 16-byte tag

The key is HKDF(platform sealing key, label ‖ salt), so each encrypts one message; label, version
and salt are additional data. An old blob opens too: what makes it harmless is the start nonce
(start.py), not the blob. Not here: the file itself (the `SealedState` port), when it is saved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from kms.errors import KeyServiceStateError
from ledger.crypto import aead, derive
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format.strict import decode_strict, encode, verify_length
from ledger.format.trust import MAX_TRUST_BYTES
from ledger.log.merkle import EMPTY_ROOT, HASH_BYTES, MAX_TREE_SIZE
from sealedger.v1 import kms_pb2 as pb

VERSION = 1
LABEL = derive.KEY_SERVICE_STATE  # of the platform's key too
SALT_BYTES = 32
SECRET_BYTES = 32
MAX_EPOCHS = 1024
MAX_STATE_BYTES = MAX_TRUST_BYTES + MAX_EPOCHS * 64 + 1024
MAX_SEALED_BYTES = 1 + SALT_BYTES + MAX_STATE_BYTES + aead.TAG_BYTES


@dataclass(frozen=True, slots=True)
class Held:
    """The checkpoint that the service stands on, and the block time of its last leaf."""

    size: int
    root: bytes
    time_ms: int


NOTHING_HELD = Held(0, EMPTY_ROOT, 0)


@dataclass(frozen=True, slots=True)
class KeyServiceState:
    """The memory of the key service; what is secret in it is a `Secret`."""

    network_id: bytes
    service_seed: Secret
    epochs: Mapping[int, Secret]
    trust: bytes
    held: Held


class SealedState(Protocol):
    """The one blob that the key service keeps on disk.

    `load` gives what the last finished `save` got, or None if there never was one. `save` replaces
    it durably and atomically: after a crash the old blob or the new one is there, whole. Both are
    called from one thread at a time, may block on the disk, are not retried, and raise
    KeyServiceStateError when the disk fails. The blob is opaque and safe to show.
    """

    def load(self) -> bytes | None:
        """The blob, or None."""
        ...

    def save(self, blob: bytes) -> None:
        """Keep the blob instead of the one before."""
        ...


def encode_state(state: KeyServiceState) -> Secret:
    """The canonical bytes, which hold every secret of the service."""
    return Secret(
        encode(
            pb.KeyServiceState(
                network_id=state.network_id,
                service_seed=state.service_seed.reveal(),
                epochs=(
                    pb.EpochSecret(epoch=epoch, secret=state.epochs[epoch].reveal())
                    for epoch in sorted(state.epochs)
                ),
                trust=state.trust,
                held_size=state.held.size,
                held_root=state.held.root,
                held_time_ms=state.held.time_ms,
            )
        )
    )


def decode_state(data: Secret) -> KeyServiceState:
    """Decode canonical bytes; FormatError for anything else, without a byte of it."""
    message = decode_strict(pb.KeyServiceState, data.reveal(), MAX_STATE_BYTES)
    numbers = [one.epoch for one in message.epochs]
    if not numbers or numbers[0] < 1 or numbers != sorted(set(numbers)):
        raise FormatError("state: epochs must be there, start at 1 or later, and grow")
    if len(numbers) > MAX_EPOCHS or not 0 < len(message.trust) <= MAX_TRUST_BYTES:
        raise FormatError("state: too many epochs, or a trust document of impossible size")
    held = Held(
        message.held_size,
        verify_length("held_root", message.held_root, HASH_BYTES),
        message.held_time_ms,
    )
    if held.size > MAX_TREE_SIZE or (held.size == 0 and held != NOTHING_HELD):
        raise FormatError("state: an impossible held checkpoint")
    return KeyServiceState(
        network_id=verify_length("network_id", message.network_id, 32),
        service_seed=_secret("service_seed", message.service_seed),
        epochs={one.epoch: _secret("epoch secret", one.secret) for one in message.epochs},
        trust=message.trust,
        held=held,
    )


def seal_state(state: KeyServiceState, platform_key: Secret, salt: bytes) -> bytes:
    """The sealed state; `salt` is 32 random bytes, fresh for each save."""
    verify_length("salt", salt, SALT_BYTES)
    head = bytes((VERSION,)) + salt
    key = derive.derive(platform_key, LABEL, salt)
    return head + aead.seal_once(key, encode_state(state).reveal(), LABEL + head)


def open_state(blob: bytes, platform_key: Secret) -> KeyServiceState:
    """Open a sealed state; KeyServiceStateError if it is not one of this platform and build."""
    head = blob[: 1 + SALT_BYTES]
    if not len(head) < len(blob) <= MAX_SEALED_BYTES:
        raise KeyServiceStateError(
            f"the sealed key-service state has an impossible size ({len(blob)} bytes): "
            "put back the file that this node wrote"
        )
    if head[0] != VERSION:
        raise KeyServiceStateError(
            f"the sealed key-service state has version {head[0]}, this build knows {VERSION}: "
            "start the build that wrote it"
        )
    key = derive.derive(platform_key, LABEL, head[1:])
    try:
        return decode_state(Secret(aead.open_once(key, blob[len(head) :], LABEL + head)))
    except aead.OpenError as error:
        raise KeyServiceStateError(
            "the sealed key-service state does not open here: it was changed, or sealed on another "
            "machine, by another signer or product, or under other firmware; start it where it was "
            "sealed, or recover from the shares"
        ) from error
    except FormatError as error:
        raise KeyServiceStateError(
            f"the sealed key-service state is not one that this build writes ({error}): "
            "start the build that wrote it"
        ) from error


def _secret(field: str, value: bytes) -> Secret:
    return Secret(verify_length(field, value, SECRET_BYTES))
