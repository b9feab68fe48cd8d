"""Trust documents and genesis: what cannot be meant is refused, with the field that is wrong."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.errors import FormatError
from ledger.format.genesis import (
    MAX_LIMIT_MS,
    MAX_TIME_MS,
    Collection,
    Limits,
    Profile,
    decode_genesis,
    encode_genesis,
    network_id,
)
from ledger.format.trust import (
    MAX_GRACE_S,
    MAX_MEMBERS,
    Party,
    TrustDocument,
    decode_trust,
    encode_trust,
    quorum_rule,
)
from ledger.log.note import SignatureType
from ledger.reason import Reason
from sealedger.v1 import ledger_pb2 as pb
from tests.ledger_format import make_vectors as v

CORE = v.TRUST.cosigners[0]
MEMBERS = tuple(v.fixed(f"member {number}", 20) for number in range(MAX_MEMBERS + 1))


def party(number: int, operator: str | None = None) -> Party:
    """A cosigner or witness of its own operator."""
    return Party(f"party-{number}.example", v.fixed(f"party {number}"), operator or f"op-{number}")


def parties(count: int, operators: int | None = None) -> tuple[Party, ...]:
    """So many parties, of so many operators."""
    return tuple(party(at, f"op-{at % (operators or count)}") for at in range(count))


@pytest.mark.parametrize(
    "field, change",
    [
        ("version", {"version": 0}),
        ("version", {"version": 0, "previous_digest": bytes(32)}),
        ("previous_digest", {"previous_digest": bytes(32)}),
        ("previous_digest", {"version": 2}),
        ("previous_digest", {"version": 2, "previous_digest": bytes(31)}),
        ("member", {"members": (bytes(19),)}),
        ("members", {"member_threshold": 0}),
        ("members", {"member_threshold": 2}),
        ("members", {"members": (), "member_threshold": 1}),
        ("members", {"members": (MEMBERS[0], MEMBERS[0]), "member_threshold": 2}),
        ("members", {"members": MEMBERS}),
        ("origin", {"origin": "dev.example.org/ledger/2"}),
        ("origin", {"origin": "dev.example.org/ledger/01"}),
        ("origin", {"origin": "dev.example.org/ledger/11"}),
        ("origin", {"origin": "/1"}),
        ("origin", {"origin": "1"}),
        ("origin", {"origin": "", "log_generation": 0}),
        ("name", {"origin": "dev.example org/1"}),
        ("log_key", {"log_key": bytes(31)}),
        ("service_key", {"service_key": b""}),
        ("cosigners", {"cosigners": ()}),
        ("threshold", {"quorum": 0}),
        ("threshold", {"quorum": 2}),
        ("threshold", {"cosigners": parties(3, operators=1), "quorum": 2}),
        ("public_key", {"cosigners": (replace(CORE, public_key=bytes(33)),)}),
        ("party", {"cosigners": (replace(CORE, name=""),)}),
        ("party", {"cosigners": (replace(CORE, operator=""),)}),
        ("party", {"witnesses": (replace(party(1), operator=""),)}),
        ("operator", {"cosigners": (replace(CORE, operator="two words"),)}),
        ("name", {"cosigners": (replace(CORE, name="a+b"),)}),
        ("one name twice", {"cosigners": (CORE, replace(party(1), name=CORE.name))}),
        ("key twice", {"cosigners": (CORE, replace(party(1), public_key=CORE.public_key))}),
        ("key twice", {"witnesses": (replace(party(1), public_key=CORE.public_key),)}),
        ("key twice", {"cosigners": (replace(CORE, public_key=v.LOG_KEY.public),)}),
        ("witness", {"witness_quorum": 1}),
        ("100", {"cosigners": parties(100)}),
        ("core_policy", {"core_policy": b""}),
        ("roots", {"roots": ()}),
        ("pin", {"tcb_signer_pins": (bytes(20),)}),
        ("tcb_ceiling", {"tcb_ceiling": 16}),
        ("rules_version", {"rules_version": 0}),
        ("epoch", {"epoch": 0}),
        ("grace_s", {"grace_s": MAX_GRACE_S + 1}),
    ],
)
def test_impossible_trust_documents_are_refused(field: str, change: dict[str, Any]) -> None:
    """Each field that cannot be meant is MALFORMED, and the message names it."""
    data = encode_trust(replace(v.TRUST, **change))
    with pytest.raises(FormatError, match=field) as refused:
        decode_trust(data)
    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "change",
    [
        {"members": (), "member_threshold": 0},
        {"members": MEMBERS[:MAX_MEMBERS], "member_threshold": MAX_MEMBERS},
        {"tcb_ceiling": 17},
        {"tcb_floor": 0},
        {"grace_s": 0},
        {"grace_s": MAX_GRACE_S},
        {"version": 2, "previous_digest": bytes(32)},
        {"cosigners": parties(4), "quorum": 3, "witnesses": (party(9),), "witness_quorum": 1},
        {"cosigners": parties(4, operators=2), "quorum": 2},
        {"origin": "dev.example.org/1/7", "log_generation": 7},
    ],
)
def test_possible_trust_documents_are_accepted(change: dict[str, Any]) -> None:
    """Documents at the border of each rule decode to themselves."""
    trust = replace(v.TRUST, **change)
    assert decode_trust(encode_trust(trust)) == trust


def test_the_quorum_rule_is_the_documents() -> None:
    """The rule has the document's keys in their roles and its thresholds."""
    trust = replace(
        v.TRUST,
        cosigners=parties(4, operators=3),
        quorum=3,
        witnesses=(party(8), party(9)),
        witness_quorum=2,
    )
    rule = quorum_rule(trust)
    assert (rule.origin, rule.log_key.public_key) == (trust.origin, trust.log_key)
    assert rule.log_key.kind is SignatureType.ED25519
    assert [one.operator for one in rule.cosigners] == ["op-0", "op-1", "op-2", "op-0"]
    assert [one.key.public_key for one in rule.cosigners] == [
        one.public_key for one in trust.cosigners
    ]
    assert [one.name for one in rule.witnesses] == ["party-8.example", "party-9.example"]
    assert (rule.threshold, rule.witness_threshold) == (3, 2)


