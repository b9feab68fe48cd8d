"""Policy files: what people write is what is signed, and every fault names its field."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.conditions import ReleaseMatch, SgxMatch, SnpMatch, TdxMatch
from attestation.fields import SnpTcb
from attestation.policy import AllOf, AnyOf, Match, Policy, decode_policy, encode_policy
from enclave_client.durations import decode_duration, encode_duration
from enclave_client.errors import InvalidRequestError, PolicyFileError
from enclave_client.policy_doubts import policy_doubts
from enclave_client.policy_file import (
    PARTS,
    decode_policy_file,
    decode_single_policy,
    encode_policy_file,
    encode_single_policy,
    read_policy_file,
    read_single_policy,
)
from enclave_client.policy_words import NOBODY, policy_words
from ledger.format.address import encode_address
from ledger.format.terms import CollectionTerms
from tests.support.attestation_examples import ALL_MATCHES, SNP_MATCH, TDX_MATCH
from tests.support.attestation_strategies import policies
from tests.support.mutation import mutations

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
    ], advisories = ["INTEL-SA-00002", "INTEL-SA-00001"], platform_ids = [
        "{"02" * 16}", "{"01" * 64}"
    ]}}]}},
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
                        platform_ids=(b"\1" * 64, b"\2" * 16),
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
        ("", "field readers: is missing"),
        ('readers = "nobody"', "field writers: is missing"),
        ('readers = "all"\nwriters = "nobody"', 'field readers: must be a table, or "nobody"'),
        ('readers = 5\nwriters = "nobody"', "field readers: must be a table"),
        ('readers = {}\nwriters = "nobody"', "field readers: needs exactly one of"),
        (f'readers = {{measurement = "{DIGEST}", signer = "{DIGEST}"}}', "exactly one of"),
        (f'readers = {{any = [{{measurement = "{DIGEST}"}}], svn = 1}}', "field readers.svn"),
        (f'readers = {{any = [{{measurement = "{DIGEST}"}}], signer = "aa"}}', "stands alone"),
        ('readers = {any = []}', "field readers.any"),
        ('readers = {any = [{measurement = "xyz"}]}', "field readers.any[0].measurement"),
        ('readers = {measurement = "ab"}\nwriters = "nobody"', "field readers.measurement: must"),
        (f'readers = {{signer = "{DIGEST}", product_id = "3"}}', "field readers.product_id"),
        (f'readers = {{signer = "{DIGEST}", allow_debug = "yes"}}', "field readers.allow_debug"),
        (f'readers = {{measurement = "{DIGEST}", tcb_statuses = ["Fine"]}}\nwriters = "nobody"',
         "field readers.tcb_statuses: must be one or more"),
        (f'readers = {{measurement = "{DIGEST}", advisories = ["a", "a"]}}', "the same twice"),
        (NOBODYS + "owner = 1", "field owner"),
        (NOBODYS + "ttl = 5", "field ttl"),
        (NOBODYS + 'ttl = "5y"', "field ttl"),
        (NOBODYS + 'ttl = "0s"', "field ttl"),
        (NOBODYS + f'auditors = ["{ADDRESS}", "{ADDRESS}"]', "field auditors: says the same"),
        (NOBODYS + f'auditors = ["{ADDRESS.lower()}"]', "field auditors[0]"),
        (NOBODYS + "auditors = [5]", "field auditors[0]"),
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


POLICIES: st.SearchStrategy[Policy] = st.just(NOBODY) | policies


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


@given(POLICIES)
def test_a_policy_alone_survives_its_file(policy: Policy) -> None:
    """A file with one policy gives that policy, and no part of a collection's."""
    data = encode_single_policy(policy)
    assert decode_single_policy(data) == policy
    for part in PARTS:
        with pytest.raises(PolicyFileError, match="it has no"):
            decode_single_policy(data, part=part)


