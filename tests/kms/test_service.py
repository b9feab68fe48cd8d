"""The life of a key service: birth, opening, evidence and hello, saving, closing."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from attestation.errors import PlatformError
from attestation.handshake import (
    KEY_SERVICE_LABEL,
    NO_SERVICE_KEY,
    ReportBinding,
    evidence_digest,
    hello_transcript,
    report_data,
)
from attestation.platforms.software import SoftwarePlatform, create_platform, read_trust
from attestation.rules import VerificationRules
from attestation.verify import verify
from kms.birth import create_key_service
from kms.errors import KeyServiceStateError
from kms.messages import decode_hello_evidence, encode_certify_request
from kms.service import KeyService, open_key_service
from kms.state import LABEL, NOTHING_HELD, open_state, seal_state
from ledger.crypto import ed25519
from ledger.crypto.secret import Secret
from ledger.format.trust import decode_trust, trust_digest
from ledger.reason import Reason
from tests.support.refused import refused
from tests.support.small_log import SmallLog
from tests.support.small_network import ORIGIN, SmallNetwork, genesis_of, trust_of
from tests.support.small_platform import MemoryState, SmallPlatform

NONCE = bytes(range(32))
SPKI = bytes(range(32, 64))
NOW_S = 1_800_000_000


def opened(network: SmallNetwork) -> KeyService:
    """Open the network's sealed state as a restart does."""
    return open_key_service(genesis=network.genesis, platform=network.platform, store=network.store)


# ------------------------------------------------------------------------------ birth


def test_each_birth_has_its_own_keys() -> None:
    """Seed and epoch secret are drawn anew, and nothing is saved before genesis is bound."""
    store = MemoryState()
    born = [create_key_service(platform=SmallPlatform(), store=store) for _ in range(2)]
    keys = {key for one in born for key in (one.log_key, one.service_key)}
    assert len(keys) == 4
    assert store.blobs == []


def test_a_bound_service_is_sealed_and_opens_again() -> None:
    """After bind the state is on disk: the same keys come back, with another start nonce."""
    network = SmallNetwork()
    assert len(network.store.blobs) == 1
    again = opened(network)
    assert again.service_key == network.service.service_key
    assert again.log_key == network.service.log_key
    assert again.network_id == network.network_id
    assert again.held == NOTHING_HELD
    nonces = [network.service.start_nonce, again.start_nonce, opened(network).start_nonce]
    assert len(set(nonces)) == 3
    assert {len(nonce) for nonce in nonces} == {32}


def test_a_genesis_with_other_keys_is_not_bound() -> None:
    """Bind checks that genesis names exactly the two keys of this service, and epoch 1."""
    network = SmallNetwork()
    store = MemoryState()
    unbound = create_key_service(platform=SmallPlatform(), store=store)
    log, service = unbound.log_key, unbound.service_key
    trust = trust_of(log, service, network.cores, 1)
    other = network.cores[0].key.public_key
    for wrong in (
        trust_of(service, log, network.cores, 1),
        replace(trust, log_key=network.service.log_key),
        replace(trust, service_key=other),
        replace(trust, epoch=2),
    ):
        with pytest.raises(KeyServiceStateError, match="genesis"):
            unbound.bind(genesis_of(wrong))
    with pytest.raises(KeyServiceStateError, match="genesis"):
        unbound.bind(b"no genesis")
    assert store.blobs == []
    unbound.bind(genesis_of(trust))


def test_nothing_is_born_over_a_sealed_state() -> None:
    """Epoch secrets that exist are never replaced by fresh ones, not even between two births."""
    network = SmallNetwork()
    with pytest.raises(KeyServiceStateError, match="already"):
        create_key_service(platform=network.platform, store=network.store)
    store = MemoryState()
    first = create_key_service(platform=SmallPlatform(), store=store)
    second = create_key_service(platform=SmallPlatform(), store=store)
    first.bind(genesis_of(trust_of(first.log_key, first.service_key, network.cores, 1)))
    with pytest.raises(KeyServiceStateError, match="already"):
        second.bind(genesis_of(trust_of(second.log_key, second.service_key, network.cores, 1)))
    assert len(store.blobs) == 1


# ---------------------------------------------------------------------------- opening


def test_without_a_sealed_state_nothing_opens() -> None:
    """A missing state is said, with what to do."""
    network = SmallNetwork()
    with pytest.raises(KeyServiceStateError, match="no sealed key-service state"):
        open_key_service(genesis=network.genesis, platform=network.platform, store=MemoryState())


def test_a_state_without_the_active_epoch_is_refused() -> None:
    """A state that lacks the epoch that genesis names is refused; no secret is minted."""
    network = SmallNetwork()
    key = network.platform.sealing_key(LABEL)
    state = open_state(network.store.blobs[-1], key)
    changed = replace(state, epochs={2: Secret(bytes(32))})
    network.store.save(seal_state(changed, key, bytes(32)))
    with pytest.raises(KeyServiceStateError, match="no secret of epoch 1"):
        opened(network)


