"""Releases of enclave programs: versions of one spelling, and what cannot be meant."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.format import operation as ops
from ledger.format import query as q
from ledger.format import releases as rel
from ledger.format.releases import ReleaseMeasurement, ReleaseVersion
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from sealedger.v1 import attestation_pb2 as apb
from sealedger.v1 import ledger_pb2 as pb
from tests.ledger_format import make_vectors as v
from tests.ledger_format.strategies import (
    WIDEST_RELEASE,
    release_names,
    release_versions,
    releases,
)

SGX = ReleaseMeasurement(1, bytes(32))


@given(release_versions)
def test_versions_have_one_text(version: ReleaseVersion) -> None:
    """A version's text reads back as the same version."""
    assert rel.parse_version(str(version)) == version
    assert rel.unpack_version(version.packed) == version


@given(release_versions, release_versions)
def test_versions_grow_by_number(one: ReleaseVersion, other: ReleaseVersion) -> None:
    """Versions are compared number by number, and so are their packed bytes."""
    numbers = [(each.major, each.minor, each.patch) for each in (one, other)]
    assert (one < other) == (numbers[0] < numbers[1]) == (one.packed < other.packed)


def test_ten_is_after_nine() -> None:
    """Versions are not compared as text."""
    assert ReleaseVersion(1, 9, 0) < ReleaseVersion(1, 10, 0) < ReleaseVersion(2, 0, 0)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.3-rc1", " 1.2.3", "1.2.3\n", "1..3"),
        *("01.2.3", "1.02.3", "1.2.00", "+1.2.3", "-1.2.3", "1.2.²", "1.2.٣", "1_0.2.3"),
        *("2147483648.0.0", "0.0.2147483648", "0.99999999999.0"),
    ],
)
def test_other_texts_are_no_versions(text: str) -> None:
    """Leading zeros, signs, foreign digits, other counts of parts and too large parts."""
    with pytest.raises(FormatError):
        rel.parse_version(text)


@pytest.mark.parametrize(
    "packed", [b"", bytes(11), bytes(13), b"\x80" + bytes(11), bytes(8) + b"\xff" * 4]
)
def test_other_bytes_are_no_versions(packed: bytes) -> None:
    """Another width, and parts above 2^31 - 1."""
    with pytest.raises(FormatError):
        rel.unpack_version(packed)


@given(release_names, release_versions)
def test_titles_read_back(name: str, version: ReleaseVersion) -> None:
    """name@1.2.3 is this name and this version."""
    assert rel.parse_title(rel.release_title(name, version)) == (name, version)


@pytest.mark.parametrize(
    "text",
    ["", "fns", "fns@", "@1.2.3", "fns@1.2", "a//b@1.2.3", "a@b@1.2.3", f"{'a' * 65}@1.2.3"],
)
def test_other_texts_are_no_titles(text: str) -> None:
    """A bad name, a bad version, or one of them missing."""
    with pytest.raises(FormatError):
        rel.parse_title(text)


@given(releases)
def test_a_release_is_the_same_in_an_operation(release: rel.EnclaveRelease) -> None:
    """What an auditor's digest is of can be cut out of the publisher's operation."""
    published = ops.encode_operation(rel.PublishRelease(release))
    message = pb.Operation.FromString(published).publish_release.release
    assert message.SerializeToString(deterministic=True) == rel.encode_release(release)


def test_the_digest_is_the_formula_of_the_page() -> None:
    """SHA-256 of a label of its own and the canonical bytes."""
    data = rel.encode_release(v.RELEASE)
    assert rel.release_digest(data) == sha256(b"sealedger/enclave-release/1\0" + data).digest()


def test_the_widest_release() -> None:
    """A release with every field at its widest is within the limit and decodes."""
    encoded = rel.encode_release(WIDEST_RELEASE)
    assert len(encoded) == 1851 < rel.MAX_RELEASE_BYTES
    assert rel.decode_release(encoded) == WIDEST_RELEASE
    published = rel.PublishRelease(WIDEST_RELEASE)
    assert len(ops.encode_operation(published)) == 1857 < ops.MAX_OPERATION_BYTES


IMPOSSIBLE: list[dict[str, Any]] = [
    *({"name": name} for name in ("", "a//b", "a b", "a@b", "..", "n" * 65)),
    {"version": ReleaseVersion(2**31, 0, 0)},
    {"version": ReleaseVersion(0, 2**31, 0)},
    {"version": ReleaseVersion(0, 0, 2**32 - 1)},
    {"measurements": ()},
    {"measurements": (SGX, SGX)},
    {"measurements": (ReleaseMeasurement(2, bytes(48)), SGX)},
    {"measurements": (ReleaseMeasurement(1, b"b" * 32), ReleaseMeasurement(1, b"a" * 32))},
    {"measurements": tuple(ReleaseMeasurement(1, bytes((n,)) * 32) for n in range(17))},
    *(
        {"measurements": (ReleaseMeasurement(platform, bytes(width)),)}
        for platform, width in ((0, 32), (4, 32), (4, 48), (1, 48), (1, 0), (2, 32), (3, 47))
    ),
    {"source_digest": bytes(31)},
    {"source_digest": b""},
    *({"notes": notes} for notes in ("a\nb", "a\tb", "\x7f", "é", "\0", "n" * 513)),
    {"auditors": ()},
    {"auditors": (bytes(20),) * 2},
    {"auditors": (b"b" * 20, b"a" * 20)},
    {"auditors": (bytes(19),)},
    {"auditors": (bytes(32),)},
    {"auditors": tuple(bytes((n,)) * 20 for n in range(17))},
]


