"""No text and no answer of the key service shows a secret."""

import base64
import traceback
from collections.abc import Callable

import pytest

from kms.birth import UnboundKeyService
from kms.errors import KeyServiceStateError, KmsError
from kms.messages import Released, encode_release_request
from kms.service import open_key_service
from kms.state import LABEL, decode_state, encode_state, open_state
from ledger import sealing
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format.genesis import network_id
from ledger.log.merkle import leaf_hash
from tests.support.small_log import SmallLog
from tests.support.small_network import ORIGIN, SmallNetwork, genesis_of, trust_of
from tests.support.small_platform import MemoryState

SEED = b"planted service seed, 32 bytes.."
EPOCH = b"planted epoch secret, 32 bytes.."
VALUE = b"planted value of an enclave"


class PlantedNetwork(SmallNetwork):
    """A network whose seed and epoch secret are known, so that they can be looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryState()
        unbound = UnboundKeyService(
            seed=Secret(SEED),
            epoch_secret=Secret(EPOCH),
            platform=self.platform,
            store=self.store,
        )
        trust = trust_of(unbound.log_key, unbound.service_key, self.cores, 1)
        self.genesis = genesis_of(trust)
        self.network_id = network_id(self.genesis)
        self.texts = [repr(unbound), str(unbound)]
        self.service = unbound.bind(self.genesis)
        self.log = SmallLog(ORIGIN, self.network_id, self.cores)


def spellings(secret: bytes) -> list[bytes]:
    """The ways in which bytes come to stand in a text."""
    return [
        secret,
        repr(secret)[2:-1].encode(),
        secret.hex().encode(),
        base64.b64encode(secret)[:40],
        base64.urlsafe_b64encode(secret)[:40],
        str(list(secret)).encode(),
    ]


def shown(call: Callable[[], object]) -> str:
    """The whole traceback of a call that must fail."""
    with pytest.raises((KmsError, FormatError)) as caught:
        call()
    return "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def test_planted_secrets_show_nowhere() -> None:
    """Seed, epoch secret, derived keys and values stand in no repr, error, blob or answer."""
    network = PlantedNetwork()
    network.start()
    writer, reader = network.open_session(), network.open_session()
    stored = network.seal(writer, VALUE)
    recorded = network.record_read(reader, stored)
    note = network.end_block()
    request = network.release_request(recorded, network.item(recorded, stored))
    data = encode_release_request(request)
    answers = network.service.release(data)
    network.service.checkpoint_state()

    epoch = Secret(EPOCH)
    collection = sealing.collection_secret(epoch, stored.at.collection)
    planted = [
        SEED,
        EPOCH,
        VALUE,
        collection.reveal(),
        sealing.session_kek(collection, writer.id).reveal(),
        reader.secret.reveal(),
        sealing.release_key(reader.secret, leaf_hash(recorded.leaf), 0).reveal(),
        network.platform.sealing_key(LABEL).reveal(),
    ]
    core = network.service._core
    assert core is not None
    blob = network.store.blobs[-1]
    key = network.platform.sealing_key(LABEL)
    state = open_state(blob, key)
    assert encode_state(state).reveal().count(SEED) == 1  # the search below can find it
    things = (network.service, core, core.state, core.keys, core.epochs, core.releaser, state)
    texts = [text for thing in things for text in (repr(thing), str(thing), f"{thing}")]
    texts += network.texts
    texts += [
        shown(lambda: network.service.certify(SEED)),
        shown(lambda: network.service.confirm_start(EPOCH)),
        shown(lambda: network.service.release(data + EPOCH)),
        shown(lambda: network.service.hello(SEED[:5], EPOCH[:5])),
        shown(lambda: open_state(blob, Secret(SEED))),
        shown(lambda: decode_state(Secret(encode_state(state).reveal() + b"\0"))),
        shown(lambda: decode_state(Secret(SEED))),
        shown(lambda: core.epochs.session_secret(2, bytes(32))),
        shown(
            lambda: open_key_service(genesis=b"", platform=network.platform, store=network.store)
        ),
    ]
    outputs = [answers, note, blob, *network.store.blobs, *(text.encode() for text in texts)]
    for secret in planted:
        for spelling in spellings(secret):
            for output in outputs:
                assert spelling not in output


def test_the_search_finds_what_is_shown() -> None:
    """The test above can fail: a secret in a repr is found in each spelling."""
    text = repr(Released.__name__) + repr(SEED) + SEED.hex() + str(list(SEED))
    found = [spelling in text.encode() for spelling in spellings(SEED)]
    assert found == [True, True, True, False, False, True]


def test_a_state_error_says_what_to_do() -> None:
    """Each state error names the next step."""
    network = PlantedNetwork()
    steps = {
        b"": "put back",
        b"\x01" + bytes(100): "start it where it was sealed",
        b"\x02" + bytes(100): "start the build that wrote it",
    }
    for blob, step in steps.items():
        network.store.blobs.append(blob)
        with pytest.raises(KeyServiceStateError, match=step):
            network.reopen()
