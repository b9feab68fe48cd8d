"""The attacks of the design (section 9) that the rules must stop, each by its name."""

from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import pytest

from attestation.verdict import encode_verdict
from contracts.errors import RefusedError
from contracts.execute import Executed, Repeated
from contracts.prepare import prepare
from ledger import keys
from ledger.errors import FormatError
from ledger.format.leaf import MAX_LEAF_BYTES
from ledger.format.operation import (
    AcquireKey,
    Delete,
    KeyServiceStart,
    OpenSession,
    Operation,
    Put,
    Read,
    encode_operation,
)
from ledger.format.outcome import ReadGranted
from ledger.format.transaction import MAX_OPERATIONS, SignerKind, encode_envelope
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_hygiene import Edition, bring
from tests.support.small_rules import (
    MINUTE_MS,
    START_MS,
    Enclave,
    Signer,
    SmallRules,
    Terms,
    collection,
    core_signer,
    genesis_bytes,
    identity_of,
    new_session,
    policy_of,
    put_of,
)

LONG = "n" * 200
LONG_COLLECTION = "c" * 200


def opening(rules: SmallRules, enclave: Enclave) -> tuple[bytes, bytes]:
    """An envelope that opens a session of "alpha", and the verdict on its quote."""
    operation = rules.opening(enclave)
    verdict = encode_verdict(rules.verdict(identity_of("alpha"), operation))
    return rules.envelope(new_session(enclave), operation), verdict


def test_same_session_key_opened_twice_with_another_kem_key(rules: SmallRules) -> None:
    """A session key that opened a session opens none with another KEM key, under any number."""
    enclave = Enclave("alpha")
    index = rules.size
    first, first_verdict = opening(rules, enclave)
    done = rules.executed(first, first_verdict)
    other = replace(enclave, kem_key=b"\1" * 1216)
    second, verdict = opening(rules, other)
    with refuses(Reason.SESSION_KEY_REUSED):
        rules.do(second, verdict)
    operation = rules.opening(other)
    verdict = encode_verdict(rules.verdict(identity_of("alpha"), operation))
    again = rules.envelope(new_session(other), operation, terms=Terms(sequence=1))
    with refuses(Reason.WRONG_SIGNER):
        rules.do(again, verdict)
    assert rules.do(first, first_verdict) == Repeated(index), "the honest retry still answers"
    sessions = [key for key in rules.state.rows if key.startswith(b"sS")]
    assert len(sessions) == 1
    assert sessions[0] in done.writes


def test_right_code_on_another_network(rules: SmallRules) -> None:
    """Evidence, sessions and transactions of one network do nothing on another one."""
    other = SmallRules(genesis_bytes(salt=b"\1" * 32))
    assert other.network_id != rules.network_id
    enclave = Enclave("alpha")
    envelope, verdict = opening(rules, enclave)
    with pytest.raises(FormatError) as caught:
        prepare(envelope, other.network_id)
    assert caught.value.reason is Reason.WRONG_NETWORK
    # The right code makes a transaction for the other network, but its quote binds the first one.
    with refuses(Reason.WRONG_REPORT_DATA):
        other.do(other.envelope(new_session(enclave), rules.opening(enclave)), verdict)
    session = rules.open(enclave)
    with refuses(Reason.UNKNOWN_SIGNER):
        other.do(other.envelope(session, put_of("app", "x")))


def test_signature_of_another_network(rules: SmallRules) -> None:
    """A signature made over another network's id does not sign this body."""
    session = rules.open(Enclave("alpha"))
    honest = session.sign
    session.sign = lambda message: honest(message.replace(rules.network_id, bytes(32), 1))
    with refuses(Reason.BAD_SIGNATURE):
        rules.do(rules.envelope(session, put_of("app", "x")))


def test_put_withheld_past_valid_until(rules: SmallRules, alpha: Signer) -> None:
    """A Put that a relay withholds past valid_until never runs, so its writer may sign it again."""
    until = rules.time_ms + MINUTE_MS
    withheld = rules.envelope(alpha, put_of("app", "x"), terms=Terms(valid_until_ms=until))
    rules.end_block(MINUTE_MS)
    rules.executed(rules.envelope(alpha, put_of("app", "x", sealed_digest=b"\1" * 32)))
    for _ in range(3):
        with refuses(Reason.TRANSACTION_EXPIRED):
            rules.do(withheld)
        rules.end_block(10 * MINUTE_MS)
    (outcome,) = rules.outcomes(alpha, Read("app", "x"))
    assert isinstance(outcome.detail, ReadGranted)
    assert (outcome.detail.version, outcome.detail.sealed_digest) == (1, b"\1" * 32)


def test_stale_checkpoint(rules: SmallRules) -> None:
    """Evidence hoarded over an old checkpoint, or over a root that never was, opens nothing."""
    hoarder = Enclave("alpha")
    envelope, verdict = opening(rules, hoarder)
    rules.end_block(rules.parameters.checkpoint_age_ms)
    rules.end_block(1)
    fresh = Terms(valid_until_ms=rules.time_ms + MINUTE_MS)
    size = min(rules.log.ends)
    end = rules.log.ends[size]
    old = replace(rules.opening(hoarder), checkpoint_size=size, checkpoint_root=end.root)
    for operation in (
        old,
        replace(rules.opening(hoarder), checkpoint_root=end.root),
        replace(rules.opening(hoarder), checkpoint_size=size),
        replace(rules.opening(hoarder), checkpoint_size=rules.size + 1),
    ):
        judged = encode_verdict(rules.verdict(identity_of("alpha"), operation))
        with refuses(Reason.STALE_CHECKPOINT):
            rules.do(rules.envelope(new_session(hoarder), operation, terms=fresh), judged)
    with refuses(Reason.TRANSACTION_EXPIRED):
        rules.do(envelope, verdict)


