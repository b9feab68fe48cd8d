"""Whom node and apps believe: collateral, signer pins and floors, on the whole path."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import encode_collateral
from attestation.dcap.pem import encode_chain
from attestation.platforms.software import QE_SIGNER, create_platform
from attestation.platforms.software_collateral import CollateralOptions, make_collateral
from attestation.platforms.software_files import PlatformFiles
from attestation.platforms.software_pki import sign_raw
from enclave_client import session as sessions
from enclave_client import wire
from enclave_client.attest import Peer
from enclave_client.errors import AttestationFailedError, Check
from enclave_client.network_file import NetworkFile
from enclave_client.transport import Transport
from ledger.format.genesis import decode_genesis
from ledger.format.trust import decode_trust, trust_digest
from ledger.log.checkpoint import Checkpoint
from ledger.reason import Reason
from tests.support.raw_client import now_ms
from tests.support.real_node import (
    Found,
    RealNetwork,
    Serving,
    client_of,
    found,
    serving,
)


async def attest_anyway(network: RealNetwork, node: Serving) -> Reason:
    """Attest without judging the node first: what the node says to good evidence."""
    genesis = decode_genesis(network.home.genesis.read_bytes())
    transport = await Transport.dial(f"127.0.0.1:{node.running.port}", proxied=False)
    running = node.running
    latest = Checkpoint(
        node.file.origin, running.certifier.latest.size, running.certifier.latest.root
    )
    trust = decode_trust(genesis.trust)
    platform = network.app("app")
    peer = Peer(genesis, trust, trust_digest(genesis.trust), None, latest)  # type: ignore[arg-type]
    opening = sessions.begin(network.file.network_id, peer)
    evidence = await platform.evidence(opening.report_data)
    sent = opening.transaction(evidence, bytes(16), now_ms())
    answer = wire.decode_answer(await transport.attest(sent.request))
    await transport.close()
    assert isinstance(answer.result, wire.Refusal)
    return answer.result.reason


async def refused_check(file: NetworkFile, node: Serving) -> Check:
    """Which step stops a client that judges the node."""
    with pytest.raises(AttestationFailedError) as caught:
        await client_of(file, node.network.app("app")).open()
    return caught.value.check


def collateral_of(platform: Path, options: CollateralOptions, *, by_pck: bool = False) -> bytes:
    """Collateral of a platform directory; TCB info signed by its PCK key if told to."""
    authority = PlatformFiles(platform).read_authority()
    made = make_collateral(authority, QE_SIGNER, options)
    if by_pck:
        chain = (authority.pck, authority.root)
        made = replace(
            made,
            tcb_info_issuer_chain=encode_chain(
                tuple(one.public_bytes(Encoding.DER) for one in chain)
            ).decode(),
            tcb_info_signature=sign_raw(authority.pck_key, made.tcb_info.encode()),
        )
    return encode_collateral(made)


@pytest.mark.parametrize("attack", ["lower number", "own pck key"])
async def test_collateral_of_a_prover_s_choice(tmp_path: Path, attack: str) -> None:
    """Attack: lower TCB number with a later date, or collateral signed by a prover's own PCK key.

    Neither decides anything, for the node that judges apps and for apps that judge the node.
    """
    platform = tmp_path / "machine"
    create_platform(platform, int(time.time()) - 100)
    number = 0 if attack == "lower number" else 1
    options = CollateralOptions(issued_s=int(time.time()) - 1, evaluation_number=number)
    collateral = collateral_of(platform, options, by_pck=attack == "own pck key")
    network = found(tmp_path / "n", Found(platform=platform, collateral=collateral))
    async with serving(network) as node:
        assert await attest_anyway(network, node) is Reason.EVIDENCE_UNDECIDED
        assert await refused_check(node.file, node) is Check.EVIDENCE


async def test_a_client_s_floor_is_above_the_network_s(node: Serving) -> None:
    """Attack: collateral below the client's own floor is not believed, whatever genesis says."""
    entry = node.file.attestation.model_copy(update={"tcb_floor": 17})
    strict = node.file.model_copy(update={"attestation": entry})
    assert await refused_check(strict, node) is Check.EVIDENCE


async def test_a_client_that_pins_another_root_or_signer(node: Serving) -> None:
    """A client with roots or signer pins of its own does not take genesis' word for them."""
    entry = node.file.attestation.model_copy(update={"tcb_signer_pins": (bytes(32),)})
    strict = node.file.model_copy(update={"attestation": entry})
    assert await refused_check(strict, node) is Check.EVIDENCE
