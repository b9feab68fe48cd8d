"""Who may put, read, delete and have a collection's key, and what each leaves behind."""

from hashlib import sha256

import pytest

from attestation.identity import encode_identity, identity_digest
from contracts.errors import StateError
from contracts.records import decode_session
from contracts.versions import Version, decode_head, decode_version
from ledger import keys
from ledger.format.operation import AcquireKey, Delete, Operation, Read
from ledger.format.outcome import (
    Conflict,
    Coordinates,
    Deleted,
    KeyAcquired,
    Outcome,
    PutDone,
    ReadGranted,
)
from ledger.format.sealed import MODE_SESSION, TAG_BYTES
from ledger.reason import Reason
from tests.support.small_rules import Signer, SmallRules, identity_of, put_of

VALUE_BYTES = 1024 * 1024


def one(rules: SmallRules, signer: Signer, operation: Operation) -> Outcome:
    """The outcome of the only operation."""
    (outcome,) = rules.outcomes(signer, operation)
    return outcome


def ok(version: int) -> Outcome:
    """A put that is the name's version `version`."""
    return Outcome(Reason.OK, PutDone(version))


def conflict(current: int) -> Outcome:
    """A conflict with the current version."""
    return Outcome(Reason.VERSION_CONFLICT, Conflict(current))


def touches(rules: SmallRules) -> dict[bytes, bytes]:
    """All marks of the state."""
    return {key: value for key, value in rules.state.rows.items() if key.startswith(keys.TOUCH)}


def test_versions_count(rules: SmallRules, alpha: Signer) -> None:
    """Puts of one name are its versions 1, 2, 3; another name starts at 1."""
    puts = [one(rules, alpha, put_of("app", "x")) for _ in range(3)]
    assert puts == [ok(1), ok(2), ok(3)]
    assert one(rules, alpha, put_of("app", "x/y")) == ok(1)


def test_read_outcome(rules: SmallRules, alpha: Signer, beta: Signer) -> None:
    """A granted read says which value, where it was put, by whom, and who reads it."""
    rules.outcomes(alpha, put_of("app", "other"))
    index = rules.size
    digest = sha256(b"sealed").digest()
    record_id = sha256(b"id").digest()[:16]
    put = put_of("app", "tls/key", sealed_digest=digest, record_id=record_id)
    rules.outcomes(alpha, put_of("app", "other"), put)
    rules.end_block(5_000)
    assert one(rules, beta, Read("app", "tls/key")) == Outcome(
        Reason.OK,
        ReadGranted(
            collection="app",
            name="tls/key",
            version=1,
            origin=Coordinates("app", "tls/key", record_id, 1, MODE_SESSION, alpha.name),
            sealed_digest=digest,
            reader_session=beta.name,
            identity_digest=identity_digest(encode_identity(identity_of("beta"))),
            put_index=index,
            put_position=1,
            reader_epoch=1,
        ),
    )


def test_read_leaves_a_mark(rules: SmallRules, alpha: Signer, beta: Signer) -> None:
    """A granted read and a denied operation are marked at the name; a read of nothing is not."""
    rules.outcomes(alpha, put_of("app", "x"))
    index = rules.size
    rules.outcomes(beta, Read("app", "nothing"), Read("app", "x"), put_of("app", "x"))
    assert touches(rules) == {
        keys.touch("app", "x", index, 1): bytes((Reason.OK,)),
        keys.touch("app", "x", index, 2): bytes((Reason.DENIED,)),
    }


def test_read_by_version(rules: SmallRules, alpha: Signer) -> None:
    """Each version stays readable by its number; others are not found."""
    digests = [sha256(b"%d" % number).digest() for number in range(3)]
    indexes = []
    for digest in digests:
        indexes.append(rules.size)
        rules.outcomes(alpha, put_of("app", "x", sealed_digest=digest))
    for number, digest in enumerate(digests, 1):
        detail = one(rules, alpha, Read("app", "x", number)).detail
        assert isinstance(detail, ReadGranted)
        assert (detail.version, detail.sealed_digest) == (number, digest)
        assert detail.put_index == indexes[number - 1]
    for number in (4, 2**64 - 1):
        assert one(rules, alpha, Read("app", "x", number)) == Outcome(Reason.NOT_FOUND)


