"""A host that rewrites what lies beside the log while its node is stopped: no value comes back."""

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from enclave_client.errors import RefusedError
from enclave_client.receipts import Receipt
from ledger import keys
from ledger.format.outcome import Coordinates
from ledger.format.sealed import (
    decode_header,
    encode_coordinates,
    encode_header,
    sealed_digest,
    split_sealed,
)
from ledger.leveldb import LevelDB
from ledger.reason import Reason
from tests.support.planted import NAME, VALUE
from tests.support.real_node import OTHER_COLLECTION, Found, RealNetwork, found, serving


def rewrite(network: RealNetwork, key: bytes, value: bytes | None) -> None:
    """What the host does to one record of a stopped node."""
    store = LevelDB(network.home.data)
    try:
        store.write({key: value}, sync=True)
    finally:
        store.close()


def load(network: RealNetwork, key: bytes) -> bytes:
    """A record of a stopped node."""
    store = LevelDB(network.home.data)
    try:
        value = store.get(key)
    finally:
        store.close()
    assert value is not None
    return value


def place(receipt: Receipt) -> bytes:
    """Where the payload of a put lies."""
    return keys.payload(receipt.index, receipt.position)


async def store_values(network: RealNetwork, *names: str) -> list[Receipt]:
    """Let an app store a value under each name, then stop the node."""
    async with serving(network) as node, node.client() as client:
        return [(await client.put(name, VALUE)).receipt for name in names]


async def read_fails(network: RealNetwork, name: str = NAME) -> Reason:
    """Read over the restarted node: why it gives nothing. The read stands on the ledger."""
    async with serving(network) as node, node.client() as client:
        with pytest.raises(RefusedError) as caught:
            await client.get(name)
        assert caught.value.receipt is not None
        assert VALUE not in str(caught.value).encode()
        await client.put("still/serving", b"the node goes on")
        assert (await client.get("still/serving")).value == b"the node goes on"
        return caught.value.reason


def moved(header: bytes, at: Coordinates, network_id: bytes) -> bytes:
    """The same wraps in a header for another place."""
    return encode_header(encode_coordinates(network_id, at), decode_header(header).wraps)


TRANSPLANTS = {
    "name": {"name": "another/name"},
    "collection": {"collection": OTHER_COLLECTION},
    "mode": {"mode": 2},
    "epoch": {"epoch": 2},
    "writer": {"writer_session": bytes(32)},
    "record": {"record_id": bytes(16)},
}


@pytest.mark.parametrize("what", TRANSPLANTS)
async def test_header_transplanted_to_another_place(network: RealNetwork, what: str) -> None:
    """Attack: a header for another name, collection, mode, epoch or writer releases no key."""
    (receipt,) = await store_values(network, NAME)
    header, ciphertext = split_sealed(load(network, place(receipt)))
    at = replace(decode_header(header).coordinates, **TRANSPLANTS[what])  # type: ignore[arg-type]
    changed = moved(header, at, network.file.network_id) + ciphertext
    rewrite(network, place(receipt), changed)
    assert await read_fails(network) is Reason.HEADER_MISMATCH


async def test_header_transplanted_to_another_network(network: RealNetwork) -> None:
    """Attack: a header that names another network releases no key."""
    (receipt,) = await store_values(network, NAME)
    header, ciphertext = split_sealed(load(network, place(receipt)))
    changed = moved(header, decode_header(header).coordinates, bytes(32)) + ciphertext
    rewrite(network, place(receipt), changed)
    assert await read_fails(network) is Reason.HEADER_MISMATCH


async def test_a_whole_secret_transplanted_to_another_name(network: RealNetwork) -> None:
    """Attack: one name's sealed secret under another's read releases no key."""
    mine, theirs = await store_values(network, NAME, "another/name")
    rewrite(network, place(mine), load(network, place(theirs)))
    assert await read_fails(network) is Reason.HEADER_MISMATCH


async def test_an_older_version_in_place_of_the_newest(network: RealNetwork) -> None:
    """Attack: the version before, put back by the host, is not what the ledger grants."""
    old, new = await store_values(network, NAME, NAME)
    rewrite(network, place(new), load(network, place(old)))
    assert await read_fails(network) is Reason.HEADER_MISMATCH


async def test_a_changed_ciphertext(network: RealNetwork) -> None:
    """Attack: another ciphertext under the right header releases no key."""
    (receipt,) = await store_values(network, NAME)
    sealed = load(network, place(receipt))
    rewrite(network, place(receipt), sealed[:-1] + bytes((sealed[-1] ^ 1,)))
    assert await read_fails(network) is Reason.HEADER_MISMATCH


@pytest.mark.parametrize(
    "rubbish",
    [b"", bytes(200), b"\xff" * 4000, b"\x01" * 87],
    ids=["empty", "zeros", "ones", "cut"],
)
async def test_rubbish_in_place_of_a_payload(network: RealNetwork, rubbish: bytes) -> None:
    """Attack: what is no sealed secret at all is this read's failure, not the node's."""
    (receipt,) = await store_values(network, NAME)
    rewrite(network, place(receipt), rubbish)
    assert await read_fails(network) is Reason.HEADER_MISMATCH


async def test_an_erased_payload(network: RealNetwork) -> None:
    """A payload that is gone is said to be gone; the read stands all the same."""
    (receipt,) = await store_values(network, NAME)
    rewrite(network, place(receipt), None)
    assert await read_fails(network) is Reason.PAYLOAD_ERASED


async def test_the_host_points_a_read_at_a_value_it_sealed(network: RealNetwork) -> None:
    """Attack: a secret sealed by the host's own key, its digest written into the state: no key."""
    (receipt,) = await store_values(network, NAME)
    sealed = load(network, place(receipt))
    header, ciphertext = split_sealed(sealed)
    wraps = tuple(
        replace(wrap, data=os.urandom(len(wrap.data))) for wrap in decode_header(header).wraps
    )
    forged = encode_header(decode_header(header).coordinates_bytes, wraps)
    old = sealed_digest(header, sha256(ciphertext).digest())
    new = sealed_digest(forged, sha256(ciphertext).digest())
    head = keys.head_of("app/secrets", NAME)
    record = load(network, head)
    assert record.count(old) == 1
    rewrite(network, head, record.replace(old, new))
    rewrite(network, place(receipt), forged + ciphertext)
    assert await read_fails(network) is Reason.HEADER_MISMATCH


async def test_a_value_from_another_network_s_disk(network: RealNetwork, tmp_path: Path) -> None:
    """Attack: the same app's secret, carried over from another network's disk, does not open."""
    other = found(tmp_path / "other", Found(platform=network.home.platform))
    (mine,) = await store_values(network, NAME)
    (theirs,) = await store_values(other, NAME)
    rewrite(network, place(mine), load(other, place(theirs)))
    assert await read_fails(network) is Reason.HEADER_MISMATCH
