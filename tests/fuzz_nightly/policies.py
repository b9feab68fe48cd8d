"""Targets: policies and releases as people write them, TOML."""

import tomllib
from contextlib import suppress

import tomli_w
from hypothesis import assume, given
from hypothesis import strategies as st

from attestation.policy import AllOf, AnyOf, Policy, decode_policy, encode_policy
from enclave_client.errors import PolicyFileError, ReleaseFileError
from enclave_client.policy_file import (
    MAX_FILE_BYTES,
    decode_policy_file,
    decode_single_policy,
    encode_policy_file,
    encode_single_policy,
)
from enclave_client.policy_words import policy_words
from enclave_client.release_file import decode_release_file, encode_release_file
from ledger.format.releases import EnclaveRelease, ReleaseMeasurement, ReleaseVersion
from ledger.format.terms import CollectionTerms
from tests.fuzz_nightly.codecs import check_judging
from tests.fuzz_nightly.target import QUIET, Target, structured
from tests.support.attestation_examples import ALL_MATCHES, POLICY
from tests.support.tree_edits import tree_edits

_EVERY: tuple[Policy, ...] = (
    POLICY,
    *ALL_MATCHES,
    AnyOf(tuple(ALL_MATCHES)),
    AllOf((POLICY, AnyOf(ALL_MATCHES[:2]))),
)


def check_file(data: bytes) -> None:
    """A file is refused with a sentence, or gives terms that written again give the same."""
    with suppress(PolicyFileError):
        terms = decode_policy_file(data)
        if decode_policy_file(encode_policy_file(terms)) != terms:
            raise AssertionError("terms that change when they are written")
        for encoded in (terms.readers, terms.writers):
            check_policy(decode_policy(encoded))


def check_single(data: bytes) -> None:
    """The same for one policy alone, and for a part of a collection's."""
    for part in ("", "readers"):
        with suppress(PolicyFileError):
            policy = decode_single_policy(data, part=part)
            if decode_single_policy(encode_single_policy(policy)) != policy:
                raise AssertionError("a policy that changes when it is written")
            check_policy(policy)


def check_policy(policy: Policy) -> None:
    """It can be told and judged."""
    if "\n" in policy_words(policy):
        raise AssertionError("more than one line")
    check_judging(policy)


def check_release(data: bytes) -> None:
    """A release file gives a release that written again is the same."""
    with suppress(ReleaseFileError):
        release = decode_release_file(data)
        if decode_release_file(encode_release_file(release)) != release:
            raise AssertionError("a release that changes when it is written")


def _terms(readers: Policy) -> CollectionTerms:
    auditors = (b"\x33" * 20, b"\x34" * 20)
    return CollectionTerms(encode_policy(readers), encode_policy(POLICY), auditors, 86_400_000)


def _release() -> bytes:
    measured = tuple(
        ReleaseMeasurement(platform, bytes((platform,)) * size)
        for platform, size in ((1, 32), (2, 48), (3, 48))
    )
    return encode_release_file(
        EnclaveRelease(
            name="fns",
            version=ReleaseVersion(1, 2, 0),
            source_digest=b"\x5f" * 32,
            notes="faster",
            measurements=measured,
            auditors=(b"\x33" * 20,),
        )
    )


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A policy's table after edits of its tree; what TOML cannot say becomes empty text."""
    seed = draw(st.sampled_from(_EVERY))
    table = tomllib.loads(encode_single_policy(seed).decode())
    edited = _sayable(draw(tree_edits(table)))
    text = tomli_w.dumps(edited if isinstance(edited, dict) else {"any": [edited]}).encode()
    assume(len(text) < 4 * MAX_FILE_BYTES)  # what is larger is refused unread
    return text


def _sayable(value: object) -> object:
    if isinstance(value, dict):
        return {name: _sayable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [*map(_sayable, value)]
    if isinstance(value, str):
        return value.replace("\ud800", "")
    return "" if value is None else value


@given(tables(), st.booleans())
@QUIET
def check_tables(table: bytes, is_collection: bool) -> None:
    """An edited table alone, or as a collection's readers."""
    if not is_collection:
        check_single(table)
        return
    readers = tomllib.loads(table.decode())
    check_file(tomli_w.dumps({"readers": readers, "writers": "nobody"}).encode())


TARGETS = (
    structured("policy-tables", check_tables),
    Target("policy-file", check_file, lambda: [encode_policy_file(_terms(one)) for one in _EVERY]),
    Target("policy", check_single, lambda: [encode_single_policy(one) for one in _EVERY]),
    Target("release-file", check_release, lambda: [_release()]),
)
