"""An account without a TEE: collections, values, and how its transactions run once."""

import pytest

from enclave_client import owner_put
from enclave_client.errors import (
    AttestationFailedError,
    ClosedError,
    DeniedError,
    InvalidRequestError,
    NetworkFileError,
    NotFoundError,
    RefusedError,
    VersionConflictError,
)
from enclave_client.offline import verify_receipt_file
from enclave_client.owner import OwnerClient
from enclave_client.receipts import Receipt
from ledger.crypto.secret import Secret
from ledger.format.operation import Delete, Put
from ledger.format.sealed import MODE_PUBLIC
from ledger.format.terms import CollectionTerms, CreateCollection, Destroy, FreezeCollection
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from tests.support.owners import OWNED, account, admitting, owner_of
from tests.support.real_node import RealNetwork, Serving

VALUE = bytes(range(256))


def proven(receipt: Receipt, node: Serving) -> object:
    """The operation that a receipt file proves offline, signed by an account."""
    verified = verify_receipt_file(receipt.encode(), node.file)
    assert verified.body.signer_kind is SignerKind.ACCOUNT
    return verified.opened[0].operation


async def test_a_life(node: Serving, network: RealNetwork) -> None:
    """An owner makes a collection, puts a value; the app that it named reads it, nobody else."""
    async with owner_of(node) as owner:
        made = await owner.create_collection(OWNED, admitting(network, "app"))
        assert isinstance(proven(made.receipt, node), CreateCollection)
        stored = await owner.put(OWNED, "db/password", VALUE, if_version=0)
        operation = proven(stored.receipt, node)
        assert isinstance(operation, Put)
        assert (stored.version, operation.mode) == (1, MODE_PUBLIC)
        async with node.client("app", OWNED) as app:
            assert (await app.get("db/password")).value == VALUE
            assert (await app.put("db/password", b"mine")).version == 2
        async with node.client("other", OWNED) as other:
            with pytest.raises(DeniedError):
                await other.get("db/password")
        assert (await owner.put(OWNED, "db/password", b"", if_version=2)).version == 3
        removed = await owner.delete(OWNED, "db/password", if_version=3)
        assert proven(removed.receipt, node) == Delete(OWNED, "db/password", 3)
        assert removed.version == 3


async def test_a_new_policy_counts_at_once(node: Serving, network: RealNetwork) -> None:
    """An app that new terms no longer name is denied in its open session."""
    async with owner_of(node) as owner, node.client("app", OWNED) as app:
        await owner.create_collection(OWNED, admitting(network, "app"))
        await app.put("name", VALUE)
        changed = await owner.set_policy(OWNED, admitting(network, "other"))
        assert changed.receipt.index > 0
        with pytest.raises(DeniedError):
            await app.get("name")
        async with node.client("other", OWNED) as other:
            assert (await other.get("name")).value == VALUE


async def test_frozen(node: Serving, network: RealNetwork) -> None:
    """A frozen collection is neither read nor written, and goes on when it is let."""
    async with owner_of(node) as owner, node.client("app", OWNED) as app:
        await owner.create_collection(OWNED, admitting(network, "app"))
        await app.put("name", VALUE)
        frozen = await owner.freeze(OWNED)
        assert proven(frozen.receipt, node) == FreezeCollection(OWNED, True)
        for attempt in (app.get("name"), app.put("name", b""), owner.put(OWNED, "name", b"")):
            with pytest.raises(RefusedError) as caught:
                await attempt
            assert caught.value.reason is Reason.FROZEN
        await owner.freeze(OWNED, frozen=False)
        assert (await app.get("name")).value == VALUE


async def test_destroyed(node: Serving, network: RealNetwork) -> None:
    """One version, then all: readers are told that it was destroyed, the record stays."""
    async with owner_of(node) as owner, node.client("app", OWNED) as app:
        await owner.create_collection(OWNED, admitting(network, "app"))
        for _ in range(3):
            await owner.put(OWNED, "name", VALUE)
        one = await owner.destroy(OWNED, "name", 2)
        assert (one.first, one.last) == (2, 2)
        assert proven(one.receipt, node) == Destroy(OWNED, "name", 2)
        with pytest.raises(NotFoundError) as caught:
            await app.get("name", 2)
        assert caught.value.reason is Reason.DESTROYED
        assert (await app.get("name", 1)).value == VALUE
        rest = await owner.destroy(OWNED, "name")
        assert (rest.first, rest.last) == (1, 3)
        with pytest.raises(NotFoundError):
            await app.get("name")
        with pytest.raises(NotFoundError) as again:
            await owner.destroy(OWNED, "name")
        assert again.value.receipt is not None
        assert (await owner.head(OWNED, "name")).row.is_destroyed


async def test_time_to_live(node: Serving, network: RealNetwork) -> None:
    """A value's own time to live, and else the collection's, decide when it expires."""
    async with owner_of(node) as owner, node.client("app", OWNED) as app:
        await owner.create_collection(OWNED, admitting(network, "app", ttl_ms=3_600_000))
        await owner.put(OWNED, "own", VALUE, ttl_ms=60_000)
        await app.put("default", VALUE)
        await app.put("apps", VALUE, ttl_ms=1)
        rows = {row.name: row.expires_ms - row.time_ms async for row in owner.list(OWNED)}
        assert rows == {"own": 60_000, "default": 3_600_000, "apps": 1}
        with pytest.raises(NotFoundError) as caught:
            await app.get("apps")
        assert caught.value.reason is Reason.EXPIRED


