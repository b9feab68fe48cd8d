"""The examples of docs/spec/key-service.md, rebuilt from fixed secrets.

`python -m tests.support.kms_examples` writes them into the page anew; a test compares the two.
"""

import re

from kms.keys import EpochKeys, service_keys
from kms.messages import (
    CertifyRequest,
    HelloEvidence,
    Released,
    ReleaseItem,
    ReleaseRequest,
    SealingKeyStatement,
    SessionGrant,
    StartRequest,
    encode_certify_reply,
    encode_certify_request,
    encode_hello_evidence,
    encode_release_reply,
    encode_release_request,
    encode_sealing_key_question,
    encode_sealing_key_statement,
    encode_session_grant,
    encode_start_request,
)
from kms.state import Held, KeyServiceState, encode_state, seal_state
from ledger import sealing
from ledger.crypto.secret import Secret
from ledger.reason import Reason
from tests.support.repository import ROOT

PAGE = ROOT / "docs/spec/key-service.md"
SEED = Secret(b"\x51" * 32)
EPOCH = Secret(b"\xe1" * 32)
PLATFORM_KEY = Secret(b"\x91" * 32)
SALT = b"\x5a" * 32
SESSION = b"\xc1" * 32
LEAF_HASH = b"\xc3" * 32
POSITION = 3
STATE = KeyServiceState(
    network_id=b"\xa1" * 32,
    service_seed=SEED,
    epochs={1: EPOCH},
    trust=b"trust",
    held=Held(12, b"\x12" * 32, 1_800_000_000_000),
)

_EXAMPLE = re.compile(r"^(?P<name>[^\n]+)\n```\n(?P<value>[0-9a-f]+)\n```$", re.MULTILINE)


def build_examples() -> dict[str, str]:
    """Every example of the page by its name there, as hex."""
    keys = service_keys(SEED)
    epoch_keys = EpochKeys({1: EPOCH})
    session_secret = epoch_keys.session_secret(1, SESSION)
    one_time = sealing.release_key(session_secret, LEAF_HASH, POSITION)
    released = sealing.seal_released(one_time, Secret(b"\xd1" * 32))
    item = ReleaseItem(POSITION, b"\x5b" * 16, b"outcome", b"operation", b"header", b"\x5c" * 32)
    hashes = (b"\x01" * 32, b"\x02" * 32)
    public = epoch_keys.sealing_key(1, "app/secrets").public
    statement = sealing.sealing_key_statement(b"\xa1" * 32, "app/secrets", 1, public)
    values = {
        "log key": keys.log.public,
        "service key": keys.service.public,
        "collection secret": sealing.collection_secret(EPOCH, "app/secrets").reveal(),
        "session KEK": epoch_keys.writer_key(1, "app/secrets", SESSION).reveal(),
        "session secret": session_secret.reveal(),
        "one-time key": one_time.reveal(),
        "released key": released,
        "state": encode_state(STATE).reveal(),
        "sealed state": seal_state(STATE, PLATFORM_KEY, SALT),
        "CertifyRequest": encode_certify_request(
            CertifyRequest(b"note", hashes, b"header", hashes[:1])
        ),
        "CertifyReply": encode_certify_reply(b"signed note"),
        "StartRequest": encode_start_request(
            StartRequest(5, b"leaf", hashes, b"\x5b" * 16, b"operation", b"outcome")
        ),
        "ReleaseRequest": encode_release_request(
            ReleaseRequest(5, b"leaf", hashes, 12, b"\x12" * 32, hashes[:1], (item,))
        ),
        "ReleaseReply": encode_release_reply(
            (Released(Reason.OK, released), Released(Reason.HEADER_MISMATCH))
        ),
        "SessionGrant": encode_session_grant(
            SessionGrant(SESSION, 1_800_003_600_000, b"sealed secret", b"\x5d" * 64)
        ),
        "sealing key": public,
        "SealingKeyQuestion": encode_sealing_key_question("app/secrets"),
        "SealingKeyStatement": encode_sealing_key_statement(
            SealingKeyStatement(b"public key", 1, keys.service.sign(statement))
        ),
        "HelloEvidence": encode_hello_evidence(
            HelloEvidence(b"evidence", b"checkpoint", b"\x5e" * 64)
        ),
    }
    return {name: value.hex() for name, value in values.items()}


def examples_of_page() -> dict[str, str]:
    """Name and content of each example that the page shows."""
    return {match["name"]: match["value"] for match in _EXAMPLE.finditer(PAGE.read_text())}


def main() -> None:
    """Rewrite the examples of the page."""
    built = build_examples()
    text = _EXAMPLE.sub(
        lambda match: f"{match['name']}\n```\n{built[match['name']]}\n```", PAGE.read_text()
    )
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