@pytest.mark.parametrize(
    "change",
    IMPOSSIBLE,
    ids=lambda one: f"{next(iter(one))} {sha256(repr(one).encode()).hexdigest()[:8]}",
)
def test_impossible_releases_are_refused(change: dict[str, Any]) -> None:
    """Each field that cannot be meant is MALFORMED, alone and in the operation."""
    release = replace(v.RELEASE, **change)
    with pytest.raises(FormatError) as refused:
        rel.decode_release(rel.encode_release(release))
    assert refused.value.reason is Reason.MALFORMED
    with pytest.raises(FormatError):
        ops.decode_operation(ops.encode_operation(rel.PublishRelease(release)))


@pytest.mark.parametrize(
    "operation",
    [
        rel.EndorseRelease("", v.RELEASE.version, bytes(32)),
        rel.EndorseRelease("n" * 65, v.RELEASE.version, bytes(32)),
        rel.EndorseRelease("fns", ReleaseVersion(0, 2**31, 0), bytes(32)),
        rel.EndorseRelease("fns", v.RELEASE.version, bytes(31)),
        rel.EndorseRelease("fns", v.RELEASE.version, b""),
        rel.RevokeRelease("a@b", v.RELEASE.version),
        rel.RevokeRelease("fns", ReleaseVersion(2**31, 0, 0)),
    ],
    ids=lambda one: f"{type(one).__name__} {sha256(repr(one).encode()).hexdigest()[:8]}",
)
def test_impossible_operations_on_releases_are_refused(operation: ops.Operation) -> None:
    """A bad name, version or digest is MALFORMED."""
    with pytest.raises(FormatError) as refused:
        ops.decode_operation(ops.encode_operation(operation))
    assert refused.value.reason is Reason.MALFORMED


def test_no_version_is_not_version_zero() -> None:
    """Version 0.0.0 is written; its absence is no second spelling of it."""
    zero = rel.RevokeRelease("fns", ReleaseVersion(0, 0, 0))
    encoded = ops.encode_operation(zero)
    assert ops.decode_operation(encoded) == zero
    for message in (
        pb.Operation(revoke_release=pb.RevokeRelease(name="fns")),
        pb.Operation(endorse_release=pb.EndorseRelease(name="fns", release_digest=bytes(32))),
        pb.Operation(publish_release=pb.PublishRelease()),
    ):
        with pytest.raises(FormatError):
            ops.decode_operation(message.SerializeToString(deterministic=True))
    release = pb.EnclaveRelease.FromString(rel.encode_release(v.RELEASE))
    release.ClearField("version")
    with pytest.raises(FormatError, match="version"):
        rel.decode_release(release.SerializeToString(deterministic=True))


def test_versions_of_policies_are_the_same_message() -> None:
    """A policy's minimum reads as a version by the same bounds."""
    message = apb.ReleaseVersion(major=1, minor=2, patch=3)
    assert rel.version_of_message(message) == ReleaseVersion(1, 2, 3)
    assert rel.version_message(ReleaseVersion(1, 2, 3)) == message
    with pytest.raises(FormatError):
        rel.version_of_message(apb.ReleaseVersion(minor=2**31))


def asked(name: str, after: str, limit: int) -> q.Query:
    """A question of the registry."""
    question = q.ListReleases(name, after, limit)
    return q.Query(v.NETWORK_ID, SignerKind.ACCOUNT, v.OWNER, v.TIME_MS, question)


@pytest.mark.parametrize(
    "name, after, limit",
    [
        ("a//b", "", 1),
        ("n" * 65, "", 1),
        ("a@b", "", 1),
        ("", "fns", 1),
        ("", "fns@1.2", 1),
        ("", "@1.2.3", 1),
        ("fns", "other@1.2.3", 1),
        ("fns", "", 0),
        ("fns", "", q.MAX_ROWS + 1),
    ],
)
def test_impossible_questions_of_the_registry_are_refused(
    name: str, after: str, limit: int
) -> None:
    """A name or a last row that no release has, a row of another name, or a limit out of bounds."""
    with pytest.raises(FormatError) as refused:
        q.decode_query(q.encode_query(asked(name, after, limit)))
    assert refused.value.reason is Reason.MALFORMED


def test_the_widest_question_of_the_registry() -> None:
    """The longest name and row are within the limit of a question."""
    name = WIDEST_RELEASE.name
    query = asked(name, rel.release_title(name, WIDEST_RELEASE.version), q.MAX_ROWS)
    assert q.decode_query(q.encode_query(query)) == query


@given(st.text(max_size=40))
def test_any_text_is_a_version_or_refused(text: str) -> None:
    """Nothing but FormatError comes from a text that is no version or title."""
    for parse in (rel.parse_version, rel.parse_title):
        try:
            parse(text)
        except FormatError:
            continue
