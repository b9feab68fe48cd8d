"""The keys that the service derives from its seed and its epoch secrets (design section 6).

Derived session secrets and writer keys are kept in two bounded caches, because the same few
sessions come again with every transaction. An epoch that the service does not hold is an answer
(EPOCH_UNKNOWN), never a fresh secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from kms.errors import KeyServiceRefusal
from ledger import sealing
from ledger.crypto import derive
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.crypto.xwing import DecapsulationKey
from ledger.reason import Reason

CACHED_SESSIONS = 1024
CACHED_WRITERS = 4096
CACHED_SEALING = 256


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """The log key and the service key of one seed; every core of the network has the same."""

    log: SigningKey
    service: SigningKey


def service_keys(seed: Secret) -> ServiceKeys:
    """The two signing keys of a 32-byte service seed."""
    return ServiceKeys(
        log=SigningKey(derive.derive(seed, derive.LOG_KEY)),
        service=SigningKey(derive.derive(seed, derive.SERVICE_KEY)),
    )


class EpochKeys:
    """What is derived from the epoch secrets; safe to call from several threads."""

    __slots__ = ("_epochs", "_sealing", "_session", "_writer")

    def __init__(self, epochs: Mapping[int, Secret]) -> None:
        """Keep the 32-byte secrets by epoch number."""
        self._epochs = dict(epochs)
        self._session = lru_cache(CACHED_SESSIONS)(self._derive_session)
        self._writer = lru_cache(CACHED_WRITERS)(self._derive_writer)
        self._sealing = lru_cache(CACHED_SEALING)(self._derive_sealing)

    def session_secret(self, epoch: int, session_id: bytes) -> Secret:
        """What a session shares with the service; KeyServiceRefusal EPOCH_UNKNOWN."""
        return self._session(epoch, session_id)

    def writer_key(self, epoch: int, collection: str, session_id: bytes) -> Secret:
        """A writer session's key of a collection; KeyServiceRefusal EPOCH_UNKNOWN."""
        return self._writer(epoch, collection, session_id)

    def sealing_key(self, epoch: int, collection: str) -> DecapsulationKey:
        """A collection's pair for owners without a session; KeyServiceRefusal EPOCH_UNKNOWN."""
        return self._sealing(epoch, collection)

    def forget(self) -> None:
        """Drop every secret; any later call is EPOCH_UNKNOWN."""
        self._epochs = {}
        self._session.cache_clear()
        self._writer.cache_clear()
        self._sealing.cache_clear()

    def _derive_session(self, epoch: int, session_id: bytes) -> Secret:
        return sealing.session_secret(self._epoch(epoch), session_id)

    def _derive_writer(self, epoch: int, collection: str, session_id: bytes) -> Secret:
        secret = sealing.collection_secret(self._epoch(epoch), collection)
        return sealing.session_kek(secret, session_id)

    def _derive_sealing(self, epoch: int, collection: str) -> DecapsulationKey:
        return sealing.sealing_key(sealing.collection_secret(self._epoch(epoch), collection))

    def _epoch(self, epoch: int) -> Secret:
        try:
            return self._epochs[epoch]
        except KeyError:
            raise KeyServiceRefusal(
                Reason.EPOCH_UNKNOWN, f"this key service has no secret of epoch {epoch}"
            ) from None
