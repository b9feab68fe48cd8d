"""After each start: nothing is released before this start's nonce stands on the ledger."""

from dataclasses import replace

import pytest

from kms.messages import StartRequest, encode_start_request
from ledger.crypto import p256
from ledger.format.operation import AcquireKey, KeyServiceStart, Operation
from ledger.format.outcome import Outcome
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from tests.support.log_signers import cosigner
from tests.support.refused import refused
from tests.support.small_log import Recorded, Signer
from tests.support.small_network import SmallNetwork


def confirm(network: SmallNetwork, request: StartRequest) -> None:
    """Ask the service to see its nonce."""
    network.service.confirm_start(encode_start_request(request))


def record(
    network: SmallNetwork,
    operation: Operation,
    signer: Signer | None = None,
    reason: Reason = Reason.OK,
) -> Recorded:
    """Put an operation on the log in a certified block."""
    recorded = network.log.transact(signer or network.node_signer(), (operation, Outcome(reason)))
    network.end_block()
    return recorded


def own_start(network: SmallNetwork) -> KeyServiceStart:
    """The operation that the service waits for."""
    return KeyServiceStart(network.service.start_nonce, network.service.service_key)


def test_a_nonce_that_stands_on_the_ledger_starts_the_service(unstarted: SmallNetwork) -> None:
    """The service starts once its nonce's entry is in the held checkpoint."""
    assert not unstarted.service.is_started
    unstarted.start()
    assert unstarted.service.is_started


def test_confirming_twice_is_harmless(network: SmallNetwork) -> None:
    """The same entry may be shown again, with a proof to the newer checkpoint."""
    recorded = network.record_start()
    network.end_block()
    confirm(network, network.start_request(recorded))
    confirm(network, network.start_request(recorded))
    assert network.service.is_started


def test_an_entry_that_is_not_yet_certified_does_not_start(unstarted: SmallNetwork) -> None:
    """An entry of the log that is beyond the held checkpoint proves nothing."""
    unstarted.end_block()
    step = own_start(unstarted), Outcome(Reason.OK)
    recorded = unstarted.log.transact(unstarted.node_signer(), step)
    unstarted.log.end_block()
    request = StartRequest(
        recorded.index,
        recorded.leaf,
        unstarted.log.inclusion(recorded.index),
        recorded.salts[0],
        recorded.operations[0],
        recorded.outcomes[0],
    )
    with refused(Reason.NOT_CERTIFIED):
        confirm(unstarted, request)
    unstarted.certify()
    confirm(unstarted, request)


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": bytes(32)},
        {"service_key": bytes(range(32))},
    ],
)
def test_another_start_does_not_start(unstarted: SmallNetwork, change: dict[str, bytes]) -> None:
    """The nonce and the service key are this start's own."""
    recorded = record(unstarted, replace(own_start(unstarted), **change))
    with refused(Reason.NOT_STARTED):
        confirm(unstarted, unstarted.start_request(recorded))
    assert not unstarted.service.is_started


def test_another_operation_does_not_start(unstarted: SmallNetwork) -> None:
    """An entry of another kind is not a start."""
    recorded = record(unstarted, AcquireKey("app/secrets"))
    with refused(Reason.NOT_STARTED):
        confirm(unstarted, unstarted.start_request(recorded))


def test_a_start_that_the_ledger_refused_does_not_start(unstarted: SmallNetwork) -> None:
    """The outcome of the entry must be OK."""
    recorded = record(unstarted, own_start(unstarted), reason=Reason.WRONG_SIGNER)
    with refused(Reason.NOT_GRANTED):
        confirm(unstarted, unstarted.start_request(recorded))


def test_a_stranger_cannot_start(unstarted: SmallNetwork) -> None:
    """The signer is a cosigner that the trust document names."""
    stranger = cosigner("stranger.example")
    signer = Signer(SignerKind.NODE, stranger.key.public_key, stranger.signing.sign)
    recorded = record(unstarted, own_start(unstarted), signer)
    with refused(Reason.WRONG_SIGNER):
        confirm(unstarted, unstarted.start_request(recorded))


def test_a_session_cannot_start(unstarted: SmallNetwork) -> None:
    """A session whose id is a cosigner's key is still no node."""
    key = p256.SigningKey()
    signer = Signer(SignerKind.SESSION, unstarted.cores[0].key.public_key, key.sign)
    recorded = record(unstarted, own_start(unstarted), signer)
    with refused(Reason.WRONG_SIGNER):
        confirm(unstarted, unstarted.start_request(recorded))


def test_a_start_that_the_cosigner_did_not_sign_does_not_start(unstarted: SmallNetwork) -> None:
    """The signature is verified here too, over this network's id."""
    core = unstarted.cores[0]
    stranger = cosigner("stranger.example")
    signer = Signer(SignerKind.NODE, core.key.public_key, stranger.signing.sign)
    recorded = record(unstarted, own_start(unstarted), signer)
    with refused(Reason.BAD_SIGNATURE):
        confirm(unstarted, unstarted.start_request(recorded))


def test_a_start_of_another_network_does_not_start(unstarted: SmallNetwork) -> None:
    """The body names this network."""
    step = own_start(unstarted), Outcome(Reason.OK)
    recorded = unstarted.log.transact(unstarted.node_signer(), step, network_id=bytes(32))
    unstarted.end_block()
    with refused(Reason.WRONG_NETWORK):
        confirm(unstarted, unstarted.start_request(recorded))


def test_a_header_is_no_start(unstarted: SmallNetwork) -> None:
    """A leaf that is no transaction is refused."""
    recorded = unstarted.record_start()
    at = unstarted.log.size - 1
    request = replace(
        unstarted.start_request(recorded),
        index=at,
        leaf=unstarted.log.leaves[at],
        hashes=unstarted.log.inclusion(at),
    )
    with refused(Reason.MALFORMED):
        confirm(unstarted, request)


def test_an_opening_that_the_entry_does_not_commit_to_is_refused(unstarted: SmallNetwork) -> None:
    """Salt, operation and outcome are the ones that the entry commits to."""
    good = unstarted.start_request(unstarted.record_start())
    for wrong in (
        replace(good, salt=bytes(16)),
        replace(good, salt=good.salt + b"\0"),
        replace(good, salt=b""),
        replace(good, salt=good.salt + good.operation[:1], operation=good.operation[1:]),
        replace(good, operation=good.operation + b"\0"),
        replace(good, operation=b""),
        replace(good, outcome=good.outcome + b"\0"),
        replace(good, outcome=b""),
    ):
        with refused(Reason.MALFORMED):
            confirm(unstarted, wrong)
    assert not unstarted.service.is_started
    confirm(unstarted, good)
