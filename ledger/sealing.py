"""Sealing a value and opening it: what the client and the key service do with the same formats.

1. The value is encrypted once under a fresh data key; the coordinates are additional data.
2. The data key is wrapped under a key derived from the session's key-encryption key and the random
   record id, again with the coordinates as additional data.
3. An owner without a session wraps to the collection's public sealing key instead (HPKE with
   X-Wing; the coordinates go into `info`, because the library's HPKE takes no additional data).
4. A released data key travels under a one-time key: HKDF(reader's session secret, leaf hash ‖
   operation position). The same ticket gives the same bytes.

Keys and random bytes come in as arguments. Not here: who may have a key (``kms``, ``contracts``).
"""

import hashlib
import struct

from ledger.crypto import aead, derive, xwing
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format.outcome import Coordinates
from ledger.format.sealed import (
    WRAP_PUBLIC,
    WRAP_SESSION,
    SealedHeader,
    Wrap,
    encode_coordinates,
    encode_header,
    open_header,
    sealed_digest,
    split_sealed,
)
from ledger.format.strict import verify_length
from ledger.reason import Reason

_VALUE = b"sealedger/value/1\0"
_WRAP = b"sealedger/wrap/1\0"
_WRAP_PUBLIC = b"sealedger/wrap-public/1\0"
_STATEMENT = b"sealedger/sealing-key-statement/1\0"
_RELEASE = b"sealedger/released/1\0"


def collection_secret(epoch_secret: Secret, collection: str) -> Secret:
    """The secret of a collection in an epoch; never leaves the key service."""
    return derive.derive(epoch_secret, derive.COLLECTION, collection.encode("ascii"))


def session_kek(collection_key: Secret, session_id: bytes) -> Secret:
    """The key-encryption key of one writer session for a collection."""
    return derive.derive(collection_key, derive.SESSION_KEK, session_id)


def session_secret(epoch_secret: Secret, session_id: bytes) -> Secret:
    """What the session and the key service share; known to nobody else."""
    return derive.derive(epoch_secret, derive.SESSION, session_id)


def sealing_key(collection_key: Secret) -> xwing.DecapsulationKey:
    """The pair to which owners without a session seal values of a collection."""
    seed = derive.derive(collection_key, derive.SEALING_KEY, length=xwing.SEED_BYTES)
    return xwing.DecapsulationKey(seed)


def sealing_key_statement(network_id: bytes, collection: str, epoch: int, public: bytes) -> bytes:
    """The bytes that the service key signs: this is the collection's sealing key in this epoch."""
    name = collection.encode("ascii")
    return b"%b%b%b%c%b%b" % (
        _STATEMENT,
        network_id,
        struct.pack(">I", epoch),
        len(name),
        name,
        public,
    )


def seal_value_public(
    network_id: bytes, at: Coordinates, public: bytes, data_key: Secret, value: bytes
) -> tuple[bytes, bytes]:
    """Seal `value` to a collection's public key; gives (sealed secret, its ledger digest).

    `data_key` is 32 fresh random bytes; `at.mode` is MODE_PUBLIC. ValueError for an unusable key.
    """
    coordinates = encode_coordinates(network_id, at)
    wrapped = xwing.seal(public, data_key, _WRAP_PUBLIC + coordinates)
    return _seal(coordinates, Wrap(WRAP_PUBLIC, wrapped), data_key, value)


def seal_value(
    network_id: bytes, at: Coordinates, kek: Secret, data_key: Secret, value: bytes
) -> tuple[bytes, bytes]:
    """Seal `value` under a 32-byte `data_key`; gives (sealed secret, its ledger digest).

    `data_key` and `at.record_id` must be fresh random bytes, drawn together for this one call: the
    same record id with another data key would use a wrapping key twice.
    """
    coordinates = encode_coordinates(network_id, at)
    record_key = derive.derive(kek, derive.RECORD, at.record_id)
    wrapped = aead.seal_once(record_key, data_key.reveal(), _WRAP + coordinates)
    return _seal(coordinates, Wrap(WRAP_SESSION, wrapped), data_key, value)


