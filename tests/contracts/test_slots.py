"""How many sessions an identity may have open (contracts.slots)."""

from dataclasses import replace

import pytest

from attestation.identity import Identity, encode_identity, identity_digest
from attestation.verdict import encode_verdict
from contracts import slots
from contracts.errors import RefusedError, StateError
from contracts.records import decode_session, encode_parameters, encode_session
from ledger import keys
from ledger.format.genesis import Limits
from ledger.format.hygiene import RevokeSession
from ledger.format.operation import Read
from ledger.reason import Reason
from tests.support.refusals import refuses
from tests.support.small_hygiene import Edition, bring
from tests.support.small_rules import (
    MINUTE_MS,
    Enclave,
    Signer,
    SmallRules,
    account,
    core_signer,
    genesis_bytes,
    identity_of,
    new_session,
    put_of,
    trust_document,
)

MEMBER = account("member")
HOUR_MS = 60 * MINUTE_MS


def network(sessions: int = 3, denials: int = 100) -> SmallRules:
    """A network where one identity may have a few sessions open, with one member."""
    limits = Limits(identity_sessions=sessions, denials=denials)
    trust = trust_document(members=(MEMBER.name,), member_threshold=1)
    return SmallRules(genesis_bytes(limits=limits, trust=trust))


def refused(rules: SmallRules, name: str = "alpha", identity: Identity | None = None) -> str:
    """The hint of the refusal that another session must get; it leaves nothing."""
    before = dict(rules.state.rows)
    enclave = Enclave(name)
    operation = rules.opening(enclave)
    verdict = encode_verdict(rules.verdict(identity or identity_of(name), operation))
    with pytest.raises(RefusedError) as caught:
        rules.do(rules.envelope(new_session(enclave), operation), verdict)
    assert caught.value.reason is Reason.TOO_MANY_SESSIONS
    assert rules.state.rows == before
    return caught.value.hint


def rows(rules: SmallRules, name: str = "alpha") -> set[bytes]:
    """The sessions that hold a place of an identity."""
    digest = identity_digest(encode_identity(identity_of(name)))
    return {
        value
        for key, value in rules.state.rows.items()
        if key.startswith(b"sI" + digest) and len(value) == 32
    }


@pytest.mark.parametrize("sessions", [1, 2, 3, 7])
def test_the_cap(sessions: int) -> None:
    """As many sessions open as genesis allows, one more is refused, others are not concerned."""
    rules = network(sessions)
    opened = [rules.open(Enclave("alpha")) for _ in range(sessions)]
    for _ in range(3):
        refused(rules)
    assert rows(rules) == {one.name for one in opened}
    rules.open(Enclave("beta"))
    rules.open(Enclave("alpha"), identity_of("alpha", platform_id=b"another machine"))
    for one in opened:
        assert rules.outcomes(one, Read("app", "x"))[0].reason is Reason.NOT_FOUND


def test_expired_ones_make_room() -> None:
    """Places are free from the millisecond on in which their sessions end, and not before."""
    rules = network(2)
    rules.open(Enclave("alpha"))
    rules.end_block(MINUTE_MS)
    rules.end_block(0)
    rules.open(Enclave("alpha"))
    assert "ends in 3540 s" in refused(rules)
    rules.end_block(HOUR_MS - MINUTE_MS - 1)
    rules.end_block(0)
    assert "ends in 1 s" in refused(rules)
    rules.end_block(1)
    rules.end_block(0)
    third = rules.open(Enclave("alpha"))
    assert "ends in 60 s" in refused(rules)
    rules.end_block(MINUTE_MS)
    rules.end_block(0)
    fourth = rules.open(Enclave("alpha"))
    refused(rules)
    assert rows(rules) == {third.name, fourth.name}


def close(rules: SmallRules, session: Signer) -> None:
    """Have it closed by too many denials."""
    rules.outcomes(session, *[Read("beta/own", "x")] * rules.parameters.denials)
    with refuses(Reason.SESSION_CLOSED):
        rules.do(rules.envelope(session, put_of("app", "x")))


def revoke(rules: SmallRules, session: Signer) -> None:
    """Have it revoked by a member."""
    rules.outcomes(MEMBER, RevokeSession(session.name, ""))