def changed_trust(**change: Any) -> bytes:
    """The example's trust document with some fields changed."""
    return encode_trust(replace(v.TRUST, **change))


@pytest.mark.parametrize(
    "field, change",
    [
        ("name", {"name": ""}),
        ("name", {"name": "a b"}),
        ("salt", {"salt": bytes(31)}),
        ("salt", {"salt": b""}),
        ("time_ms", {"time_ms": MAX_TIME_MS + 1}),
        ("trust", {"trust": changed_trust(version=2, previous_digest=bytes(32))}),
        ("core_policy", {"trust": changed_trust(core_policy=b"")}),
        ("TrustDocument", {"trust": b"\xff"}),
        ("version", {"trust": b""}),
        ("limits", {"limits": Limits(session_ms=999)}),
        ("limits", {"limits": Limits(checkpoint_age_ms=0)}),
        ("limits", {"limits": Limits(receipt_age_ms=999)}),
        ("limits", {"limits": Limits(block_interval_ms=0)}),
        ("limits", {"limits": Limits(denials=0)}),
        ("limits", {"limits": Limits(identity_sessions=0)}),
        ("limits", {"limits": Limits(owner_releases=0)}),
        ("limits", {"limits": Limits(value_bytes=0)}),
        ("limits", {"limits": Limits(value_bytes=1024 * 1024 + 1)}),
        *(
            ("limits", {"limits": Limits(**{limit: MAX_LIMIT_MS + 1})})
            for limit in (
                "session_ms", "skew_ms", "checkpoint_age_ms", "receipt_age_ms", "block_interval_ms"
            )
        ),
        ("a name is", {"collections": (Collection("a//b", b"r", b"w"),)}),
        ("collections", {"collections": (Collection("a", b"r", b"w"),) * 2}),
        ("platforms", {"platforms": (bytes(16),)}),
        ("platforms", {"platforms": (bytes(64), b"\1" * 16)}),
        ("platforms", {"platforms": (b"\1" * 32,)}),
        ("platforms", {"platforms": (b"\2" * 16, b"\1" * 16)}),
        ("platforms", {"platforms": (b"\1" * 16,) * 2}),
    ],
)  # fmt: skip
def test_impossible_genesis_is_refused(field: str, change: dict[str, Any]) -> None:
    """Each field that cannot be meant is MALFORMED, and the message names it."""
    data = encode_genesis(replace(v.GENESIS, **change))
    with pytest.raises(FormatError, match=field) as refused:
        decode_genesis(data)
    assert refused.value.reason is Reason.MALFORMED