async def test_conflict_names_the_current_version(node: Serving, network: RealNetwork) -> None:
    """`if_version` that is not current: refused, with the current one and a receipt."""
    async with owner_of(node) as owner:
        await owner.create_collection(OWNED, admitting(network, "app"))
        await owner.put(OWNED, "name", VALUE)
        with pytest.raises(VersionConflictError) as caught:
            await owner.put(OWNED, "name", VALUE, if_version=0)
        assert caught.value.current == 1
        assert caught.value.receipt is not None


async def test_strangers_own_nothing(node: Serving, network: RealNetwork) -> None:
    """Another account can neither change, fill, freeze, empty nor see it; each error has a hint."""
    async with owner_of(node) as owner, owner_of(node, account(2)) as stranger:
        await owner.create_collection(OWNED, admitting(network, "app"))
        await owner.put(OWNED, "name", VALUE)
        terms = admitting(network, "other")
        for attempt in (
            stranger.set_policy(OWNED, terms),
            stranger.freeze(OWNED),
            stranger.put(OWNED, "name", b""),
            stranger.delete(OWNED, "name"),
            stranger.destroy(OWNED, "name"),
            stranger.collection(OWNED),
            stranger.head(OWNED, "name"),
        ):
            with pytest.raises(DeniedError) as caught:
                await attempt
            assert caught.value.hint
        with pytest.raises(RefusedError) as exists:
            await stranger.create_collection(OWNED, terms)
        assert exists.value.reason is Reason.COLLECTION_EXISTS
        assert "another name" in exists.value.hint
        assert [one async for one in stranger.collections()] == []
        with pytest.raises(RefusedError) as unknown:
            await owner.freeze("never/made")
        assert unknown.value.reason is Reason.UNKNOWN_COLLECTION


async def test_arguments_that_no_ledger_takes(node: Serving, network: RealNetwork) -> None:
    """They are refused before anything is sent."""
    terms = admitting(network, "app")
    async with owner_of(node) as owner:
        await owner.create_collection(OWNED, terms)
        size = node.running.replica.head.size
        largest = 1024 * 1024
        for attempt in (
            owner.create_collection("../x", terms),
            owner.create_collection("x", CollectionTerms(b"", terms.writers)),
            owner.create_collection("x", CollectionTerms(terms.readers, b"no policy")),
            owner.set_policy(OWNED, CollectionTerms(terms.readers, terms.writers, (b"short",))),
            owner.set_policy(
                OWNED, CollectionTerms(terms.readers, terms.writers, (bytes(20), bytes(20)))
            ),
            owner.put(OWNED, "name", bytes(largest + 1)),
            owner.put(OWNED, "name", "text"),  # type: ignore[arg-type]  # what is refused
            owner.put(OWNED, "name", b"", ttl_ms=-1),
            owner.put(OWNED, "name", b"", if_version=-1),
            owner.destroy(OWNED, "name", 0),
            owner.head(OWNED, "na me"),
        ):
            with pytest.raises(InvalidRequestError):
                await attempt
        for prefix in ("/", "a//", "..", "x y", "a" * 201):
            if prefix != "..":  # a name may start with two dots
                with pytest.raises(InvalidRequestError):
                    owner.list(OWNED, prefix)
        assert node.running.replica.head.size == size
        assert (await owner.put(OWNED, "name", bytes(largest))).version == 1


async def test_development_networks_are_refused(node: Serving) -> None:
    """Unless the caller says that it wants one."""
    with pytest.raises(NetworkFileError):
        OwnerClient.connect(network=node.file, signer=account())


async def test_a_node_of_another_network_is_not_used(node: Serving) -> None:
    """The node is judged as an enclave would judge it."""
    file = node.file.model_copy(update={"network_id": bytes(32)})
    with pytest.raises(AttestationFailedError):
        async with OwnerClient.connect(network=file, signer=account(), allow_development=True):
            raise AssertionError("it was used")


async def test_a_closed_client_says_so(node: Serving) -> None:
    """Before it is entered and after it was left."""
    owner = owner_of(node)
    with pytest.raises(ClosedError):
        await owner.freeze(OWNED)
    async with owner:
        pass
    with pytest.raises(ClosedError):
        await owner.freeze(OWNED)


class _BadSigner:
    """Holds one account's key and claims another's address."""

    address = account(2).address

    def sign(self, digest: bytes) -> bytes:
        return account(1).sign(digest)


async def test_a_signer_of_another_account_sends_nothing(node: Serving) -> None:
    """A signature that is not the account's is found before it leaves."""
    async with OwnerClient.connect(
        network=node.file, signer=_BadSigner(), allow_development=True
    ) as owner:
        with pytest.raises(InvalidRequestError):
            await owner.freeze(OWNED)
        with pytest.raises(InvalidRequestError):
            await owner.collection(OWNED)


def test_nothing_of_a_value_or_key_is_shown() -> None:
    """Reprs of what an owner works with are silent."""
    planted = b"planted value"
    value = owner_put.OwnedValue(OWNED, "name", planted)
    assert "planted" not in repr(value)
    assert "planted" not in repr(owner_put.Fresh(bytes(16), Secret(planted)))