def end_itself(rules: SmallRules, session: Signer) -> None:
    """Have it say that it is done."""
    rules.outcomes(session, RevokeSession(session.name, ""))


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("end", [close, revoke, end_itself])
def test_ended_ones_make_room_wherever_they_are(which: int, end: object) -> None:
    """A session that was closed or revoked gives its place to the next one, and to one only."""
    rules = network(4, denials=5)
    opened = [rules.open(Enclave("alpha")) for _ in range(4)]
    assert callable(end)
    end(rules, opened[which])
    new = rules.open(Enclave("alpha"))
    refused(rules)
    kept = {one.name for one in opened} - {opened[which].name}
    assert rows(rules) == {*kept, new.name}


def test_changed_collateral_makes_room() -> None:
    """Sessions that have to attest again can: those from before hold no place."""
    rules, core = network(2), core_signer()
    for number_up in (0, 1):
        bring(rules, core, Edition(number_up=number_up))
        rules.end_block(0)
        rules.open(Enclave("alpha"))
        rules.open(Enclave("alpha"))
        refused(rules)


def test_a_refused_session_takes_no_place() -> None:
    """What opens nothing, for another reason, leaves the places as they were."""
    rules = network(1)
    enclave = Enclave("gamma")
    operation = rules.opening(enclave)
    verdict = encode_verdict(rules.verdict(identity_of("gamma"), operation))
    for _ in range(3):
        with refuses(Reason.NOT_ADMITTED):
            rules.do(rules.envelope(new_session(enclave), operation), verdict)
    assert not [key for key in rules.state.rows if key.startswith((b"sI", b"sL"))]


def test_many_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the bound only some places are looked at: never too many open, at worst too few."""
    monkeypatch.setattr(slots, "MAX_LOOKED_AT", 3)
    rules = network(5)
    opened = [rules.open(Enclave("alpha")) for _ in range(5)]
    revoke(rules, opened[4])
    refused(rules)  # the three that were opened first
    revoke(rules, opened[2])
    new = rules.open(Enclave("alpha"))
    assert rows(rules) == {one.name for one in (*opened[:2], opened[3], opened[4], new)}


def test_places_do_not_grow() -> None:
    """However many sessions come and go, an identity has no more rows than places."""
    rules = network(3)
    for _ in range(10):
        for _ in range(3):
            rules.open(Enclave("alpha"))
        rules.end_block(HOUR_MS)
        rules.end_block(0)
    assert sum(key.startswith(b"sI") for key in rules.state.rows) == 3
    assert sum(key.startswith(b"sL") for key in rules.state.rows) == 1


def test_fewer_places_than_before() -> None:
    """Should the network allow fewer, those that are open go on, and new ones wait."""
    rules = network(4)
    opened = [rules.open(Enclave("alpha")) for _ in range(3)]
    fewer = replace(rules.parameters, identity_sessions=2)
    rules.state.apply({keys.PARAMETERS: encode_parameters(fewer)})
    refused(rules)
    for one in opened:
        assert rules.outcomes(one, Read("app", "x"))[0].reason is Reason.NOT_FOUND


def test_damaged_places_are_our_fault() -> None:
    """A counter that is cut, or a place of a session that is not there, is a StateError."""
    rules = network(1)
    session = rules.open(Enclave("alpha"))
    digest = identity_digest(encode_identity(identity_of("alpha")))
    record = rules.state.rows[keys.session(session.name)]
    for damage in (
        {keys.identity_counter(digest): b"\0\0\0"},
        {keys.session(session.name): None},
        {keys.session(session.name): record[: len(record) - len(decode_session(record).identity)]},
    ):
        before = {key: rules.state.rows[key] for key in damage}
        rules.state.apply(damage)
        operation = rules.opening(enclave := Enclave("alpha"))
        verdict = encode_verdict(rules.verdict(identity_of("alpha"), operation))
        with pytest.raises(StateError):
            rules.do(rules.envelope(new_session(enclave), operation), verdict)
        rules.state.apply(before)
    assert encode_session(decode_session(record)) == record
