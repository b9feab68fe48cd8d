"""The text that a wallet shows: complete, canonical, and of one list of operations only."""

import json
import re
from dataclasses import fields, replace
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.format import operation as ops
from ledger.format.address import encode_address
from ledger.format.hygiene import RevokeSession
from ledger.format.operation import decode_operation, encode_operation
from ledger.format.platforms import PlatformVote
from ledger.format.policy_text import policy_text
from ledger.format.query import ListCollections, ListSecrets, Question
from ledger.format.releases import EnclaveRelease, PublishRelease, ReleaseVersion
from ledger.format.summary import (
    _KINDS,
    _QUESTIONS,
    MAX_LINE_CHARACTERS,
    summarize,
    summarize_question,
)
from ledger.format.terms import CollectionTerms, CreateCollection, SetPolicy
from sealedger.v1 import attestation_pb2 as apb
from tests.ledger_format import make_vectors as v
from tests.ledger_format.strategies import WIDEST_RELEASE, operations, questions, releases

KINDS = get_args(ops.Operation)
EXAMPLES = tuple(v.OPERATIONS.values())
STRING = r'"(?:[ !#-\[\]-~]|\\["\\])*"'
LINE = re.compile(rf"[A-Z][A-Za-z]+(?: [a-z_]+=(?:[!#-~]|{STRING})+)+")
lists = st.lists(operations, max_size=4).map(tuple)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_line_with_every_field(kind: type) -> None:
    """Each operation kind stands in the table, under a word of its own, with all its fields."""
    assert set(_KINDS[kind].fields) == {field.name for field in fields(kind)}
    words = [one.word for one in _KINDS.values()]
    assert words.count(_KINDS[kind].word) == 1
    assert any(isinstance(one, kind) for one in EXAMPLES)


def test_the_table_has_no_other_kind() -> None:
    """What is no operation has no line."""
    assert set(_KINDS) == set(KINDS)


@given(lists)
def test_a_line_for_each_operation(several: tuple[ops.Operation, ...]) -> None:
    """ASCII lines of one grammar, bounded, in the operations' order."""
    text = summarize(several)
    lines = text.split("\n") if several else []
    assert lines == [summarize((one,)) for one in several]
    for line in lines:
        assert LINE.fullmatch(line)
        assert len(line) <= MAX_LINE_CHARACTERS


@given(lists)
def test_the_text_of_decoded_operations_is_the_same(several: tuple[ops.Operation, ...]) -> None:
    """What the contracts make from the bytes is what the signer made from the values."""
    decoded = tuple(decode_operation(encode_operation(one)) for one in several)
    assert summarize(decoded) == summarize(several)


@settings(max_examples=200)
@given(lists, lists)
@example((ops.AcquireKey("a"), ops.AcquireKey("b")), (ops.AcquireKey("b"), ops.AcquireKey("a")))
@example((ops.Read("a", "b"),), (ops.Read("a/b", "b"),))
@example((), (ops.AcquireKey("a"),))
def test_different_operations_have_different_texts(
    some: tuple[ops.Operation, ...], others: tuple[ops.Operation, ...]
) -> None:
    """Two lists share a text only if they are the same list."""
    assert (summarize(some) == summarize(others)) == (some == others)


@given(operations, operations, st.data())
def test_a_change_of_one_field_shows(
    one: ops.Operation, other: ops.Operation, data: st.DataObject
) -> None:
    """Each field alone, taken from another operation of the kind or made different, is seen."""
    name = data.draw(st.sampled_from([field.name for field in fields(one)]))
    value = getattr(one, name)
    if type(other) is type(one) and getattr(other, name) != value:
        new = getattr(other, name)
    elif isinstance(value, str) and not value:
        new = "a"
    elif isinstance(value, str):
        new = value[:-1] + ("a" if value[-1] != "a" else "b")
    elif isinstance(value, bool):
        new = not value
    elif isinstance(value, CollectionTerms):
        new = replace(value, readers=value.readers + b"x")
    elif isinstance(value, EnclaveRelease):
        new = replace(value, notes=value.notes + "x")
    elif isinstance(value, ReleaseVersion):
        new = replace(value, patch=value.patch + 1)
    elif isinstance(value, PlatformVote):
        new = PlatformVote(value % 3 + 1)
    elif isinstance(value, bytes):
        new = value[:-1] + bytes((value[-1] ^ 1,))
    else:
        new = 1 if value is None else value + 1
    changed = replace(one, **{name: new})
    assert summarize((changed,)) != summarize((one,))


def test_absent_and_zero_are_different_words() -> None:
    """No condition, and the condition that there is nothing yet, are told apart."""
    assert "if_version=any" in summarize((ops.Delete("a", "b"),))
    assert "if_version=0" in summarize((ops.Delete("a", "b", 0),))
    assert "version=current" in summarize((ops.Read("a", "b"),))


