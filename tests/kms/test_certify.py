"""Moving to a checkpoint: what the key service follows, and what the log key signs."""

from dataclasses import replace

from kms.messages import CertifyRequest, decode_certify_reply, encode_certify_request
from kms.state import NOTHING_HELD
from ledger.format.leaf import BlockHeader, GenesisLeaf, encode_leaf
from ledger.format.trust import decode_trust, quorum_rule
from ledger.log.merkle import leaf_hash
from ledger.log.note import decode_note
from ledger.log.quorum import verify_certified
from ledger.reason import Reason
from tests.support.log_signers import cosigner, signed_note
from tests.support.refused import refused
from tests.support.small_log import START_MS, SmallLog
from tests.support.small_network import ORIGIN, SmallNetwork


def ask(network: SmallNetwork, request: CertifyRequest) -> bytes:
    """Certify, and give the signed note."""
    return decode_certify_reply(network.service.certify(encode_certify_request(request)))


def test_the_signed_note_is_certified_by_the_trust_document() -> None:
    """What certify gives verifies under the trust document's rule, the log key's line first."""
    network = SmallNetwork(cores=4, quorum=3)
    network.log.end_block()
    note = network.certify()
    anchor = network.service._anchor
    rule = quorum_rule(decode_trust(anchor.trust_bytes))
    certified = verify_certified(note, rule)
    assert certified.checkpoint == network.log.checkpoint()
    assert decode_note(note).signatures[0].name == ORIGIN
    assert len(decode_note(note).signatures) == 5


def test_the_first_block_may_be_genesis_alone(unstarted: SmallNetwork) -> None:
    """At size 1 the genesis leaf is the last leaf, and its time is held."""
    unstarted.certify()
    assert (unstarted.service.held.size, unstarted.service.held.time_ms) == (1, START_MS)


def test_each_block_moves_what_is_held(network: SmallNetwork) -> None:
    """After many blocks the held checkpoint is the log's, with the newest block's time."""
    for _ in range(20):
        time_ms = network.log.time_ms
        network.end_block()
        held = network.service.held
        assert (held.size, held.root) == (network.log.size, network.log.tree.root())
        assert held.time_ms == time_ms


def test_the_same_checkpoint_again_gives_the_same_note(network: SmallNetwork) -> None:
    """Asking again, with the bare or the signed note, gives the same bytes."""
    signed = network.certify()
    assert network.certify() == signed
    assert ask(network, network.certify_request(note=signed)) == signed


def test_a_smaller_checkpoint_is_refused(network: SmallNetwork) -> None:
    """The key service never goes back, whoever signed."""
    old = network.service.held.size
    network.end_block()
    held = network.service.held
    with refused(Reason.NOT_CERTIFIED):
        ask(network, network.certify_request(size=old))
    assert network.service.held == held


def test_an_empty_log_is_refused(unstarted: SmallNetwork) -> None:
    """A checkpoint of size 0 has no last leaf to show and is not signed."""
    request = CertifyRequest(unstarted.log.note(0), (), b"", ())
    with refused(Reason.NOT_CERTIFIED):
        ask(unstarted, request)
    assert unstarted.service.held == NOTHING_HELD


def test_another_root_of_the_same_size_is_refused(network: SmallNetwork) -> None:
    """One size has one root for ever, even with the quorum."""
    fork = fork_of(network, network.log.size - 1)
    fork.end_block()
    assert fork.size == network.service.held.size
    with refused(Reason.NOT_CERTIFIED):
        ask(network, move_to(fork, network.service.held.size))


def test_a_fork_is_refused(network: SmallNetwork) -> None:
    """A larger tree that does not begin with the held one is refused, even with the quorum."""
    fork = fork_of(network, network.log.size - 1)
    for _ in range(5):
        fork.end_block()
    with refused(Reason.NOT_CERTIFIED):
        ask(network, move_to(fork, network.service.held.size))


def test_a_proof_of_another_length_is_refused(network: SmallNetwork) -> None:
    """A proof that is cut or padded proves nothing."""
    network.log.end_block()
    network.log.end_block()
    good = network.certify_request()
    for wrong in (
        replace(good, consistency=good.consistency[:-1]),
        replace(good, consistency=(*good.consistency, bytes(32))),
        replace(good, header_hashes=good.header_hashes[:-1]),
        replace(good, header_hashes=(*good.header_hashes, bytes(32))),
    ):
        with refused(Reason.NOT_CERTIFIED):
            ask(network, wrong)
    ask(network, good)