def test_a_part_of_a_collection_s_file(tmp_path: Path) -> None:
    """One of both policies is chosen by its name, and none without one."""
    path = tmp_path / "policy.toml"
    path.write_text(f'readers = {{measurement = "{DIGEST}"}}\nwriters = "nobody"\n')
    assert read_single_policy(path, "writers") == NOBODY
    assert read_single_policy(path, "readers") == Match(measurement=bytes.fromhex(DIGEST))
    for part in ("", "owners"):
        with pytest.raises(PolicyFileError, match="a collection's policies") as caught:
            read_single_policy(path, part)
        assert "--part readers or --part writers" in caught.value.hint
    with pytest.raises(PolicyFileError, match="No such file"):
        read_single_policy(tmp_path / "none.toml")


@pytest.mark.parametrize("match", ALL_MATCHES, ids=["sgx", "tdx", "snp", "release"])
def test_conditions_on_every_tee(match: Match) -> None:
    """What the examples of the specification ask can be written by hand, and reads the same."""
    assert decode_single_policy(encode_single_policy(match)) == match


def test_a_whole_policy_for_an_snp_guest() -> None:
    """Tables of a TEE, its TCB, products and a grace are read from what people write."""
    policy = decode_single_policy(
        f"""
measurement = "{DIGEST}{DIGEST[:32]}"
[snp]
minimum_tcb = {{boot_loader = 4, tee = 0, snp = 24, microcode = 219}}
minimum_launch_tcb = {{boot_loader = 1, tee = 2, snp = 3, microcode = 4, fmc = 5}}
host_data = "{DIGEST}"
products = ["Milan", "Genoa"]
maximum_vmpl = 1
require_single_thread = true
""".encode()
    )
    assert policy == Match(
        measurement=bytes.fromhex(DIGEST + DIGEST[:32]),
        tee=SnpMatch(
            minimum_tcb=SnpTcb(boot_loader=4, snp=24, microcode=219),
            minimum_launch_tcb=SnpTcb(boot_loader=1, tee=2, snp=3, microcode=4, fmc=5),
            host_data=bytes.fromhex(DIGEST),
            products=("Genoa", "Milan"),
            maximum_vmpl=1,
            require_single_thread=True,
        ),
    )


def test_a_grace_and_a_release() -> None:
    """Lengths of time, versions and addresses are written as elsewhere."""
    policy = decode_single_policy(
        f"""
release = {{name = "fns", minimum = "1.2.0", auditors = ["{ADDRESS}"], threshold = 1}}
grace = "30d"
sgx = {{attributes = {{value = "{"00" * 16}", mask = "{"02" * 16}"}}}}
""".encode()
    )
    assert isinstance(policy, Match)
    assert policy.grace_s == 30 * 86_400
    assert policy.release == ReleaseMatch(
        name="fns", minimum=(1, 2, 0), auditors=(OWNER,), threshold=1
    )
    assert policy.tee == SgxMatch(attributes=bytes(16), attributes_mask=b"\2" * 16)


