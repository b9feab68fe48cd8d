"""Accounts as signers: what they sign, when it is valid, and that nothing is free for them."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from contracts.execute import Repeated
from contracts.records import decode_signer
from ledger import keys
from ledger.crypto import p256, secp256k1
from ledger.format.eip712 import transaction_digest, transaction_typed_data
from ledger.format.operation import AcquireKey, Delete, KeyServiceStart, Operation, Read
from ledger.format.outcome import Outcome, PutDone
from ledger.format.sealed import MODE_PUBLIC
from ledger.format.summary import summarize
from ledger.format.terms import CreateCollection, Destroy, FreezeCollection, SetPolicy
from ledger.format.transaction import (
    Envelope,
    SignerKind,
    decode_envelope,
    encode_envelope,
    signed_message,
    transaction_hash,
)
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_rules import (
    SERVICE_KEY,
    Signer,
    SmallRules,
    Terms,
    account,
    put_of,
    terms_of,
)

DAY_MS = 24 * 3_600_000
CREATE = CreateCollection("own", terms_of())
PUT = put_of("own", "x", mode=MODE_PUBLIC)


def resigned(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The envelope with another signature."""
    envelope = decode_envelope(data)
    return encode_envelope(replace(envelope, signature=change(envelope.signature)))


def high(signature: bytes) -> bytes:
    """The other signature of the same digest: n - s, and the other v."""
    s = secp256k1.ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes((55 - signature[64],))


@pytest.fixture
def owner(rules: SmallRules) -> Signer:
    """An account that owns the collection "own"."""
    signer = account("owner")
    assert rules.outcomes(signer, CREATE) == (Outcome(Reason.OK),)
    return signer


def test_a_wallet_s_signature_counts(rules: SmallRules) -> None:
    """What eth_signTypedData_v4 signs of the summary runs."""
    key = Account.create()
    signer = Signer(SignerKind.ACCOUNT, bytes.fromhex(key.address[2:]), lambda _: b"", 5)
    data = rules.envelope(signer, CREATE, PUT)
    hashed = transaction_hash(decode_envelope(data).body)
    typed = transaction_typed_data(rules.network_id, 5, summarize((CREATE, PUT)), hashed)
    signed = key.sign_message(encode_typed_data(full_message=typed))
    done = rules.executed(resigned(data, lambda _: bytes(signed.signature)))
    assert done.outcomes == (Outcome(Reason.OK), Outcome(Reason.OK, PutDone(1)))


@pytest.mark.parametrize(
    "change",
    [
        high,
        lambda good: good[:64] + bytes((good[64] - 27,)),
        lambda good: good[:64] + bytes((good[64] + 2,)),
        lambda good: good[:64] + bytes((55 - good[64],)),
        lambda good: good[:64],
        lambda good: good + b"\0",
        lambda good: b"\0" + good,
        lambda good: bytes(32) + good[32:],
        lambda good: good[:32] + bytes(32) + good[64:],
        lambda _: b"",
        lambda _: bytes(65),
    ],
    ids=[
        "high-s",
        "v-0",
        "v-29",
        "other-v",
        "short",
        "long",
        "padded",
        "r-0",
        "s-0",
        "no",
        "zeros",
    ],
)
def test_one_spelling_of_a_signature(
    rules: SmallRules, owner: Signer, change: Callable[[bytes], bytes]
) -> None:
    """High s, an odd v, padding and every other spelling are refused; nothing ran meanwhile."""
    good = rules.envelope(owner, PUT)
    with refuses(Reason.BAD_SIGNATURE):
        rules.do(resigned(good, change))
    assert rules.executed(good).outcomes == (Outcome(Reason.OK, PutDone(1)),)


def test_exactly_the_summary(rules: SmallRules, owner: Signer) -> None:
    """A signature over another text, number, network or body than what runs is refused."""
    key = secp256k1.SigningKey(secp256k1.generate_seed())
    signer = replace(owner, name=key.address)
    rules.outcomes(replace(signer, sign=key.sign), CreateCollection("other", terms_of()))
    data = rules.envelope(replace(signer, sign=key.sign, sequence=7), PUT)
    envelope = decode_envelope(data)
    network, hashed = rules.network_id, transaction_hash(envelope.body)
    right = transaction_digest(network, 7, summarize((PUT,)), hashed)
    wrong = (
        transaction_digest(network, 7, summarize((Delete("own", "x"),)), hashed),
        transaction_digest(network, 7, summarize((PUT,)) + "\n", hashed),
        transaction_digest(network, 7, summarize((PUT, PUT)), hashed),
        transaction_digest(network, 7, "", hashed),
        transaction_digest(network, 8, summarize((PUT,)), hashed),
        transaction_digest(bytes(32), 7, summarize((PUT,)), hashed),
        transaction_digest(network, 7, summarize((PUT,)), bytes(32)),
        hashed,
    )
    for digest in wrong:
        with refuses(Reason.BAD_SIGNATURE):
            rules.do(resigned(data, lambda _, digest=digest: key.sign(digest)))  # type: ignore[misc]  # a default argument binds the loop's value
    with refuses(Reason.DENIED):  # now it is the signer's, who owns another collection
        rules.do(resigned(data, lambda _: key.sign(right)))