def test_the_longest_lines_are_bounded() -> None:
    """Names of 200 characters and the widest numbers stay under the limit."""
    name, wide = "n" * 200, 2**64 - 1
    put = ops.Put(name, name, b"\xff" * 16, 2**32 - 1, 255, b"\xff" * 32, 2**32 - 1, wide)
    match = apb.IdentityPolicy(match=apb.IdentityMatch(measurement=b"\xff" * 48))
    many = apb.IdentityPolicy(any=apb.IdentityPolicyList(members=[match] * 60))
    policy = many.SerializeToString(deterministic=True)
    assert policy_text(policy).endswith("...)")
    terms = CollectionTerms(policy, policy, tuple(bytes((n,)) * 20 for n in range(64)), wide)
    created = CreateCollection(name, terms)
    assert decode_operation(encode_operation(created)) == created
    assert len(summarize((created,))) == 7193 <= MAX_LINE_CHARACTERS
    assert max(len(summarize((one,))) for one in (put, *EXAMPLES)) <= MAX_LINE_CHARACTERS
    assert len(summarize((PublishRelease(WIDEST_RELEASE),))) == 3571 <= MAX_LINE_CHARACTERS


def test_a_release_is_shown_in_full() -> None:
    """A wallet shows every measurement and auditor, whole, and notes as a JSON string."""
    line = summarize((PublishRelease(v.RELEASE),))
    assert f"name:{v.RELEASE.name};version:1.2.0;" in line
    for one, word in zip(v.RELEASE.measurements, ("sgx", "tdx", "snp"), strict=True):
        assert f"{word}:{one.measurement.hex()}" in line
    for auditor in v.RELEASE.auditors:
        assert encode_address(auditor) in line
    assert f"source_digest:{v.RELEASE.source_digest.hex()};" in line
    assert line.endswith(f";notes:{json.dumps(v.RELEASE.notes)}")


@given(releases, releases, st.data())
def test_a_change_of_one_part_of_a_release_shows(
    one: EnclaveRelease, other: EnclaveRelease, data: st.DataObject
) -> None:
    """Each part of a release taken from another one is seen if it differs."""
    name = data.draw(st.sampled_from([field.name for field in fields(one)]))
    changed = replace(one, **{name: getattr(other, name)})
    same = summarize((PublishRelease(changed),)) == summarize((PublishRelease(one),))
    assert same == (changed == one)


def test_notes_cannot_forge_another_text() -> None:
    """Quotes and separators in notes do not end them."""
    forged = 'x"\\;auditors:none'
    notes = (forged, "x", 'x"', "x\\", '\\"', '"', " ", "")
    lines = {summarize((PublishRelease(replace(v.RELEASE, notes=one)),)) for one in notes}
    assert len(lines) == len(notes)
    assert all(LINE.fullmatch(line) for line in lines)


def test_everywhere_is_no_collection() -> None:
    """A member's vote reads differently from an owner's word about any collection."""
    vote = summarize((RevokeSession(bytes(32), ""),))
    assert vote.endswith(" collection=(all)")
    with pytest.raises(FormatError):
        decode_operation(encode_operation(RevokeSession(bytes(32), "(all)")))


@pytest.mark.parametrize("kind", get_args(Question))
def test_every_question_has_a_line_with_every_field(kind: type) -> None:
    """Each kind of question stands in the table, under a word of its own, with all its fields."""
    assert set(_QUESTIONS[kind].fields) == {field.name for field in fields(kind)}
    words = [one.word for one in (*_QUESTIONS.values(), *_KINDS.values())]
    assert words.count(_QUESTIONS[kind].word) == 1


@settings(max_examples=200)
@given(questions, questions)
@example(ListSecrets("a", 'x" after="', "", 1), ListSecrets("a", "x", ' after="', 1))
@example(ListSecrets("a", "\\", "", 1), ListSecrets("a", "\\\\", "", 1))
def test_different_questions_have_different_texts(one: Question, other: Question) -> None:
    """Two questions share a text only if they are the same; each is one line of ASCII."""
    text = summarize_question(one)
    assert (text == summarize_question(other)) == (one == other)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= MAX_LINE_CHARACTERS


@given(st.text(" !\"\\~aZ/'", max_size=20))
def test_parts_of_names_are_json_strings(part: str) -> None:
    """Whoever has a JSON encoder can make the text."""
    assert f" after={json.dumps(part)} limit=1" in summarize_question(ListCollections(part, 1))


def test_terms_are_told_apart_by_every_part() -> None:
    """Another reader, writer, auditor or time to live gives another text."""
    usual = CollectionTerms(b"r", b"w", (bytes(20),), 5)
    others = (
        replace(usual, readers=b"w"),
        replace(usual, writers=b"r"),
        replace(usual, auditors=()),
        replace(usual, auditors=(b"\1" * 20,)),
        replace(usual, ttl_ms=6),
    )
    texts = {summarize((CreateCollection("a", terms),)) for terms in (usual, *others)}
    assert len(texts) == 1 + len(others)
    assert "auditors:0x" + "0" * 40 + ";ttl_ms:5" in summarize((SetPolicy("a", usual),))
