"""Who signs a transaction, and that the signature is the signer's (steps 1 and 2)."""

from dataclasses import replace
from hashlib import sha256

import pytest

from contracts.errors import StateError
from contracts.execute import Block, Repeated, execute
from contracts.prepare import prepare
from ledger import keys
from ledger.crypto import ed25519, p256
from ledger.crypto.secret import Secret
from ledger.format.leaf import TransactionLeaf, decode_leaf
from ledger.format.operation import KeyServiceStart, OpenSession, Operation, Read
from ledger.format.outcome import Outcome
from ledger.format.transaction import SignerKind, decode_envelope, encode_envelope
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_rules import (
    SERVICE_KEY,
    BlockEnds,
    DictState,
    Enclave,
    Signer,
    SmallRules,
    Terms,
    core_signer,
    new_session,
    put_of,
)

START = KeyServiceStart(sha256(b"nonce").digest(), SERVICE_KEY)
READ = Read("app", "tls/key")


def test_unknown_session(rules: SmallRules) -> None:
    """A session id that was never opened is an unknown signer."""
    signer = Signer(SignerKind.SESSION, bytes(32), p256.SigningKey().sign)
    with refuses(Reason.UNKNOWN_SIGNER):
        rules.do(rules.envelope(signer, READ))


def test_unknown_node(rules: SmallRules) -> None:
    """A node key that the trust document does not name is an unknown signer."""
    key = ed25519.SigningKey(Secret(bytes(32)))
    with refuses(Reason.UNKNOWN_SIGNER):
        rules.do(rules.envelope(Signer(SignerKind.NODE, key.public, key.sign), START))


@pytest.mark.parametrize("signature", [b"", bytes(64), bytes(65), b"\xff" * 64])
def test_no_signature(rules: SmallRules, alpha: Signer, signature: bytes) -> None:
    """Bytes that are no signature are refused, for a session and for a node."""
    for signer, operation in ((alpha, READ), (core_signer(), START)):
        signed_so = replace(signer, sign=lambda _: signature)
        with refuses(Reason.BAD_SIGNATURE):
            rules.do(rules.envelope(signed_so, operation))


def test_signature_of_another(rules: SmallRules, alpha: Signer, beta: Signer) -> None:
    """A body of one session signed by another session's key is refused."""
    forged = replace(alpha, sign=beta.sign)
    with refuses(Reason.BAD_SIGNATURE):
        rules.do(rules.envelope(forged, READ))


def test_signature_of_another_body(rules: SmallRules, alpha: Signer) -> None:
    """A signature moved to another body of the same signer is refused."""
    first = decode_envelope(rules.envelope(alpha, READ))
    second = decode_envelope(rules.envelope(alpha, READ))
    with refuses(Reason.BAD_SIGNATURE):
        rules.do(encode_envelope(replace(second, signature=first.signature)))


def test_high_s(rules: SmallRules, alpha: Signer) -> None:
    """The other signature (r, n-s) of the same body is refused: one body, one signature form."""
    envelope = decode_envelope(rules.envelope(alpha, put_of("app", "x")))
    s = p256.ORDER - int.from_bytes(envelope.signature[32:], "big")
    high = envelope.signature[:32] + s.to_bytes(32, "big")
    with refuses(Reason.BAD_SIGNATURE):
        rules.do(encode_envelope(replace(envelope, signature=high)))


def test_new_session_no_point(rules: SmallRules) -> None:
    """A new session key that is not on the curve has no signature."""
    enclave = Enclave("alpha")
    operation = replace(rules.opening(enclave), session_key=b"\x02" + b"\xff" * 32)
    signer = Signer(SignerKind.NEW_SESSION, operation.session_key, enclave.key.sign)
    with refuses(Reason.BAD_SIGNATURE):
        rules.do(rules.envelope(signer, operation))


def test_other_signature_repeats(rules: SmallRules, alpha: Signer) -> None:
    """The same body under another good signature is the same transaction."""
    first = rules.envelope(alpha, put_of("app", "x"))
    index = rules.size
    rules.executed(first)
    envelope = decode_envelope(first)
    message = b"sealedger/transaction/1\0" + rules.network_id + envelope.body
    again = replace(envelope, signature=alpha.sign(message))
    assert rules.do(encode_envelope(again)) == Repeated(index)


