"""Which evidence opens a session (contracts.sessions, 1 to 5)."""

from dataclasses import replace
from hashlib import sha256

import pytest

from attestation.identity import encode_identity, identity_digest
from attestation.policy import Match, encode_policy
from attestation.verdict import encode_verdict
from contracts.errors import StateError
from contracts.execute import Repeated
from contracts.records import decode_session, encode_parameters
from ledger import keys
from ledger.crypto.p256 import SigningKey
from ledger.format.operation import OpenSession, Read
from ledger.format.outcome import SessionOpened
from ledger.format.transaction import decode_envelope
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_rules import (
    MINUTE_MS,
    Enclave,
    SmallRules,
    collection,
    genesis_bytes,
    identity_of,
    new_session,
    policy_of,
    put_of,
)


def attempt(
    rules: SmallRules, enclave: Enclave, operation: OpenSession, verdict: bytes | None = None
) -> SessionOpened:
    """Open with this operation; by default with the verdict on a quote that binds it."""
    judged = encode_verdict(rules.verdict(identity_of(enclave.name), operation))
    envelope = rules.envelope(new_session(enclave), operation)
    (outcome,) = rules.executed(envelope, verdict or judged).outcomes
    assert isinstance(outcome.detail, SessionOpened)
    return outcome.detail


def test_opens(rules: SmallRules) -> None:
    """A good OpenSession leaves a session record, its quote, and an outcome with the verdict."""
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    rules.end_block(2_000)
    index = rules.size
    opened = attempt(rules, enclave, operation)
    verdict = rules.verdict(identity_of("alpha"), operation)
    assert opened.verdict == encode_verdict(verdict)
    assert opened.expires_ms == rules.time_ms + rules.parameters.session_ms
    assert opened.epoch == 1
    session = decode_session(rules.state.rows[keys.session(opened.session_id)])
    assert session.public_key == enclave.key.public
    assert session.identity == encode_identity(identity_of("alpha"))
    assert session.identity_digest == identity_digest(session.identity)
    assert (session.expires_ms, session.epoch, session.index) == (opened.expires_ms, 1, index)
    assert session.quote_digest == verdict.quote_digest
    assert rules.state.rows[keys.quote(verdict.quote_digest)] == opened.session_id


def test_same_again(rules: SmallRules) -> None:
    """The same OpenSession again gives its first entry, also without a verdict and much later."""
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    envelope = rules.envelope(new_session(enclave), operation)
    index = rules.size
    rules.executed(envelope, encode_verdict(rules.verdict(identity_of("alpha"), operation)))
    rules.end_block(60 * MINUTE_MS)
    assert rules.do(envelope) == Repeated(index)


def test_id_is_of_the_body(rules: SmallRules) -> None:
    """Two sessions of one enclave have two ids, and each acts for itself."""
    first, second = rules.open(Enclave("alpha")), rules.open(Enclave("alpha"))
    assert first.name != second.name
    rules.outcomes(first, put_of("app", "x"))
    rules.outcomes(second, put_of("app", "x"))


@pytest.mark.parametrize(
    "field, reason",
    [
        ("trust_digest", Reason.WRONG_TRUST_DOCUMENT),
        ("service_key", Reason.WRONG_SERVICE_KEY),
        ("checkpoint_root", Reason.STALE_CHECKPOINT),
    ],
)
def test_wrong_names(rules: SmallRules, field: str, reason: Reason) -> None:
    """Another trust document, service key or root than the ledger's is refused by name."""
    enclave = Enclave("alpha")
    operation = replace(rules.opening(enclave), **{field: bytes(32)})  # type: ignore[arg-type]  # the three fields are bytes
    with refuses(reason):
        attempt(rules, enclave, operation)


@pytest.mark.parametrize("size", [0, 2, 999, 2**64 - 1])
def test_no_block_end(rules: SmallRules, size: int) -> None:
    """A size at which no block ended is no checkpoint: 0, in a block, beyond the log."""
    rules.open(Enclave("alpha"))
    enclave = Enclave("alpha")
    operation = replace(rules.opening(enclave), checkpoint_size=size)
    with refuses(Reason.STALE_CHECKPOINT):
        attempt(rules, enclave, operation)