def test_a_state_with_another_seed_is_refused() -> None:
    """The seed's keys are the ones that genesis names."""
    network = SmallNetwork()
    key = network.platform.sealing_key(LABEL)
    state = open_state(network.store.blobs[-1], key)
    changed = replace(state, service_seed=Secret(bytes(32)))
    network.store.save(seal_state(changed, key, bytes(32)))
    with pytest.raises(KeyServiceStateError, match="other keys"):
        opened(network)


def test_a_platform_without_a_sealing_key_is_told_apart() -> None:
    """A failing platform is the platform's error, not a damaged state."""
    network = SmallNetwork()
    network.platform.is_broken = True
    with pytest.raises(PlatformError):
        opened(network)


def test_a_restarted_service_goes_on_from_what_was_saved() -> None:
    """The held checkpoint of the last save is held again, and moves on consistently."""
    network = SmallNetwork().start()
    network.service.checkpoint_state()
    saved = network.service.held
    network.end_block()
    assert network.reopen().held == saved
    network.end_block()
    assert network.service.held.size == network.log.size
    network.start()
    network.open_session()


# ------------------------------------------------------------------- evidence and hello


def binding(network: SmallNetwork, size: int) -> ReportBinding:
    """What the key service's report data speaks for."""
    return ReportBinding(
        network_id=network.network_id,
        trust_digest=trust_digest(network.service._anchor.trust_bytes),
        own_keys=(network.service.service_key,),
        peer_service_key=NO_SERVICE_KEY,
        size=size,
        root=network.log.tree.root_at(size),
    )


async def test_hello_is_signed_over_nonce_tls_key_evidence_and_checkpoint() -> None:
    """The service key signs the transcript of exactly what hello carries."""
    network = SmallNetwork().start()
    note = network.end_block()
    await network.service.refresh_evidence(note)
    hello = decode_hello_evidence(network.service.hello(NONCE, SPKI))
    assert hello.checkpoint == note
    transcript = hello_transcript(
        network_id=network.network_id,
        client_nonce=NONCE,
        tls_spki_digest=SPKI,
        evidence_digest=evidence_digest(hello.evidence),
        checkpoint_digest=hashlib.sha256(note).digest(),
    )
    assert ed25519.is_valid(network.service.service_key, hello.signature, transcript)
    expected = report_data(KEY_SERVICE_LABEL, binding(network, network.log.size))
    assert network.platform.report_data == [expected]


async def test_evidence_of_the_software_platform_proves_the_service_key(tmp_path: Path) -> None:
    """A real quote over the service key and the checkpoint passes the one verification path."""
    (tmp_path / "core.py").write_text("CORE = 1\n")
    manifest = tmp_path / "core.toml"
    manifest.write_text(
        'name = "core"\nsigner = "tests"\nproduct_id = 1\nsvn = 1\nfiles = ["core.py"]\n'
    )
    create_platform(tmp_path / "platform", NOW_S)
    trust = read_trust(tmp_path / "platform")
    platform = SoftwarePlatform.open(tmp_path / "platform", manifest)
    store = MemoryState()
    unbound = create_key_service(platform=platform, store=store)
    network = SmallNetwork()
    document = trust_of(unbound.log_key, unbound.service_key, network.cores, 1)
    network.genesis = genesis_of(document)
    network.service = unbound.bind(network.genesis)
    network.network_id = network.service.network_id
    network.log = SmallLog(ORIGIN, network.network_id, network.cores)
    note = network.certify()
    await network.service.refresh_evidence(note)
    hello = decode_hello_evidence(network.service.hello(NONCE, SPKI))
    rules = VerificationRules(roots=(trust.root,), tcb_signer_pins=trust.tcb_signer_pins)
    verdict = verify(hello.evidence, trust.collateral, rules, NOW_S + 60)
    assert verdict.report_data == report_data(KEY_SERVICE_LABEL, binding(network, 1))
    network.service.close()
    again = open_key_service(genesis=network.genesis, platform=platform, store=store)
    assert again.held.size == 1


async def test_evidence_needs_a_certified_checkpoint_that_was_reached() -> None:
    """A note without the log key, beyond the held size, or of another root makes no evidence."""
    network = SmallNetwork().start()
    reached = network.end_block()
    behind = network.service
    network.service.checkpoint_state()
    network.reopen()
    beyond = network.end_block()
    network.service = behind
    with refused(Reason.NOT_CERTIFIED):
        await network.service.refresh_evidence(beyond)
    for note in (network.log.note(network.service.held.size), b"", reached[:-1], reached + b"\n"):
        with refused(Reason.NOT_CERTIFIED):
            await network.service.refresh_evidence(note)
    assert network.platform.report_data == []
    with refused(Reason.NOT_STARTED):
        network.service.hello(NONCE, SPKI)