RELEASE = f'name = "fns", minimum = "1.2.0", auditors = ["{ADDRESS}"], threshold = 1'


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "needs exactly one of measurement, signer, release, tdx.mr_td"),
        (f'measurement = ""\nsigner = "{DIGEST}"', "field measurement"),
        (f'measurement = "{DIGEST}"\nrelease = {{{RELEASE}}}', "exactly one of"),
        (f'tdx = {{rtmr0 = "{DIGEST}"}}', "exactly one of"),
        (f'measurement = "{DIGEST}"\nsgx = {{}}\ntdx = {{}}', "exclude one another"),
        (f'measurement = "{DIGEST}"\ntdx = {{mrtd = "{DIGEST}"}}', "field tdx.mrtd"),
        (f'measurement = "{DIGEST}"\nsgx = {{config_id = "ab"}}', "field sgx.config_id: must be"),
        (f'measurement = "{DIGEST}"\nsgx = {{family_id = ""}}', "field sgx.family_id"),
        (f'measurement = "{DIGEST}"\nsgx = {{attributes = "00"}}', "field sgx.attributes"),
        (f'measurement = "{DIGEST}"\nsgx = {{attributes = {{value = "00"}}}}',
         "field sgx.attributes.mask: is missing"),
        (f'measurement = "{DIGEST}"\nsgx = {{attributes = {{value = "01", mask = "00"}}}}',
         "attributes: must be value"),
        (f'measurement = "{DIGEST}"\nsnp = {{}}', "field snp.minimum_tcb: is missing"),
        (f'measurement = "{DIGEST}"\nsnp = {{minimum_tcb = {{snp = 5}}}}',
         "field snp.minimum_tcb.boot_loader: is missing"),
        (f'measurement = "{DIGEST}"\nsnp = {{minimum_tcb = {{boot_loader = 1, tee = 0, snp = 5, '
         'microcode = 256}}', "field snp.minimum_tcb: must be"),
        (f'measurement = "{DIGEST}"\ngrace = 30', 'field grace: must be text, such as "90d"'),
        (f'measurement = "{DIGEST}"\ngrace = "30"', "field grace: this is no length of time"),
        (f'measurement = "{DIGEST}"\ngrace = "1500ms"', "field grace: must be whole seconds"),
        (f'measurement = "{DIGEST}"\ngrace = "4000d"', "policy: bad grace_s"),
        (f'release = {{{RELEASE.replace("1.2.0", "1.2")}}}', "field release.minimum: a version"),
        (f'release = {{{RELEASE.replace(chr(34) + "1.2.0" + chr(34), "1.2")}}}',
         'field release.minimum: must be text, such as "1.2.0"'),
        (f'release = {{{RELEASE.replace("= 1", "= 2")}}}', "field release.threshold: must"),
        (f'release = {{{RELEASE.replace("fns", "fns>1")}}}', "field release.name: must be"),
        (f'release = {{{RELEASE}, svn = 1}}', "field release.svn"),
        (f'release = {{{RELEASE.replace(ADDRESS, ADDRESS.lower())}}}', "field release.auditors[0]"),
    ],
)  # fmt: skip
def test_faults_of_a_policy_alone_name_their_field(text: str, said: str) -> None:
    """Conditions of a wrong size, half a mask, half a TCB: whatever is wrong is said."""
    with pytest.raises(PolicyFileError) as caught:
        decode_single_policy(text.encode())
    assert said in caught.value.message


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_as_one_policy(data: bytes) -> None:
    """Whatever a file holds, the error is the package's own."""
    with pytest.raises(PolicyFileError):
        decode_single_policy(data)


@given(policies.map(encode_single_policy).flatmap(mutations))
def test_changed_files(data: bytes) -> None:
    """A changed file is refused, or a policy that its own file gives again."""
    try:
        policy = decode_single_policy(data)
    except PolicyFileError:
        return
    assert decode_single_policy(encode_single_policy(policy)) == policy


def test_words() -> None:
    """Whatever is not the strict default is said."""
    match = Match(
        signer=bytes(32), product_id=1, minimum_svn=2, tcb_statuses=("OutOfDate",),
        advisories=("INTEL-SA-00001",), allow_debug=True, platform_ids=(b"\1" * 16,), enrolled=True,
    )  # fmt: skip
    said = policy_words(AnyOf((match, NOBODY)))
    for word in (
        "signer 00",
        "product 1",
        "SVN 2",
        "OutOfDate",
        "SA-00001",
        "debug",
        "01",
        "enrolled",
    ):
        assert word in said
    assert said.startswith("any of (")
    assert said.endswith("; nobody)")


@given(policies, policies)
def test_words_say_everything(first: Policy, second: Policy) -> None:
    """Two policies that differ have different words, in one line."""
    assert (policy_words(first) == policy_words(second)) is (first == second)
    assert "\n" not in policy_words(first)