def test_age_of_checkpoint(rules: SmallRules) -> None:
    """A checkpoint of exactly the greatest age still does, one millisecond more does not."""
    early, late = Enclave("alpha"), Enclave("alpha")
    operations = rules.opening(early), rules.opening(late)
    _, end = rules.log.newest
    rules.end_block(rules.parameters.checkpoint_age_ms - (rules.time_ms - end.time_ms))
    assert rules.time_ms - end.time_ms == rules.parameters.checkpoint_age_ms
    attempt(rules, early, operations[0])
    rules.end_block(1)
    with refuses(Reason.STALE_CHECKPOINT):
        attempt(rules, late, operations[1])


def test_older_checkpoint(rules: SmallRules) -> None:
    """A lower checkpoint that is still young opens a session: it need not be the newest."""
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    for _ in range(3):
        rules.end_block(1_000)
    attempt(rules, enclave, operation)


def test_no_verdict(rules: SmallRules) -> None:
    """Without the block's verdict nothing is decided."""
    enclave = Enclave("alpha")
    with refuses(Reason.EVIDENCE_UNDECIDED):
        rules.do(rules.envelope(new_session(enclave), rules.opening(enclave)))


@pytest.mark.parametrize("verdict", [b"\xff", b"verdict"])
def test_damaged_verdict(rules: SmallRules, verdict: bytes) -> None:
    """A verdict of the block that does not decode is our fault: StateError."""
    enclave = Enclave("alpha")
    with pytest.raises(StateError):
        attempt(rules, enclave, rules.opening(enclave), verdict)


@pytest.mark.parametrize(
    "field", ["session_key", "kem_key", "service_key", "trust_digest", "checkpoint_root"]
)
def test_quote_binds_all(rules: SmallRules, field: str) -> None:
    """A quote made for another key, KEM key, service, document or root does not open this one."""
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    other = (
        SigningKey().public if field == "session_key" else b"\1" * len(getattr(operation, field))
    )
    quoted = replace(operation, **{field: other})  # type: ignore[arg-type]  # these fields are bytes
    verdict = encode_verdict(rules.verdict(identity_of("alpha"), quoted))
    with refuses(Reason.WRONG_REPORT_DATA):
        attempt(rules, enclave, operation, verdict)


def test_quote_binds_size(rules: SmallRules) -> None:
    """A quote made over another size does not open this one."""
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    quoted = replace(operation, checkpoint_size=operation.checkpoint_size + 1)
    with refuses(Reason.WRONG_REPORT_DATA):
        attempt(
            rules, enclave, operation, encode_verdict(rules.verdict(identity_of("alpha"), quoted))
        )


def test_quote_once(rules: SmallRules) -> None:
    """A quote whose signed region opened a session opens no other one."""
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    verdict = rules.verdict(identity_of("alpha"), operation, quote=b"signed region")
    attempt(rules, enclave, operation, encode_verdict(verdict))
    other = Enclave("alpha")
    operation = rules.opening(other)
    verdict = rules.verdict(identity_of("alpha"), operation, quote=b"signed region")
    with refuses(Reason.EVIDENCE_REUSED):
        attempt(rules, other, operation, encode_verdict(verdict))


def test_refused_quote_may_come_again(rules: SmallRules) -> None:
    """A refusal uses up neither the session key nor the quote."""
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    with refuses(Reason.EVIDENCE_UNDECIDED):
        rules.do(rules.envelope(new_session(enclave), operation))
    attempt(rules, enclave, operation)


def test_not_admitted(rules: SmallRules) -> None:
    """An identity that no collection's policy names opens no session and leaves no entry."""
    with refuses(Reason.NOT_ADMITTED):
        attempt(rules, enclave := Enclave("gamma"), rules.opening(enclave))


def test_readers_are_admitted() -> None:
    """Being a reader of one collection is enough to open a session."""
    readers = collection("c", policy_of("alpha"), policy_of("beta"))
    rules = SmallRules(genesis_bytes((readers,)))
    rules.open(Enclave("alpha"))
    rules.open(Enclave("beta"))


def test_no_collections() -> None:
    """A network without collections admits nobody."""
    rules = SmallRules(genesis_bytes(()))
    with refuses(Reason.NOT_ADMITTED):
        attempt(rules, enclave := Enclave("alpha"), rules.opening(enclave))