async def test_evidence_over_another_root_of_the_held_size_is_refused() -> None:
    """A certified note of a fork, which only a broken quorum can make, makes no evidence."""
    network = SmallNetwork()
    honest, log = opened(network), network.log
    network.log = SmallLog(ORIGIN, network.network_id, network.cores)
    network.log.time_ms += 1
    forked = network.end_block()
    network.service, network.log = honest, log
    network.end_block()
    with refused(Reason.NOT_CERTIFIED):
        await network.service.refresh_evidence(forked)


async def test_older_evidence_never_replaces_newer() -> None:
    """A late refresh over a smaller checkpoint leaves the newer evidence in place."""
    network = SmallNetwork().start()
    older = network.end_block()
    newer = network.end_block()
    await network.service.refresh_evidence(newer)
    await network.service.refresh_evidence(older)
    assert decode_hello_evidence(network.service.hello(NONCE, SPKI)).checkpoint == newer


async def test_a_platform_that_fails_leaves_the_old_evidence() -> None:
    """A failing quote is said, and hello goes on with what it has."""
    network = SmallNetwork().start()
    first = network.end_block()
    await network.service.refresh_evidence(first)
    network.platform.is_broken = True
    note = network.end_block()
    with pytest.raises(PlatformError):
        await network.service.refresh_evidence(note)
    assert decode_hello_evidence(network.service.hello(NONCE, SPKI)).checkpoint == first


@pytest.mark.parametrize("sizes", [(0, 32), (31, 32), (33, 32), (32, 0), (32, 33), (4096, 4096)])
async def test_hello_takes_32_bytes_twice(sizes: tuple[int, int]) -> None:
    """A nonce or digest of another size is the client's fault."""
    network = SmallNetwork().start()
    await network.service.refresh_evidence(network.end_block())
    with refused(Reason.MALFORMED):
        network.service.hello(bytes(sizes[0]), bytes(sizes[1]))


# --------------------------------------------------------------------- saving and closing


def test_certifying_saves_nothing() -> None:
    """Moving to a new block never touches the disk; `checkpoint_state` does, once."""
    network = SmallNetwork().start()
    before = len(network.store.blobs)
    for _ in range(10):
        network.end_block()
    assert len(network.store.blobs) == before
    network.service.checkpoint_state()
    network.service.checkpoint_state()
    assert len(network.store.blobs) == before + 1


def test_each_save_has_a_fresh_salt() -> None:
    """No salt, and so no sealing key, is used for two saves."""
    network = SmallNetwork().start()
    for _ in range(5):
        network.end_block()
        network.service.checkpoint_state()
    assert len({blob[1:33] for blob in network.store.blobs}) == len(network.store.blobs) == 6


def test_a_failed_save_is_said_and_tried_again() -> None:
    """A failing disk loses nothing: the service goes on and the next save holds everything."""
    network = SmallNetwork().start()
    network.store.fail_before = True
    with pytest.raises(KeyServiceStateError):
        network.service.checkpoint_state()
    network.open_session()
    network.store.fail_before = False
    network.service.checkpoint_state()
    assert opened(network).held == network.service.held


@pytest.mark.parametrize("is_written", [False, True])
def test_a_failed_birth_leaves_no_half(is_written: bool) -> None:
    """A disk that fails at birth, before or after writing, gives an error and no service."""
    store = MemoryState()
    store.fail_before, store.fail_after = not is_written, is_written
    unbound = create_key_service(platform=SmallPlatform(), store=store)
    cores = SmallNetwork().cores
    genesis = genesis_of(trust_of(unbound.log_key, unbound.service_key, cores, 1))
    with pytest.raises(KeyServiceStateError):
        unbound.bind(genesis)
    assert len(store.blobs) == is_written


async def test_a_closed_service_answers_nothing() -> None:
    """After close each call is refused, the secrets are dropped, and the state is on disk."""
    network = SmallNetwork().start()
    note = network.end_block()
    await network.service.refresh_evidence(note)
    held, service = network.service.held, network.service
    core = service._core
    assert core is not None
    core.epochs.session_secret(1, NONCE)
    core.epochs.writer_key(1, "app/secrets", NONCE)
    service.close()
    service.close()
    certify = encode_certify_request(network.certify_request())
    for call in (
        lambda: service.certify(certify),
        lambda: service.confirm_start(b""),
        lambda: service.release(b""),
        lambda: service.hello(NONCE, SPKI),
        service.checkpoint_state,
    ):
        with refused(Reason.SHUTTING_DOWN):
            call()
    with refused(Reason.SHUTTING_DOWN):
        await service.refresh_evidence(note)
    assert service._core is None
    with refused(Reason.EPOCH_UNKNOWN):
        core.epochs.session_secret(1, NONCE)
    with refused(Reason.EPOCH_UNKNOWN):
        core.epochs.writer_key(1, "app/secrets", NONCE)
    assert opened(network).held == held


def test_a_close_that_cannot_save_still_drops_the_secrets() -> None:
    """The error of the disk comes out, and the service is closed."""
    network = SmallNetwork().start()
    network.store.fail_before = True
    with pytest.raises(KeyServiceStateError):
        network.service.close()
    assert network.service._core is None
    assert decode_trust(network.service._anchor.trust_bytes).version == 1