def test_read_nothing(rules: SmallRules, alpha: Signer) -> None:
    """A name that was never put is not found, with and without a version."""
    assert one(rules, alpha, Read("app", "x")) == Outcome(Reason.NOT_FOUND)
    assert one(rules, alpha, Read("app", "x", 1)) == Outcome(Reason.NOT_FOUND)


def test_names_do_not_overlap(rules: SmallRules, alpha: Signer, beta: Signer) -> None:
    """The same name in another collection is another secret."""
    rules.outcomes(alpha, put_of("app", "own/x"))
    assert one(rules, beta, Read("beta/own", "x")) == Outcome(Reason.NOT_FOUND)
    assert one(rules, beta, Read("beta/own", "own/x")) == Outcome(Reason.NOT_FOUND)


def test_if_version(rules: SmallRules, alpha: Signer) -> None:
    """A put with if_version runs only over that version, 0 meaning none; else it names it."""
    assert one(rules, alpha, put_of("app", "x", if_version=1)) == conflict(0)
    assert one(rules, alpha, put_of("app", "x", if_version=0)) == ok(1)
    assert one(rules, alpha, put_of("app", "x", if_version=0)) == conflict(1)
    assert one(rules, alpha, put_of("app", "x", if_version=1)) == ok(2)
    assert one(rules, alpha, put_of("app", "x", if_version=2**64 - 1)) == conflict(2)
    assert one(rules, alpha, Delete("app", "x", 1)) == conflict(2)
    assert one(rules, alpha, Delete("app", "x", 2)) == Outcome(Reason.OK, Deleted(2))
    assert one(rules, alpha, put_of("app", "x", if_version=2)) == conflict(0)
    assert one(rules, alpha, put_of("app", "x", if_version=0)) == ok(3)


def test_delete(rules: SmallRules, alpha: Signer) -> None:
    """A deletion ends all versions; the next put goes on counting and does not bring them back."""
    rules.outcomes(alpha, put_of("app", "x"), put_of("app", "x"))
    index = rules.size
    assert one(rules, alpha, Delete("app", "x")) == Outcome(Reason.OK, Deleted(2))
    assert touches(rules) == {keys.touch("app", "x", index, 0): bytes((Reason.OK,))}
    for version in (None, 1, 2):
        assert one(rules, alpha, Read("app", "x", version)) == Outcome(Reason.NOT_FOUND)
    assert one(rules, alpha, Delete("app", "x")) == Outcome(Reason.NOT_FOUND)
    assert one(rules, alpha, put_of("app", "x")) == ok(3)
    for version in (1, 2):
        assert one(rules, alpha, Read("app", "x", version)) == Outcome(Reason.NOT_FOUND)
    assert one(rules, alpha, Read("app", "x", 3)).reason is Reason.OK
    assert one(rules, alpha, put_of("app", "x")) == ok(4)
    assert one(rules, alpha, Read("app", "x", 3)).reason is Reason.OK
    assert one(rules, alpha, Read("app", "x", 2)) == Outcome(Reason.NOT_FOUND)


def test_delete_nothing(rules: SmallRules, alpha: Signer) -> None:
    """Deleting a name that was never put finds nothing, and makes nothing."""
    assert one(rules, alpha, Delete("app", "x")) == Outcome(Reason.NOT_FOUND)
    assert one(rules, alpha, Delete("app", "x", 0)) == Outcome(Reason.NOT_FOUND)
    assert one(rules, alpha, Delete("app", "x", 3)) == conflict(0)
    assert keys.head_of("app", "x") not in rules.state.rows