def test_genesis_without_limits_is_refused() -> None:
    """Limits are said, not assumed."""
    message = pb.Genesis.FromString(encode_genesis(v.GENESIS))
    message.ClearField("limits")
    with pytest.raises(FormatError, match="limits"):
        decode_genesis(message.SerializeToString(deterministic=True))


@pytest.mark.parametrize("number", [0, 4])
def test_an_unknown_profile_is_refused(number: int) -> None:
    """A network without a profile, or of one to come, is MALFORMED."""
    message = pb.Genesis.FromString(encode_genesis(v.GENESIS))
    message.profile = number  # type: ignore[assignment]  # the wire can carry any number
    with pytest.raises(FormatError, match="profile"):
        decode_genesis(message.SerializeToString(deterministic=True))


def test_profiles_have_their_numbers() -> None:
    """The profiles are those of the messages."""
    numbers = {name: number for name, number in pb.Profile.items() if number}
    assert numbers == {f"PROFILE_{profile.name}": profile.value for profile in Profile}


PRODUCTION: dict[str, Any] = {"origin": "example.org/ledger/1"}
WITNESSED: dict[str, Any] = {"witnesses": (party(9),), "witness_quorum": 1}


@pytest.mark.parametrize(
    "profile, change, wrong",
    [
        (Profile.DEVELOPMENT, {}, None),
        (Profile.DEVELOPMENT, PRODUCTION, "origin"),
        (Profile.SINGLE, PRODUCTION | WITNESSED, None),
        (Profile.SINGLE, WITNESSED, "origin"),
        (Profile.SINGLE, PRODUCTION, "witnesses"),
        (Profile.SINGLE, PRODUCTION | {"witnesses": (party(9),)}, "witnesses"),
        (Profile.CONSORTIUM, PRODUCTION | {"cosigners": parties(4), "quorum": 3}, None),
        (Profile.CONSORTIUM, PRODUCTION | {"cosigners": parties(7), "quorum": 5}, None),
        (Profile.CONSORTIUM, {"cosigners": parties(4), "quorum": 3}, "origin"),
        (Profile.CONSORTIUM, PRODUCTION, "quorum"),
        (Profile.CONSORTIUM, PRODUCTION | {"cosigners": parties(3), "quorum": 3}, "quorum"),
        (Profile.CONSORTIUM, PRODUCTION | {"cosigners": parties(4), "quorum": 2}, "quorum"),
        (Profile.CONSORTIUM, PRODUCTION | {"cosigners": parties(6, 3), "quorum": 3}, "quorum"),
        (Profile.CONSORTIUM, PRODUCTION | {"cosigners": parties(7), "quorum": 4}, "quorum"),
    ],
)
def test_a_network_is_what_its_profile_says(
    profile: Profile, change: dict[str, Any], wrong: str | None
) -> None:
    """Only development has a `dev.` origin; single has a witness; consortium 2/3 of 4 operators."""
    genesis = replace(v.GENESIS, profile=profile, trust=changed_trust(**change))
    data = encode_genesis(genesis)
    if wrong is None:
        assert decode_genesis(data) == genesis
    else:
        with pytest.raises(FormatError, match=wrong):
            decode_genesis(data)


@pytest.mark.parametrize(
    "change",
    [
        {"salt": bytes(32)},
        {"time_ms": v.GENESIS.time_ms + 1},
        {"collections": ()},
    ],
)
def test_any_change_is_another_network(change: dict[str, Any]) -> None:
    """The network id covers every byte of genesis."""
    assert network_id(encode_genesis(replace(v.GENESIS, **change))) != v.NETWORK_ID


def test_a_trust_document_of_the_greatest_size_fits_in_genesis() -> None:
    """The document's own limit is well within that of genesis."""
    trust: TrustDocument = replace(v.TRUST, core_policy=bytes(47 * 1024))
    genesis = replace(v.GENESIS, trust=encode_trust(trust))
    assert decode_genesis(encode_genesis(genesis)) == genesis
    with pytest.raises(FormatError) as refused:
        decode_genesis(
            encode_genesis(replace(v.GENESIS, trust=changed_trust(core_policy=bytes(48 * 1024))))
        )
    assert refused.value.reason is Reason.TOO_LARGE