def test_one_byte_of_code(rules: SmallRules) -> None:
    """A measurement that differs in one bit is another identity."""
    good = identity_of("alpha")
    measurement = bytes((good.measurement[0] ^ 1,)) + good.measurement[1:]
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    verdict = rules.verdict(replace(good, measurement=measurement), operation)
    with refuses(Reason.NOT_ADMITTED):
        attempt(rules, enclave, operation, encode_verdict(verdict))


def test_debug_and_status(rules: SmallRules) -> None:
    """A debug enclave or an out-of-date platform of the right measurement is not admitted."""
    for changes in ({"debug": True}, {"tcb_status": "OutOfDate"}):
        enclave = Enclave("alpha")
        operation = rules.opening(enclave)
        verdict = rules.verdict(identity_of("alpha", **changes), operation)
        with refuses(Reason.NOT_ADMITTED):
            attempt(rules, enclave, operation, encode_verdict(verdict))


def test_debug_in_development_only() -> None:
    """A match that allows debug admits a debug enclave in development, never in production."""
    debug = identity_of("alpha", debug=True)
    policy = encode_policy(Match(measurement=debug.measurement, allow_debug=True))
    rules = SmallRules(genesis_bytes((collection("c", policy, policy),)))
    session = rules.open(Enclave("alpha"), debug)
    assert rules.outcomes(session, put_of("c", "x"))[0].reason is Reason.OK
    production = replace(rules.parameters, is_development=False)
    rules.state.apply({keys.PARAMETERS: encode_parameters(production)})
    assert rules.outcomes(session, put_of("c", "x"))[0].reason is Reason.DENIED
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    with refuses(Reason.NOT_ADMITTED):
        attempt(rules, enclave, operation, encode_verdict(rules.verdict(debug, operation)))


def test_signer_and_svn() -> None:
    """A policy by signer, product and minimum SVN admits newer code, at each operation."""
    signer = b"s" * 32
    old = encode_policy(Match(signer=signer, product_id=7, minimum_svn=2))
    new = encode_policy(Match(signer=signer, product_id=7, minimum_svn=3))
    rules = SmallRules(genesis_bytes((collection("c", old, new),)))
    sessions = [
        rules.open(Enclave(name), identity_of(name, signer=signer, product_id=7, svn=svn))
        for name, svn in (("two", 2), ("three", 3))
    ]
    reasons = [
        [one.reason for one in rules.outcomes(session, put_of("c", "x"), Read("c", "x"))]
        for session in sessions
    ]
    assert reasons == [[Reason.DENIED, Reason.NOT_FOUND], [Reason.OK, Reason.OK]]


def test_damaged_admissions(rules: SmallRules) -> None:
    """Files of policies that are cut or have a gap are our fault: StateError."""
    name = b"m" + identity_of("beta").measurement
    filed = keys.filed_policy(name, 1)
    digest = rules.state.rows[filed]
    for damage in (
        {keys.admission(name): b"\0\0\2"},
        {keys.admission(name): b"\0\0\0\3"},
        {filed: None},
        {filed: digest[:-1]},
        {keys.policy(digest): None},
        {keys.policy(digest): b"\0\0\0\2\xff"},
    ):
        before = {key: rules.state.rows[key] for key in damage}
        rules.state.apply(damage)
        # no policy under the name admits a debug enclave, so all are looked at
        operation = rules.opening(enclave := Enclave("beta"))
        verdict = encode_verdict(rules.verdict(identity_of("beta", debug=True), operation))
        with pytest.raises(StateError):
            attempt(rules, enclave, operation, verdict)
        rules.state.apply(before)


def test_body_is_the_session(rules: SmallRules) -> None:
    """The session's id is SHA-256 of the label and the signed body (design section 5)."""
    enclave = Enclave("alpha")
    operation = rules.opening(enclave)
    envelope = rules.envelope(new_session(enclave), operation)
    verdict = encode_verdict(rules.verdict(identity_of("alpha"), operation))
    (outcome,) = rules.executed(envelope, verdict).outcomes
    assert isinstance(outcome.detail, SessionOpened)
    labelled = b"sealedger/session/1\0" + decode_envelope(envelope).body
    assert outcome.detail.session_id == sha256(labelled).digest()
