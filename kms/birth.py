"""The birth of a key service: secrets first, then the genesis that names its keys.

Genesis holds the public keys, and its hash is in every derivation, so the service is born unbound:
it shows two public keys, the founder writes genesis with them, and `bind` checks that and seals the
first state. Nothing is on disk before. A place that holds a sealed state is never born over.
"""

import os

from attestation.platforms.platform import Platform
from kms.anchor import read_anchor
from kms.errors import KeyServiceStateError
from kms.keys import service_keys
from kms.service import NONCE_BYTES, KeyService, save_state, verify_belongs
from kms.state import NOTHING_HELD, SECRET_BYTES, KeyServiceState, SealedState
from ledger.crypto.secret import Secret

FIRST_EPOCH = 1


class UnboundKeyService:
    """A new key service that belongs to no network yet; see `create_key_service`."""

    __slots__ = ("_epoch_secret", "_keys", "_platform", "_seed", "_store")

    def __init__(
        self, *, seed: Secret, epoch_secret: Secret, platform: Platform, store: SealedState
    ) -> None:
        """Keep the parts; the two secrets have 32 random bytes."""
        self._seed = seed
        self._epoch_secret = epoch_secret
        self._keys = service_keys(seed)
        self._platform = platform
        self._store = store

    @property
    def log_key(self) -> bytes:
        """The Ed25519 public key that genesis names as the log's, 32 bytes."""
        return self._keys.log.public

    @property
    def service_key(self) -> bytes:
        """The Ed25519 public key that genesis names as the key service's, 32 bytes."""
        return self._keys.service.public

    def bind(self, genesis: bytes) -> KeyService:
        """Bind to the genesis that names these keys and epoch 1; the state is sealed on return.

        Raises KeyServiceStateError if genesis names other keys or another epoch, or saving fails.
        """
        anchor = read_anchor(genesis)
        state = KeyServiceState(
            network_id=anchor.network_id,
            service_seed=self._seed,
            epochs={FIRST_EPOCH: self._epoch_secret},
            trust=anchor.trust_bytes,
            held=NOTHING_HELD,
        )
        verify_belongs(state, anchor)
        _verify_unborn(self._store)
        save_state(state, self._platform, self._store)
        nonce = os.urandom(NONCE_BYTES)
        return KeyService(
            state, anchor, platform=self._platform, store=self._store, start_nonce=nonce
        )


def create_key_service(*, platform: Platform, store: SealedState) -> UnboundKeyService:
    """Draw the service seed and the secret of epoch 1.

    Raises KeyServiceStateError if `store` already holds a state: its secrets would be lost.
    """
    _verify_unborn(store)
    return UnboundKeyService(
        seed=Secret(os.urandom(SECRET_BYTES)),
        epoch_secret=Secret(os.urandom(SECRET_BYTES)),
        platform=platform,
        store=store,
    )


def _verify_unborn(store: SealedState) -> None:
    if store.load() is not None:
        raise KeyServiceStateError(
            "there is a sealed key-service state already: open it, or choose an empty home"
        )
