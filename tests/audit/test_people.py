"""Who acted, from entries that a quorum certified although no honest node would have made them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from attestation.fields import SgxFields
from attestation.handshake import session_id
from attestation.identity import Identity, encode_identity, identity_digest
from attestation.verdict import Verdict, encode_verdict
from enclave_client.openings import Event
from enclave_client.receipts import Entry, Receipt
from ledger.crypto import p256
from ledger.crypto.secp256k1 import SigningKey, generate_seed
from ledger.format import eip712
from ledger.format.operation import (
    AcquireKey,
    Delete,
    OpenSession,
    Operation,
    Read,
    decode_operation,
)
from ledger.format.outcome import KeyAcquired, Outcome, SessionOpened, decode_outcome
from ledger.format.summary import summarize
from ledger.format.transaction import Body, SignerKind, decode_body, encode_body, transaction_hash
from ledger.log.merkle import leaf_hash
from ledger.reason import Reason
from node.audit.errors import NotVerifiedError
from node.audit.people import People, Signed, session_of
from node.audit.rows import line_of, row_of
from tests.support.audited_log import NETWORK_ID, AuditedLog, node_signer
from tests.support.small_log import Recorded, Signer

IDENTITY = Identity(
    platform="sgx", measurement=b"m" * 32, signer=b"s" * 32, product_id=3, svn=7,
    tcb_status="SWHardeningNeeded", advisories=("INTEL-SA-1",), fields=SgxFields(),
)  # fmt: skip
VERDICT = encode_verdict(
    Verdict(
        identity=IDENTITY,
        report_data=bytes(64),
        quote_digest=bytes(32),
        collateral_number=1,
        verified_at_s=5,
        effective_s=5,
        collateral_key="sgx/00906ed50000/processor",
        collateral_digest=bytes(32),
    )
)


def event_of(recorded: Recorded, opened: tuple[int, ...] = (0,), at: int = 0) -> Event:
    """The event of a recorded operation, as an answer that opens some operations proves it."""
    body = decode_body(recorded.body)

    def shown(parts: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return tuple(part if at in opened else b"" for at, part in enumerate(parts))

    entry = Entry(
        recorded.index, recorded.leaf, leaf_hash(recorded.leaf), 1_800_000_000_000, (), b"",
        shown(recorded.salts), shown(recorded.operations), shown(recorded.outcomes),
    )  # fmt: skip
    return Event(
        body.signer_kind,
        body.signer,
        decode_operation(recorded.operations[at]),
        decode_outcome(recorded.outcomes[at]),
        Receipt(entry, at),
    )


def opened_session(
    log: AuditedLog, change: Callable[[SessionOpened], SessionOpened] = lambda one: one
) -> tuple[Signer, Event]:
    """A session with a real verdict in its outcome, changed as the test wants."""
    key = p256.SigningKey()
    operation = OpenSession(key.public, bytes(1216), bytes(32), bytes(32), bytes(32), 1, bytes(32))
    signer = Signer(SignerKind.NEW_SESSION, key.public, key.sign)
    body = replace(log.log.body_of(signer, operation), sequence=0)
    opened = session_id(encode_body(body))
    detail = change(SessionOpened(opened, 2_000_000_000_000, 1, VERDICT))
    recorded = log.log.record(signer, body, (operation, Outcome(Reason.OK, detail)))
    return Signer(SignerKind.SESSION, opened, key.sign), event_of(recorded)


def signed_by_account(
    log: AuditedLog, key: SigningKey, *operations: Operation, said: tuple[Operation, ...] = ()
) -> Recorded:
    """A transaction of an account, whose wallet showed what `said` are."""
    steps = tuple((operation, Outcome(Reason.NOT_FOUND)) for operation in operations)
    body: list[Body] = []

    def sign(_: bytes) -> bytes:
        summary = summarize(said or operations)
        digest = eip712.transaction_digest(
            NETWORK_ID, body[0].sequence, summary, transaction_hash(encode_body(body[0]))
        )
        return key.sign(digest)

    signer = Signer(SignerKind.ACCOUNT, key.address, sign)
    body.append(log.log.body_of(signer, *operations))
    return log.log.record(signer, body[0], *steps)


def test_a_session_is_what_its_opening_recorded() -> None:
    """Its events have the identity of the verdict, and their signatures are verified."""
    log, people = AuditedLog(), People()
    signer, opening = opened_session(log)
    read = event_of(log.read(signer))
    assert people.verify_signature(read, NETWORK_ID) is Signed.UNKNOWN
    assert (people.of(read), session_of(read)) == (None, signer.name)
    people.learn(read)
    people.learn(opening)
    session = people.of(read)
    assert session is not None
    assert (session.identity, session.opened_in) == (IDENTITY, 1)
    assert people.of(opening) == session
    for event in (opening, read):
        assert people.verify_signature(event, NETWORK_ID) is Signed.VERIFIED
    line = line_of(row_of(read, session, Signed.VERIFIED))
    assert "SVN 7, SWHardeningNeeded, opened in entry 1" in line


def test_a_verdict_moved_to_another_session_is_found() -> None:
    """An outcome that names another session than its body makes is no opening."""
    _, opening = opened_session(AuditedLog(), lambda one: replace(one, session_id=bytes(32)))
    with pytest.raises(NotVerifiedError, match=r"entry 1: the session .* not that of its body"):
        People().learn(opening)


def test_a_verdict_that_does_not_decode_is_found() -> None:
    """Only canonical verdicts are told."""
    _, opening = opened_session(AuditedLog(), lambda one: replace(one, verdict=b"x"))
    with pytest.raises(NotVerifiedError, match="entry 1: its verdict does not decode"):
        People().learn(opening)


def test_an_outcome_of_another_identity_is_found() -> None:
    """What a key was given for must be the identity that opened the session."""
    log, people = AuditedLog(), People()
    signer, opening = opened_session(log)
    people.learn(opening)
    good = identity_digest(encode_identity(IDENTITY))
    for digest, is_same in ((good, True), (bytes(32), False)):
        detail = KeyAcquired("app/secrets", 1, signer.name, digest, 1)
        step = AcquireKey("app/secrets"), Outcome(Reason.OK, detail)
        event = event_of(log.log.transact(signer, step))
        if is_same:
            assert people.of(event) is not None
        else:
            with pytest.raises(NotVerifiedError, match="another identity"):
                people.of(event)


@pytest.mark.parametrize("kind", ["session", "node", "new session"])
def test_a_forged_signature_is_found(kind: str) -> None:
    """Nobody's name stands under what its key did not sign."""
    log, people = AuditedLog(), People()
    signer, opening = opened_session(log)
    people.learn(opening)
    key = p256.SigningKey()
    signers = {
        "session": signer,
        "node": node_signer(),
        "new session": Signer(SignerKind.NEW_SESSION, key.public, key.sign),
    }
    forged = replace(signers[kind], sign=lambda _: bytes(64))
    assert people.verify_signature(event_of(log.read(signers[kind])), NETWORK_ID) is Signed.VERIFIED
    with pytest.raises(NotVerifiedError, match="its signer did not sign it"):
        people.verify_signature(event_of(log.read(forged)), NETWORK_ID)


def test_an_accounts_signature_is_over_what_it_did() -> None:
    """Verified where everything is open; unknown where it is not; found where it says other."""
    log, people = AuditedLog(), People()
    key = SigningKey(generate_seed())
    done = Delete("app/secrets", "one"), Delete("app/secrets", "two")
    recorded = signed_by_account(log, key, *done)
    assert people.verify_signature(event_of(recorded, (0, 1)), NETWORK_ID) is Signed.VERIFIED
    assert people.verify_signature(event_of(recorded), NETWORK_ID) is Signed.UNKNOWN
    lied = signed_by_account(log, key, *done, said=(Read("app/secrets", "one"),))
    with pytest.raises(NotVerifiedError, match="its signer did not sign it"):
        people.verify_signature(event_of(lied, (0, 1)), NETWORK_ID)
