"""Policy files: what people write is what is signed, and every fault names its field."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.identity import TCB_STATUSES
from attestation.policy import AllOf, AnyOf, Match, Policy, decode_policy, encode_policy
from enclave_client.durations import decode_duration, encode_duration
from enclave_client.errors import InvalidRequestError, PolicyFileError
from enclave_client.policy_file import decode_policy_file, encode_policy_file, read_policy_file
from enclave_client.policy_words import NOBODY, policy_words
from ledger.format.address import encode_address
from ledger.format.terms import CollectionTerms

DIGEST = "ab" * 32
OWNER = bytes.fromhex("ab" * 20)
ADDRESS = encode_address(OWNER)
NOBODYS = 'readers = "nobody"\nwriters = "nobody"\n'


def terms(text: str) -> CollectionTerms:
    """The terms of TOML text."""
    return decode_policy_file(text.encode())


def test_a_whole_file(tmp_path: Path) -> None:
    """Every field arrives in the terms; lists may come in any order."""
    path = tmp_path / "policy.toml"
    path.write_text(f"""
ttl = "90d"
auditors = ["{ADDRESS}", "{encode_address(bytes(20))}"]
[readers]
any = [
    {{measurement = "{DIGEST}", allow_debug = true}},
    {{all = [{{signer = "{DIGEST}", product_id = 3, minimum_svn = 2, tcb_statuses = [
        "UpToDate", "SWHardeningNeeded"
    ], advisories = ["INTEL-SA-00002", "INTEL-SA-00001"], platform_ids = ["02", "01"]}}]}},
]
[writers]
measurement = "{DIGEST}"
""")
    found = read_policy_file(path)
    assert found.ttl_ms == 90 * 24 * 3_600_000
    assert found.auditors == (bytes(20), OWNER)
    digest = bytes.fromhex(DIGEST)
    assert decode_policy(found.writers) == Match(measurement=digest)
    assert decode_policy(found.readers) == AnyOf(
        (
            Match(measurement=digest, allow_debug=True),
            AllOf(
                (
                    Match(
                        signer=digest,
                        product_id=3,
                        minimum_svn=2,
                        tcb_statuses=("SWHardeningNeeded", "UpToDate"),
                        advisories=("INTEL-SA-00001", "INTEL-SA-00002"),
                        platform_ids=(b"\1", b"\2"),
                    ),
                )
            ),
        )
    )


def test_nobody() -> None:
    """The word admits no enclave, and is written again as the word."""
    found = terms(NOBODYS)
    assert decode_policy(found.readers) == NOBODY
    assert encode_policy_file(found).decode() == NOBODYS


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "field readers: Field required"),
        ('readers = "nobody"', "field writers: Field required"),
        ('readers = "all"\nwriters = "nobody"', 'field readers: must be a table, or "nobody"'),
        ('readers = 5\nwriters = "nobody"', "field readers: must be a table"),
        ('readers = {}\nwriters = "nobody"', "field readers: needs exactly one of"),
        (f'readers = {{measurement = "{DIGEST}", signer = "{DIGEST}"}}', "exactly one of"),
        (f'readers = {{any = [{{measurement = "{DIGEST}"}}], svn = 1}}', "field readers.svn"),
        (f'readers = {{any = [{{measurement = "{DIGEST}"}}], signer = "aa"}}', "stands alone"),
        ('readers = {any = []}', "field readers.any"),
        ('readers = {any = [{measurement = "xyz"}]}', "field readers.any.0.measurement"),
        ('readers = {measurement = "ab"}\nwriters = "nobody"', "readers: policy: bad digest size"),
        (f'readers = {{signer = "{DIGEST}", product_id = "3"}}', "field readers.product_id"),
        (f'readers = {{signer = "{DIGEST}", allow_debug = "yes"}}', "field readers.allow_debug"),
        (f'readers = {{measurement = "{DIGEST}", tcb_statuses = ["Fine"]}}\nwriters = "nobody"',
         "readers: policy: bad tcb_statuses"),
        (f'readers = {{measurement = "{DIGEST}", advisories = ["a", "a"]}}', "the same twice"),
        (NOBODYS + "owner = 1", "field owner"),
        (NOBODYS + "ttl = 5", "field ttl"),
        (NOBODYS + 'ttl = "5y"', "field ttl"),
        (NOBODYS + 'ttl = "0s"', "field ttl"),
        (NOBODYS + f'auditors = ["{ADDRESS}", "{ADDRESS}"]', "field auditors: says the same"),
        (NOBODYS + f'auditors = ["{ADDRESS.lower()}"]', "field auditors.0"),
        (NOBODYS + "auditors = [5]", "field auditors.0"),
        ("readers", "not TOML"),
        ("readers = " + "{any = [" * 2000, "not TOML"),
        ("#" * 70_000, "over 65536 bytes"),
    ],
)  # fmt: skip
def test_faults_name_their_field(text: str, said: str) -> None:
    """Whatever is wrong is said, with the field, and with a hint."""
    with pytest.raises(PolicyFileError) as caught:
        terms(text)
    assert said in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The path and the cause are named."""
    with pytest.raises(PolicyFileError, match="No such file"):
        read_policy_file(tmp_path / "none.toml")