def test_a_session_s_signature_is_none(rules: SmallRules, owner: Signer) -> None:
    """P-256 over the session's message does not make an account's transaction."""
    data = rules.envelope(owner, PUT)
    key = p256.SigningKey()
    message = signed_message(rules.network_id, decode_envelope(data).body)
    with refuses(Reason.BAD_SIGNATURE):
        rules.do(resigned(data, lambda _: key.sign(message)))


@pytest.mark.parametrize("bad", [b"\xff", b"", b"\x5a\x00"])
def test_unreadable_operations_have_no_summary(
    rules: SmallRules, owner: Signer, bad: bytes
) -> None:
    """One operation that does not decode leaves nothing that an account could have signed."""
    with refuses(Reason.BAD_SIGNATURE):
        rules.do(rules.envelope(owner, PUT, bad))


def test_seven_days(rules: SmallRules, owner: Signer) -> None:
    """An account's transaction is valid for at most 7 days (and the skew) from block time."""
    limit = rules.time_ms + 7 * DAY_MS + rules.parameters.skew_ms
    with refuses(Reason.VALID_TOO_LONG):
        rules.do(rules.envelope(owner, PUT, terms=Terms(valid_until_ms=limit + 1)))
    held = rules.envelope(owner, PUT, terms=Terms(valid_until_ms=limit))
    late = rules.envelope(owner, PUT, terms=Terms(valid_until_ms=rules.time_ms + 6 * DAY_MS))
    rules.end_block(6 * DAY_MS)
    with refuses(Reason.TRANSACTION_EXPIRED):
        rules.do(late)
    assert rules.executed(held).outcomes == (Outcome(Reason.OK, PutDone(1)),)


def test_sequences(rules: SmallRules, owner: Signer) -> None:
    """Numbers run once: again is answered, another body is refused, far below is passed."""
    first = rules.envelope(owner, PUT, terms=Terms(sequence=5_000))
    index = rules.size
    rules.executed(first)
    assert rules.do(first) == Repeated(index)
    for number, reason in ((5_000, Reason.SEQUENCE_REUSED), (3_976, Reason.SEQUENCE_PASSED)):
        with refuses(reason):
            rules.do(rules.envelope(owner, PUT, terms=Terms(sequence=number)))
    for number in (3_977, 2**64 - 1):
        done = rules.executed(rules.envelope(owner, PUT, terms=Terms(sequence=number)))
        assert done.outcomes[0].reason is Reason.OK


@pytest.mark.parametrize(
    "operation, reason",
    [
        (put_of("app", "x", mode=MODE_PUBLIC), Reason.DENIED),
        (put_of("own", "x", mode=MODE_PUBLIC), Reason.DENIED),
        (put_of("nowhere", "x", mode=MODE_PUBLIC), Reason.UNKNOWN_COLLECTION),
        (Delete("own", "x"), Reason.DENIED),
        (Destroy("own", "x"), Reason.DENIED),
        (Destroy("nowhere", "x"), Reason.UNKNOWN_COLLECTION),
        (SetPolicy("own", terms_of()), Reason.DENIED),
        (SetPolicy("app", terms_of()), Reason.DENIED),
        (SetPolicy("nowhere", terms_of()), Reason.UNKNOWN_COLLECTION),
        (FreezeCollection("own", frozen=True), Reason.DENIED),
        (FreezeCollection("nowhere", frozen=True), Reason.UNKNOWN_COLLECTION),
        (CreateCollection("own", terms_of()), Reason.COLLECTION_EXISTS),
        (CreateCollection("app", terms_of()), Reason.COLLECTION_EXISTS),
        (CreateCollection("new", replace(terms_of(), readers=b"\xff")), Reason.MALFORMED),
        (Read("own", "x"), Reason.WRONG_SIGNER),
        (AcquireKey("own"), Reason.WRONG_SIGNER),
        (KeyServiceStart(bytes(32), SERVICE_KEY), Reason.WRONG_SIGNER),
    ],
    ids=map(str, count()),
)
@pytest.mark.parametrize("is_atomic", [False, True])
@pytest.mark.parametrize("owns", [False, True])
@pytest.mark.usefixtures("owner")
def test_strangers_leave_no_entry(
    rules: SmallRules,
    operation: Operation,
    reason: Reason,
    is_atomic: bool,
    owns: bool,
) -> None:
    """What an account may not do is refused and leaves nothing, however often it is asked."""
    stranger = account("stranger")
    if owns:
        rules.outcomes(stranger, CreateCollection("theirs", terms_of()))
    before = dict(rules.state.rows)
    for _ in range(3):
        with refuses(reason):
            data = rules.envelope(stranger, operation, operation, terms=Terms(atomic=is_atomic))
            rules.do(data)
    assert rules.state.rows == before
    assert not rules.state.erased