def verify_header(
    header: bytes, network_id: bytes, at: Coordinates, digest: bytes, ciphertext_digest: bytes
) -> SealedHeader:
    """Check a header against what the ledger says.

    Raises FormatError: HEADER_MISMATCH if it is another header, MALFORMED if the recorded bytes are
    no header at all (the writer's doing).
    """
    # Another width would move the border between the two, and leave their hash as it is.
    verify_length("ciphertext_digest", ciphertext_digest, 32)
    if sealed_digest(header, ciphertext_digest) != digest:
        raise FormatError("the sealed header is not the recorded one", Reason.HEADER_MISMATCH)
    decoded = open_header(header, network_id, at)
    if decoded is None:
        raise FormatError("the sealed header is for another place", Reason.HEADER_MISMATCH)
    return decoded


def unwrap_data_key(kek: Secret, header: SealedHeader) -> Secret:
    """The 32-byte data key of a verified header; FormatError HEADER_MISMATCH if no wrap opens."""
    record_key = derive.derive(kek, derive.RECORD, header.coordinates.record_id)
    for wrap in header.wraps:
        if wrap.kind == WRAP_SESSION:
            try:
                return _key(aead.open_once(record_key, wrap.data, _WRAP + header.coordinates_bytes))
            except aead.OpenError as error:
                raise FormatError("the data key does not open", Reason.HEADER_MISMATCH) from error
    raise FormatError("the sealed header has no wrap of this kind", Reason.HEADER_MISMATCH)


def unwrap_public(key: xwing.DecapsulationKey, header: SealedHeader) -> Secret:
    """The 32-byte data key of a verified header that an owner sealed; else as `unwrap_data_key`."""
    for wrap in header.wraps:
        if wrap.kind == WRAP_PUBLIC:
            try:
                opened = key.open(wrap.data, _WRAP_PUBLIC + header.coordinates_bytes)
                return _key(opened.reveal())
            except aead.OpenError as error:
                raise FormatError("the data key does not open", Reason.HEADER_MISMATCH) from error
    raise FormatError("the sealed header has no wrap of this kind", Reason.HEADER_MISMATCH)


def release_key(session: Secret, leaf_hash: bytes, position: int) -> Secret:
    """The one-time key under which the key of one granted operation travels."""
    return derive.derive(session, derive.RELEASE, leaf_hash + struct.pack(">H", position))


def seal_released(one_time: Secret, key: Secret) -> bytes:
    """Seal a released key; the same inputs give the same bytes."""
    return aead.seal_once(one_time, key.reveal(), _RELEASE)


def open_released(one_time: Secret, sealed: bytes) -> Secret:
    """Open a released 32-byte key; aead.OpenError if it is not for this ticket."""
    return _key(aead.open_once(one_time, sealed, _RELEASE))


def open_value(data_key: Secret, sealed: bytes, network_id: bytes, at: Coordinates) -> bytes:
    """The value of a sealed secret; aead.OpenError or FormatError if anything was changed."""
    _, ciphertext = split_sealed(sealed)
    return aead.open_once(data_key, ciphertext, _VALUE + encode_coordinates(network_id, at))


def _seal(coordinates: bytes, wrap: Wrap, data_key: Secret, value: bytes) -> tuple[bytes, bytes]:
    header = encode_header(coordinates, (wrap,))
    ciphertext = aead.seal_once(data_key, value, _VALUE + coordinates)
    digest = sealed_digest(header, hashlib.sha256(ciphertext).digest())
    return header + ciphertext, digest


def _key(opened: bytes) -> Secret:
    # What a writer wrapped is the writer's choice: no key of another length may go on from here.
    if len(opened) != derive.KEY_BYTES:
        raise aead.OpenError("what was sealed is no key of 32 bytes")
    return Secret(opened)