def test_a_header_that_is_not_the_last_leaf_is_refused(network: SmallNetwork) -> None:
    """The block time comes from the last leaf and from no other."""
    network.log.end_block()
    network.log.end_block()
    request = network.certify_request()
    at = network.log.size - 2
    other = replace(request, header=network.log.leaves[at], header_hashes=network.log.inclusion(at))
    with refused(Reason.NOT_CERTIFIED):
        ask(network, other)


def test_a_log_that_ends_in_a_transaction_is_refused(network: SmallNetwork) -> None:
    """A checkpoint in the middle of a block is not signed."""
    session = network.open_session()
    network.record_acquire(session, "app/secrets")
    with refused(Reason.NOT_CERTIFIED):
        network.certify()


def test_a_log_that_ends_in_a_second_genesis_is_refused(network: SmallNetwork) -> None:
    """The genesis leaf counts as an end at size 1 only."""
    network.log.append(GenesisLeaf(network.network_id, network.log.time_ms))
    with refused(Reason.NOT_CERTIFIED):
        network.certify()


def test_a_header_in_place_of_genesis_is_refused(unstarted: SmallNetwork) -> None:
    """A log of size 1 that starts with a header is not this network's."""
    header = encode_leaf(BlockHeader(0, START_MS, b"", 1, 1, 1))
    log = SmallLog(ORIGIN, unstarted.network_id, unstarted.cores)
    checkpoint = replace(log.checkpoint(), root=leaf_hash(header))
    request = CertifyRequest(signed_note(checkpoint, unstarted.cores), (), header, ())
    with refused(Reason.NOT_CERTIFIED):
        ask(unstarted, request)


def test_the_genesis_leaf_of_another_network_is_refused(unstarted: SmallNetwork) -> None:
    """A log that names another network is refused from its first leaf on."""
    log = SmallLog(ORIGIN, bytes(32), unstarted.cores)
    with refused(Reason.WRONG_NETWORK):
        ask(unstarted, move_to(log, 0))


def test_a_last_leaf_that_is_no_leaf_is_refused(network: SmallNetwork) -> None:
    """Bytes that do not decode are refused even where the quorum signed them."""
    network.log.append_bytes(b"\xff\xff")
    with refused(Reason.MALFORMED):
        network.certify()


def test_block_time_never_goes_back(network: SmallNetwork) -> None:
    """A block with an earlier time than the held one is refused; the same time is not."""
    network.log.time_ms = network.service.held.time_ms
    network.end_block(0)
    network.log.time_ms -= 1
    network.log.end_block()
    with refused(Reason.NOT_CERTIFIED):
        network.certify()


def test_a_checkpoint_of_another_origin_is_refused(network: SmallNetwork) -> None:
    """The origin is the trust document's, generation included."""
    network.log.origin = "dev.ledger.example/2"
    network.log.end_block()
    with refused(Reason.NOT_CERTIFIED):
        network.certify()


def test_two_lines_of_one_operator_are_one_vote() -> None:
    """A quorum counts distinct operators, and a line twice is refused."""
    network = SmallNetwork(cores=4, quorum=3)
    network.log.end_block()
    one = network.cores[0]
    for signers in ((one, one, one), network.cores[:2], ()):
        with refused(Reason.NOT_CERTIFIED):
            note = network.log.note(signers=signers) if signers else b"no note"
            ask(network, network.certify_request(note=note))
    ask(network, network.certify_request(note=network.log.note(signers=network.cores[:3])))


def test_a_note_without_room_for_the_log_key_is_refused(network: SmallNetwork) -> None:
    """A note of 100 signatures is whole already: it is refused, and nothing moves."""
    network.log.end_block()
    held = network.service.held
    strangers = [cosigner(f"stranger-{number}.example") for number in range(99)]
    note = network.log.note(signers=[*network.cores, *strangers])
    with refused(Reason.NOT_CERTIFIED):
        ask(network, network.certify_request(note=note))
    assert network.service.held == held


def fork_of(network: SmallNetwork, size: int) -> SmallLog:
    """Another log with the first `size` leaves of the network's, and other blocks after them."""
    fork = SmallLog(ORIGIN, network.network_id, network.cores)
    for leaf in network.log.leaves[1:size]:
        fork.append_bytes(leaf)
    fork.time_ms = network.log.time_ms + 60_000
    return fork


def move_to(log: SmallLog, held_size: int) -> CertifyRequest:
    """The best request that a fork's maker can send."""
    at = log.size - 1
    return CertifyRequest(log.note(), log.consistency(held_size), log.leaves[at], log.inclusion(at))