def test_an_undone_collection_is_no_door(rules: SmallRules) -> None:
    """An atomic transaction that undoes its own CreateCollection leaves no entry."""
    stranger, atomic = account("stranger"), Terms(atomic=True)
    before = dict(rules.state.rows)
    for failing, reason in (
        (Delete("app", "x"), Reason.DENIED),
        (put_of("own", "x", mode=MODE_PUBLIC, if_version=3), Reason.VERSION_CONFLICT),
        (put_of("own", "x", mode=MODE_PUBLIC, epoch=9), Reason.WRONG_EPOCH),
    ):
        with refuses(reason):
            rules.do(rules.envelope(stranger, CREATE, failing, terms=atomic))
        assert rules.state.rows == before


def test_strangers_leave_no_marks_at_secrets(rules: SmallRules, owner: Signer) -> None:
    """Attack: beside something that it may do, an account is denied 255 times at a secret of
    others, as often as it likes; the entry stands, the secret's history has no more rows.
    """
    thaw = FreezeCollection("own", frozen=False)
    for denied in (Destroy("app", "x"), Delete("app", "x"), put_of("app", "x", mode=MODE_PUBLIC)):
        outcomes = rules.outcomes(owner, thaw, *[denied] * 255)
        assert [one.reason for one in outcomes] == [Reason.OK, *[Reason.DENIED] * 255]
    assert not [key for key in rules.state.rows if key.startswith(keys.TOUCH)]


def test_owners_failures_stand(rules: SmallRules, owner: Signer) -> None:
    """What fails beside something that the owner did, or for another reason, is an entry."""
    outcomes = rules.outcomes(owner, PUT, put_of("app", "x", mode=MODE_PUBLIC), CREATE)
    assert [one.reason for one in outcomes] == [
        Reason.OK,
        Reason.DENIED,
        Reason.COLLECTION_EXISTS,
    ]
    (conflict,) = rules.outcomes(owner, replace(PUT, if_version=9))
    assert conflict.reason is Reason.VERSION_CONFLICT
    data = rules.envelope(owner, PUT, CREATE, terms=Terms(atomic=True))
    reasons = [one.reason for one in rules.executed(data).outcomes]
    assert reasons == [Reason.NOT_EXECUTED, Reason.COLLECTION_EXISTS]


def test_accounts_are_never_closed(rules: SmallRules, owner: Signer) -> None:
    """Denials do not add up for an account, which has no other session to go to."""
    for _ in range(3):
        denied = [put_of("app", "x", mode=MODE_PUBLIC)] * 200
        outcomes = rules.outcomes(owner, PUT, *denied, Destroy("nowhere", "x"))
        assert {one.reason for one in outcomes[1:-1]} == {Reason.DENIED}
    record = decode_signer(rules.state.rows[keys.signer(SignerKind.ACCOUNT, owner.name)])
    assert (record.denials, record.is_closed) == (0, False)
    assert rules.outcomes(owner, PUT)[0].reason is Reason.OK


def test_one_account_is_not_another(rules: SmallRules, owner: Signer) -> None:
    """A body that names the owner, signed by somebody else, is not the owner's."""
    forged = replace(account("stranger"), name=owner.name, sequence=9)
    with refuses(Reason.BAD_SIGNATURE):
        rules.do(rules.envelope(forged, PUT))


def test_operations_cannot_be_swapped(rules: SmallRules, owner: Signer) -> None:
    """Another operation under the same body is no transaction at all."""
    first, second = (
        decode_envelope(rules.envelope(owner, one)) for one in (PUT, Destroy("own", "x"))
    )
    swapped = Envelope(
        first.body, first.signature, second.operations, second.salts, second.payloads
    )
    with pytest.raises(Exception, match="does not commit"):
        rules.do(encode_envelope(swapped))