def test_superseded_versions_are_kept(rules: SmallRules, alpha: Signer) -> None:
    """The record of a superseded version is, byte for byte, what stood in the head."""
    versions: list[Version] = []
    for number in range(1, 4):
        put = put_of("app", "x", sealed_digest=sha256(b"%d" % number).digest(), size=100 + number)
        rules.outcomes(alpha, put)
        rules.end_block(1_000)
        versions.append(decode_head(rules.state.rows[keys.head_of("app", "x")]).version)
    for version in versions[:-1]:
        row = rules.state.rows[keys.version_of("app", "x", version.number)]
        assert decode_version(row) == version
    assert [one.size for one in versions] == [101, 102, 103]
    assert [one.number for one in versions] == [1, 2, 3]
    assert len({one.time_ms for one in versions}) == 3


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"mode": 0}, Reason.MALFORMED),
        ({"mode": 2}, Reason.MALFORMED),
        ({"mode": 2**32 - 1}, Reason.MALFORMED),
        ({"size": 0}, Reason.MALFORMED),
        ({"size": TAG_BYTES - 1}, Reason.MALFORMED),
        ({"size": TAG_BYTES}, Reason.OK),
        ({"size": VALUE_BYTES + TAG_BYTES}, Reason.OK),
        ({"size": VALUE_BYTES + TAG_BYTES + 1}, Reason.TOO_LARGE),
        ({"size": 2**32 - 1}, Reason.TOO_LARGE),
        ({"epoch": 0}, Reason.WRONG_EPOCH),
        ({"epoch": 2}, Reason.WRONG_EPOCH),
        ({"epoch": 2**32 - 1}, Reason.WRONG_EPOCH),
    ],
)
def test_put_fields(
    rules: SmallRules, alpha: Signer, changes: dict[str, int], reason: Reason
) -> None:
    """A put names the session's mode, a size with its tag under the limit, the active epoch."""
    good, odd = rules.outcomes(alpha, put_of("app", "x"), put_of("app", "odd", **changes))
    assert good == ok(1)
    assert odd.reason is reason
    assert (keys.head_of("app", "odd") in rules.state.rows) == (reason is Reason.OK)


def test_acquire_key(rules: SmallRules, alpha: Signer, beta: Signer) -> None:
    """A writer's session acquires the key of a collection; a reader's does not, without a mark."""
    session = decode_session(rules.state.rows[keys.session(alpha.name)])
    assert one(rules, alpha, AcquireKey("app")) == Outcome(
        Reason.OK, KeyAcquired("app", 1, alpha.name, session.identity_digest, 1)
    )
    assert one(rules, beta, AcquireKey("app")) == Outcome(Reason.DENIED)
    assert not touches(rules)


@pytest.mark.parametrize("operation", [put_of("app", "x"), Delete("app", "x"), Read("app", "x")])
@pytest.mark.parametrize("cut", [0, 1, 9, 17, 50, 141])
def test_damaged_head(rules: SmallRules, alpha: Signer, operation: Operation, cut: int) -> None:
    """A head that is cut to the record's fixed part or below is our fault: StateError."""
    rules.outcomes(alpha, put_of("app", "x"))
    key = keys.head_of("app", "x")
    rules.state.apply({key: rules.state.rows[key][:cut]})
    with pytest.raises(StateError):
        rules.do(rules.envelope(alpha, operation))


def test_damaged_version(rules: SmallRules, alpha: Signer) -> None:
    """A superseded version that is cut is our fault: StateError."""
    rules.outcomes(alpha, put_of("app", "x"), put_of("app", "x"))
    rules.state.apply({keys.version_of("app", "x", 1): b"cut"})
    with pytest.raises(StateError):
        rules.do(rules.envelope(alpha, Read("app", "x", 1)))


def test_missing_version(rules: SmallRules, alpha: Signer) -> None:
    """A superseded version whose record is gone (erased later) is not found."""
    rules.outcomes(alpha, put_of("app", "x"), put_of("app", "x"))
    rules.state.apply({keys.version_of("app", "x", 1): None})
    assert one(rules, alpha, Read("app", "x", 1)) == Outcome(Reason.NOT_FOUND)


@pytest.mark.parametrize("damage", [b"", b"\0\0\0\x05abc", bytes(4), b"\0\0\0\x01aa"])
def test_damaged_collection(rules: SmallRules, alpha: Signer, damage: bytes) -> None:
    """A collection's record that is cut, or holds no policy, is our fault: StateError."""
    rules.state.apply({keys.collection("app"): damage})
    with pytest.raises(StateError):
        rules.do(rules.envelope(alpha, put_of("app", "x")))