def test_leaf_says_who(rules: SmallRules, alpha: Signer) -> None:
    """The leaf carries height, block time, the body as signed and its signature."""
    data = rules.envelope(alpha, put_of("app", "x"))
    leaf = decode_leaf(rules.executed(data).leaf)
    assert isinstance(leaf, TransactionLeaf)
    envelope = decode_envelope(data)
    assert (leaf.body, leaf.signature) == (envelope.body, envelope.signature)
    assert (leaf.height, leaf.time_ms) == (rules.height, rules.time_ms)


def test_key_service_start(rules: SmallRules) -> None:
    """A core of the trust document records the start of its key service, and nothing more."""
    done = rules.executed(rules.envelope(core_signer(), START))
    assert done.outcomes == (Outcome(Reason.OK),)
    assert all(key[:2] in (b"sN", b"sW") for key in done.writes)


def test_start_of_another_key_service(rules: SmallRules) -> None:
    """A start that names another service key stands as refused."""
    (outcome,) = rules.outcomes(core_signer(), replace(START, service_key=bytes(32)))
    assert outcome == Outcome(Reason.WRONG_SERVICE_KEY)


def test_node_may_not(rules: SmallRules) -> None:
    """A node does nothing but start its key service: other operations have WRONG_SIGNER."""
    others: tuple[Operation | bytes, ...] = (put_of("app", "x"), READ, b"\xff")
    outcomes = rules.outcomes(core_signer(), START, *others)
    assert [one.reason for one in outcomes] == [
        Reason.OK,
        Reason.WRONG_SIGNER,
        Reason.WRONG_SIGNER,
        Reason.MALFORMED,
    ]
    with refuses(Reason.WRONG_SIGNER):
        rules.do(rules.envelope(replace(core_signer(), sequence=1), *others))


def test_node_atomic(rules: SmallRules) -> None:
    """An atomic transaction of a node starts nothing if one of its operations fails."""
    data = rules.envelope(core_signer(), START, READ, terms=Terms(atomic=True))
    reasons = [one.reason for one in rules.executed(data).outcomes]
    assert reasons == [Reason.NOT_EXECUTED, Reason.WRONG_SIGNER]


def test_session_may_not(rules: SmallRules, alpha: Signer) -> None:
    """A session neither opens sessions nor starts key services."""
    opening: OpenSession = rules.opening(Enclave("alpha"))
    outcomes = rules.outcomes(alpha, START, opening, put_of("app", "x"))
    assert [one.reason for one in outcomes] == [Reason.WRONG_SIGNER, Reason.WRONG_SIGNER, Reason.OK]
    with refuses(Reason.WRONG_SIGNER):
        rules.do(rules.envelope(alpha, START, opening))


def test_new_session_may_not(rules: SmallRules) -> None:
    """A new session key signs one OpenSession of itself with number 0, and nothing else."""
    enclave, other = Enclave("alpha"), Enclave("alpha")
    opening = rules.opening(enclave)
    for operations, terms in (
        ((READ,), Terms()),
        ((opening, READ), Terms()),
        ((opening, opening), Terms()),
        ((b"\xff",), Terms()),
        ((rules.opening(other),), Terms()),
        ((opening,), Terms(sequence=1)),
    ):
        with refuses(Reason.WRONG_SIGNER):
            rules.do(rules.envelope(new_session(enclave), *operations, terms=terms), b"verdict")


def test_state_without_parameters(rules: SmallRules, alpha: Signer) -> None:
    """A state without parameters is our fault."""
    prepared = prepare(rules.envelope(alpha, READ), rules.network_id)
    with pytest.raises(StateError, match="parameters"):
        execute(prepared, None, DictState({}), BlockEnds(), Block(1, rules.time_ms, 1))


@pytest.mark.parametrize("make", [keys.session, lambda name: keys.signer(SignerKind.SESSION, name)])
def test_damaged_signer(rules: SmallRules, alpha: Signer, make: object) -> None:
    """A cut session or signer record is our fault, never the sender's."""
    assert callable(make)
    key = make(alpha.name)
    rules.outcomes(alpha, put_of("app", "x"))
    rules.state.apply({key: rules.state.rows[key][:-60]})
    with pytest.raises(StateError):
        rules.do(rules.envelope(alpha, READ))