def test_words_of_every_condition() -> None:
    """Conditions on a TEE and on releases are said in full."""
    said = [policy_words(match) for match in ALL_MATCHES]
    assert "on SGX" in said[0]
    assert "attributes 04" in said[0]
    assert f"mr_td {'60' * 48}" in said[1]
    for word in (
        "on SEV-SNP Genoa or Milan",
        "TCB not below (boot loader 4, TEE 0, SNP 24, microcode 219)",
        "VMPL 0 to 1",
        "migration allowed",
        "VLEK allowed",
        f"host_data {'71' * 32}",
    ):
        assert word in said[2]
    assert said[3].startswith("release fns 1.2.0 or newer endorsed by 2 of 3 auditors (0x")


BY_CODE = Match(measurement=bytes.fromhex(DIGEST))
LONG = Match(measurement=bytes.fromhex(DIGEST + DIGEST[:32]))
ZERO_TCB = SnpMatch(minimum_tcb=SnpTcb())
TURIN_TCB = SnpTcb(boot_loader=1, tee=1, snp=4, microcode=72)
ONE_LINE = SnpMatch(minimum_tcb=TURIN_TCB, products=("Genoa",))
VLEK = replace(ONE_LINE, allow_vlek=True)
TURIN = SnpMatch(minimum_tcb=replace(TURIN_TCB, fmc=1), products=("Turin",))


@pytest.mark.parametrize(
    "policy, said",
    [
        (replace(BY_CODE, tee=TdxMatch()), "of another kind of TEE"),
        (replace(LONG, tee=SgxMatch()), "of another kind of TEE"),
        (LONG, "no SEV-SNP guest"),
        (Match(signer=bytes(32)), "without minimum_svn admits every build"),
        (Match(signer=bytes(48), tee=ONE_LINE), "without minimum_svn admits every build"),
        (Match(signer=bytes(32), tee=TdxMatch()), "no signer"),
        (replace(LONG, tee=ZERO_TCB), "every firmware"),
        (replace(LONG, tee=SnpMatch(minimum_tcb=TURIN_TCB)), "name one in products"),
        (replace(LONG, tee=SNP_MATCH.tee), "name one in products"),
        (replace(LONG, tee=SnpMatch(minimum_tcb=TURIN_TCB, products=("Turin",))), "without fmc"),
        (replace(LONG, tee=VLEK, platform_ids=(b"p" * 64,)), "cloud"),
        (replace(LONG, tee=VLEK, enrolled=True), "cloud"),
        (replace(LONG, tee=SNP_MATCH.tee, advisories=("SA-1",)), "not looked at"),
        (replace(BY_CODE, grace_s=5), "nothing to pass"),
        (replace(BY_CODE, tcb_statuses=("OutOfDate",)), "for ever"),
        (replace(BY_CODE, advisories=("SA-1",)), "that carry another one"),
        (
            replace(BY_CODE, allow_debug=True),
            "refuses every debug enclave, on development networks too",
        ),
        (Match(tee=TdxMatch(mr_td=bytes(48))), "any kernel"),
        (AllOf((BY_CODE, replace(BY_CODE, measurement=bytes([1]) * 32))), "admits nobody"),
    ],
)
def test_doubts(policy: Policy, said: str) -> None:
    """What is valid and hardly meant is said, with its place."""
    encode_policy(policy)
    assert said in " ".join(policy_doubts(policy))
    assert policy_doubts(AnyOf((BY_CODE, policy)))[0].startswith("any[1]")


def test_no_doubts() -> None:
    """Policies as they should be raise none, and neither does nobody."""
    for policy in (NOBODY, BY_CODE, TDX_MATCH):
        assert policy_doubts(policy) == ()
    for tee in (ONE_LINE, TURIN):
        assert policy_doubts(replace(LONG, tee=tee)) == ()
    assert policy_doubts(AllOf((BY_CODE, Match(signer=bytes(32), minimum_svn=1)))) == ()


def test_a_signer_that_admits_nobody() -> None:
    """A match that admits no TD is not called too wide as well."""
    doubts = " ".join(policy_doubts(Match(signer=bytes(32), tee=TdxMatch())))
    assert "no signer" in doubts
    assert "minimum_svn" not in doubts
