"""Collateral that stands in the store: found by its record, checked by fsck."""

from dataclasses import replace
from hashlib import sha256

import pytest

from attestation.collateral_verdict import CollateralVerdict, encode_collateral_verdict
from contracts.prepare import prepare
from ledger import keys
from ledger.errors import StoreError
from ledger.format.genesis import decode_genesis
from ledger.format.hygiene import UpdateCollateral
from ledger.format.transaction import decode_envelope, encode_envelope
from ledger.leveldb import LevelDB
from node.asking import DurableView
from node.candidates import Submission
from node.collateral import CollateralShelf, standing
from node.fsck import Options, check_directory
from tests.support.small_hygiene import Edition, facts_of
from tests.support.small_ledger import SmallLedger
from tests.support.small_rules import COLLATERAL_KEY, SmallRules, core_signer, genesis_collateral

NEW_COLLATERAL = b"the canonical bytes of a new edition"


def update(ledger: SmallLedger) -> int:
    """Bring a new edition; the entry's index."""
    opened = ledger.open()
    try:
        rules = SmallRules(ledger.genesis)
        digest = sha256(NEW_COLLATERAL).digest()
        now_s = opened.replica.head.time_ms // 1000
        verdict = CollateralVerdict(
            facts=facts_of(rules, Edition()), digest=digest, verified_at_s=now_s
        )
        rules.time_ms = opened.replica.head.time_ms
        envelope = rules.envelope(core_signer(), UpdateCollateral(digest))
        data = encode_envelope(replace(decode_envelope(envelope), payloads=(NEW_COLLATERAL,)))
        prepared = prepare(data, ledger.network_id)
        submission = Submission(prepared, encode_collateral_verdict(verdict), len(data))
        (answer,) = opened.run(submission)
        assert not answer.refusal
        return answer.index
    finally:
        opened.close()


def shelf_of(ledger: SmallLedger, store: LevelDB) -> CollateralShelf:
    """What reads collateral from the ledger's database."""
    return CollateralShelf(DurableView(store), decode_genesis(ledger.genesis).collateral)


def test_it_is_found_in_genesis_then_in_its_entry(ledger: SmallLedger) -> None:
    """The record leads to genesis until an update stands, then to that entry's payload."""
    store = LevelDB(ledger.home.data)
    shelf = shelf_of(ledger, store)
    assert shelf.find(COLLATERAL_KEY) == genesis_collateral()
    assert shelf.find("snp/Milan") is None
    assert [key for key, _ in standing(DurableView(store))] == [COLLATERAL_KEY]
    store.close()
    index = update(ledger)
    store = LevelDB(ledger.home.data)
    shelf = shelf_of(ledger, store)
    assert shelf.find(COLLATERAL_KEY) == NEW_COLLATERAL
    record = shelf.record(COLLATERAL_KEY)
    assert record is not None
    assert record.index == index
    store.close()


@pytest.mark.parametrize("left", [None, b"other bytes"])
def test_bytes_that_are_gone_or_others(ledger: SmallLedger, left: bytes | None) -> None:
    """Nobody is judged by bytes that the record does not name, and fsck says what is wrong."""
    index = update(ledger)
    assert check_directory(ledger.home.data, ledger.genesis, Options()).is_clean
    store = LevelDB(ledger.home.data)
    store.write({keys.payload(index, 0): left}, sync=True)
    with pytest.raises(StoreError, match="fsck"):
        shelf_of(ledger, store).find(COLLATERAL_KEY)
    store.close()
    report = check_directory(ledger.home.data, ledger.genesis, Options())
    (finding,) = report.findings
    assert "collateral" in str(finding)
    assert f"entry {index}" in str(finding)


def test_a_record_that_was_changed(ledger: SmallLedger) -> None:
    """A record of collateral that the entries do not make is found, and named as what it is."""
    update(ledger)
    store = LevelDB(ledger.home.data)
    key = keys.collateral(COLLATERAL_KEY)
    row = store.get(key) or b""
    store.write({key: row[:-1] + bytes((row[-1] ^ 1,))}, sync=True)
    store.close()
    (finding,) = check_directory(ledger.home.data, ledger.genesis, Options()).findings
    assert "record of collateral" in str(finding)
