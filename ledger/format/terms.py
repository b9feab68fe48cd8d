"""What an owner says about a collection: its terms, and the operations that carry them.

Policies are canonical bytes of ``attestation``, opaque here. Signed by the owner's account; the
text that a wallet shows for them is ``ledger.format.summary``'s.
"""

from dataclasses import dataclass

from sealedger.v1 import ledger_pb2 as pb

from ledger.errors import FormatError
from ledger.format.names import verify_name
from ledger.format.strict import verify_length
from ledger.reason import Reason

ADDRESS_BYTES = 20
MAX_AUDITORS = 64
MAX_TERMS_POLICY_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class CollectionTerms:
    """Who may read, write and ask, and how long values live."""

    readers: bytes  # canonical policy bytes
    writers: bytes
    auditors: tuple[bytes, ...] = ()  # addresses, sorted, no repeats
    ttl_ms: int = 0  # default time to live of a value; 0: for ever


@dataclass(frozen=True, slots=True)
class CreateCollection:
    """Makes a collection that the signing account owns."""

    collection: str
    terms: CollectionTerms


@dataclass(frozen=True, slots=True)
class SetPolicy:
    """Replaces a collection's terms as a whole."""

    collection: str
    terms: CollectionTerms


@dataclass(frozen=True, slots=True)
class FreezeCollection:
    """Stops every read and write of a collection at once, or lets them go on."""

    collection: str
    frozen: bool


@dataclass(frozen=True, slots=True)
class Destroy:
    """Erases a version's payload for ever (all versions without `version`)."""

    collection: str
    name: str
    version: int | None = None


OwnerOperation = CreateCollection | SetPolicy | FreezeCollection | Destroy


def owner_message(operation: OwnerOperation) -> pb.Operation:
    """The message of an owner's operation."""
    match operation:
        case CreateCollection(collection, terms):
            return pb.Operation(
                create_collection=pb.CreateCollection(collection=collection, terms=_terms(terms))
            )
        case SetPolicy(collection, terms):
            return pb.Operation(set_policy=pb.SetPolicy(collection=collection, terms=_terms(terms)))
        case FreezeCollection(collection, frozen):
            return pb.Operation(
                freeze_collection=pb.FreezeCollection(collection=collection, frozen=frozen)
            )
        case _:
            destroy = pb.Destroy(
                collection=operation.collection, name=operation.name, version=operation.version
            )
            return pb.Operation(destroy=destroy)


def decode_create(message: pb.Operation) -> CreateCollection:
    """The operation of a strictly decoded message; FormatError if it cannot be meant."""
    create = message.create_collection
    return CreateCollection(verify_name(create.collection), _read_terms(create.terms))


def decode_set_policy(message: pb.Operation) -> SetPolicy:
    """The operation of a strictly decoded message; FormatError if it cannot be meant."""
    change = message.set_policy
    return SetPolicy(verify_name(change.collection), _read_terms(change.terms))


def decode_freeze(message: pb.Operation) -> FreezeCollection:
    """The operation of a strictly decoded message; FormatError if it cannot be meant."""
    freeze = message.freeze_collection
    return FreezeCollection(verify_name(freeze.collection), freeze.frozen)


def decode_destroy(message: pb.Operation) -> Destroy:
    """The operation of a strictly decoded message; FormatError if it cannot be meant."""
    destroy = message.destroy
    version = destroy.version if destroy.HasField("version") else None
    if version == 0:
        raise FormatError("destroy: versions start at 1")
    return Destroy(verify_name(destroy.collection), verify_name(destroy.name), version)


def is_auditor_list(addresses: tuple[bytes, ...]) -> bool:
    """Whether these are at most 64 addresses, sorted, without repeats."""
    return len(addresses) <= MAX_AUDITORS and list(addresses) == sorted(set(addresses))


def _terms(terms: CollectionTerms) -> pb.CollectionTerms:
    return pb.CollectionTerms(
        readers=terms.readers,
        writers=terms.writers,
        auditors=terms.auditors,
        ttl_ms=terms.ttl_ms,
    )


def _read_terms(message: pb.CollectionTerms) -> CollectionTerms:
    for policy in (message.readers, message.writers):
        if not 0 < len(policy) <= MAX_TERMS_POLICY_BYTES:
            raise FormatError("terms: a policy has 1 to 8,192 bytes", Reason.MALFORMED)
    auditors = tuple(
        verify_length("auditor", address, ADDRESS_BYTES) for address in message.auditors
    )
    if not is_auditor_list(auditors):
        raise FormatError("terms: at most 64 auditors, sorted, without repeats")
    return CollectionTerms(message.readers, message.writers, auditors, message.ttl_ms)
