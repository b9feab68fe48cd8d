"""This core's cosignature: it signs only what it computed and synced itself, one root per size."""

from collections.abc import Callable

from ledger.log.checkpoint import Checkpoint, encode_checkpoint
from ledger.log.cosignature import cosign
from ledger.log.note import Note, SignatureType, VerifierKey, encode_note
from network.errors import EngineFailedError


class Cosigner:
    """Cosigns checkpoints of one log with a node's key (C2SP tlog-cosignature, type 0x04)."""

    def __init__(
        self,
        *,
        origin: str,
        name: str,
        public_key: bytes,
        sign: Callable[[bytes], bytes],
        clock_s: Callable[[], int],
    ) -> None:
        """Keep the parts; nothing is signed yet."""
        self._origin = origin
        self._key = VerifierKey(name, SignatureType.COSIGNATURE, public_key)
        self._sign = sign
        self._clock_s = clock_s
        self._last: tuple[int, bytes] = (0, b"")

    def cosign(self, size: int, root: bytes) -> bytes:
        """A note with this core's line; sizes never go back and a size has one root for ever.

        Raises EngineFailedError otherwise: the node's own state is then not to be believed.
        """
        last_size, last_root = self._last
        if size < last_size or (size == last_size and root != last_root):
            raise EngineFailedError("asked to cosign another tree than before")
        text = encode_checkpoint(Checkpoint(self._origin, size, root))
        line = cosign(text, key=self._key, time_s=self._clock_s(), sign=self._sign)
        self._last = (size, root)
        return encode_note(Note(text, (line,)))