DIGESTS = st.sampled_from([32, 48]).flatmap(lambda size: st.binary(min_size=size, max_size=size))


def _sorted_sets(items: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.frozensets(items, max_size=3).map(lambda found: tuple(sorted(found)))


CONDITIONS = {
    "tcb_statuses": _sorted_sets(st.sampled_from(sorted(TCB_STATUSES))).filter(bool),
    "advisories": _sorted_sets(st.integers(10000, 10009).map(lambda n: f"INTEL-SA-{n}")),
    "allow_debug": st.booleans(),
    "platform_ids": st.frozensets(st.binary(min_size=1, max_size=16), max_size=3).map(
        lambda found: tuple(sorted(found))
    ),
}
MATCHES = st.one_of(
    st.builds(Match, measurement=DIGESTS, **CONDITIONS),
    st.builds(
        Match,
        signer=DIGESTS,
        product_id=st.integers(0, 0xFFFF),
        minimum_svn=st.integers(0, 0xFFFF),
        **CONDITIONS,
    ),
)


def _lists(members: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    several = st.lists(members, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(AnyOf, several), st.builds(AllOf, several))


POLICIES: st.SearchStrategy[Policy] = st.one_of(
    st.just(NOBODY), MATCHES, _lists(MATCHES), _lists(_lists(MATCHES))
)


@given(
    POLICIES,
    POLICIES,
    st.frozensets(st.binary(min_size=20, max_size=20), max_size=3),
    st.integers(0, 2**63 - 1),
)
def test_terms_survive_the_file(
    readers: Policy, writers: Policy, auditors: frozenset[bytes], ttl_ms: int
) -> None:
    """What is written is read again as the same terms, and has words for people."""
    wanted = CollectionTerms(
        encode_policy(readers), encode_policy(writers), tuple(sorted(auditors)), ttl_ms
    )
    assert decode_policy_file(encode_policy_file(wanted)) == wanted
    assert "\n" not in policy_words(readers)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes(data: bytes) -> None:
    """Whatever a file holds, the error is the package's own."""
    try:
        decode_policy_file(data)
    except PolicyFileError:
        return
    raise AssertionError("random bytes are a policy")


@given(st.integers(1, 2**63 - 1))
def test_durations_round_trip(length_ms: int) -> None:
    """A length of time is written in a unit that loses nothing."""
    assert decode_duration(encode_duration(length_ms)) == length_ms


@pytest.mark.parametrize("text", ["", "5", "d", "-1d", "1.5d", "1 d", "0d", "٣d", "9" * 19 + "w"])
def test_no_durations(text: str) -> None:
    """Other spellings, none at all and more than there is are refused."""
    with pytest.raises(InvalidRequestError):
        decode_duration(text)


def test_words() -> None:
    """Whatever is not the strict default is said."""
    match = Match(
        signer=bytes(32), product_id=1, minimum_svn=2, tcb_statuses=("OutOfDate",),
        advisories=("INTEL-SA-00001",), allow_debug=True, platform_ids=(b"\1",),
    )  # fmt: skip
    said = policy_words(AnyOf((match, NOBODY)))
    for word in ("signer 00", "product 1", "SVN 2", "OutOfDate", "SA-00001", "debug", "01"):
        assert word in said
    assert said.startswith("any of (")
    assert said.endswith("; nobody)")