def test_hundred_denials_close_the_session(rules: SmallRules, beta: Signer) -> None:
    """An admitted enclave that tries doors is shut out after 100, and stores nothing by trying."""
    rows = len(rules.state.rows)
    rules.outcomes(beta, *[put_of("app", f"door/{number}") for number in range(MAX_OPERATIONS)])
    with refuses(Reason.SESSION_CLOSED):
        rules.do(rules.envelope(beta, Read("beta/own", "x")))
    new = set(rules.state.rows)
    assert len(new) - rows == 100 + 2, "100 marks, the signer, its number"
    assert not [key for key in new if key.startswith((b"sH", b"sV"))]


def full() -> SmallRules:
    """A network with the longest collection name."""
    policy = policy_of("alpha")
    return SmallRules(genesis_bytes((collection(LONG_COLLECTION, policy, policy),)))


def largest(number: int, **changes: object) -> Put:
    """The largest put: the longest names and the widest numbers."""
    name = f"{number:03d}" + LONG[3:]
    return put_of(LONG_COLLECTION, name, size=1024 * 1024 + 16, **changes)


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("jump_ms", [0, 2**48 - 1 - START_MS])
def test_256_maximal_operations(atomic: bool, jump_ms: int) -> None:
    """256 operations of the greatest size fit a leaf under 65,536 bytes, and nothing raises."""
    rules = full()
    bring(rules, core_signer(), Edition(valid_until_s=2**40))
    rules.end_block(jump_ms)
    rules.end_block(0)
    session = rules.open(Enclave("alpha"))
    reads = [Read(LONG_COLLECTION, largest(n).name, 2**64 - 1) for n in range(MAX_OPERATIONS)]
    rounds: list[list[Operation]] = [
        [largest(number) for number in range(MAX_OPERATIONS)],
        [largest(number, if_version=1) for number in range(MAX_OPERATIONS)],
        [Read(LONG_COLLECTION, largest(number).name, 1) for number in range(MAX_OPERATIONS)],
        [largest(number, if_version=2**64 - 1) for number in range(MAX_OPERATIONS)],
        [AcquireKey(LONG_COLLECTION)] * MAX_OPERATIONS,
        list(reads),
        [Delete(LONG_COLLECTION, largest(n).name, 2) for n in range(MAX_OPERATIONS)],
    ]
    number = 2**64 - 1 - len(rounds)
    for operations in rounds:
        number += 1
        until = rules.time_ms + 10 * MINUTE_MS
        terms = Terms(sequence=number, valid_until_ms=until, atomic=atomic)
        done = rules.executed(rules.envelope(session, *operations, terms=terms))
        assert len(done.outcomes) == MAX_OPERATIONS
        assert len(done.leaf) <= MAX_LEAF_BYTES < 65_536


def test_256_maximal_malformed_operations(rules: SmallRules, alpha: Signer) -> None:
    """256 operations of 4,096 unreadable bytes are a reply, and beside one good one an entry."""
    garbage = b"\xff" * 4_096
    with refuses(Reason.MALFORMED):
        rules.do(rules.envelope(alpha, *[garbage] * MAX_OPERATIONS))
    rules.outcomes(alpha, *[garbage] * (MAX_OPERATIONS - 1), put_of("app", "x"))
    with refuses(Reason.SESSION_CLOSED):
        rules.do(rules.envelope(alpha, put_of("app", "x")))


def test_largest_open_session() -> None:
    """A session of the largest identity opens, and its entry fits."""
    advisories = tuple(f"INTEL-SA-{number:023d}" for number in range(64))
    identity = replace(
        identity_of("alpha"),
        signer=bytes(48),
        product_id=65_535,
        svn=65_535,
        advisories=advisories,
        platform_id=bytes(32),
        fmspc=bytes(6),
    )
    rules = SmallRules()
    rules.open(Enclave("alpha"), identity)


def test_every_signer_and_every_operation(rules: SmallRules, alpha: Signer) -> None:
    """Whoever signs whatever: an entry, a repetition or a refusal; never another exception."""
    enclave = Enclave("alpha")
    opened: OpenSession = rules.opening(enclave)
    start = KeyServiceStart(sha256(b"").digest(), bytes(32))
    operations: list[Operation | bytes] = [
        *(opened, start, put_of("app", "x"), Read("app", "x"), Delete("app", "x")),
        *(AcquireKey("app"), b"", b"\xff", encode_operation(start)[:-1]),
    ]
    widths = {
        SignerKind.SESSION: alpha.name,
        SignerKind.ACCOUNT: bytes(20),
        SignerKind.NODE: bytes(32),
        SignerKind.NEW_SESSION: enclave.key.public,
    }
    entries = 0
    for kind, name in widths.items():
        for operation in operations:
            signer = Signer(kind, name, alpha.sign)
            terms = Terms(sequence=0 if kind is SignerKind.NEW_SESSION else entries)
            with suppress(RefusedError):
                done = rules.do(rules.envelope(signer, operation, terms=terms))
                assert isinstance(done, Executed)
                entries += 1
    assert entries == 4, "put, read, delete and acquire of the session"


def test_envelope_moved_to_another_payload(rules: SmallRules, alpha: Signer) -> None:
    """The rules read no payload: with its payload erased a transaction replays to the same."""
    data = rules.envelope(alpha, put_of("app", "x"))
    envelope = prepare(data, rules.network_id).envelope
    with_payload = encode_envelope(replace(envelope, payloads=(b"sealed",)))
    index = rules.size
    rules.executed(with_payload)
    assert rules.do(data) == Repeated(index)
    assert keys.head_of("app", "x") in rules.state.rows
