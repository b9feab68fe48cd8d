"""What a policy may say, and the limits of saying it."""

from dataclasses import replace

import pytest
from hypothesis import given

from attestation.conditions import ReleaseMatch, SgxMatch, SnpMatch, TdxMatch
from attestation.errors import DecodeError
from attestation.fields import SnpTcb
from attestation.policy import (
    MAX_DEPTH,
    MAX_GRACE_S,
    MAX_NODES,
    MAX_PLATFORM_IDS,
    MAX_RELEASE_NAMES,
    AllOf,
    AnyOf,
    Match,
    Policy,
    decode_policy,
    encode_policy,
    matches_of,
    verify_policy,
)
from ledger.format.platforms import PLATFORM_ID_BYTES
from sealedger.v1 import attestation_pb2 as pb
from tests.support.attestation_examples import (
    ALL_MATCHES,
    AUDITORS,
    RELEASE_MATCH,
    SGX_MATCH,
    SNP_MATCH,
    TDX_MATCH,
)
from tests.support.attestation_strategies import policies

CODE, SIGNER = b"\x11" * 32, b"\x22" * 32
BY_CODE = Match(measurement=CODE)
RELEASE = ReleaseMatch(name="fns", minimum=(1, 2, 0), auditors=AUDITORS, threshold=2)
MIN_TCB = SnpTcb(snp=1)
NO_ID_BYTES = (0, 1, 15, 17, 32, 48, 63, 65)  # widths of no platform's id
MANY_IDS = tuple(bytes([i]) * 64 for i in range(1, MAX_PLATFORM_IDS + 2))  # one too many


def with_tee(tee: SgxMatch | TdxMatch | SnpMatch) -> Match:
    """A match by code with conditions on one TEE."""
    return replace(BY_CODE, tee=tee)


def by_release(**changes: object) -> Match:
    """A match by release, changed."""
    return Match(release=replace(RELEASE, **changes))  # type: ignore[arg-type]  # its fields


@pytest.mark.parametrize(
    "policy",
    [
        AnyOf(()),
        AllOf(()),
        AllOf((BY_CODE, AnyOf(()))),
        Match(),
        Match(measurement=CODE, signer=SIGNER),
        Match(measurement=CODE, release=RELEASE),
        Match(signer=SIGNER, release=RELEASE),
        Match(tee=TdxMatch(rtmr0=bytes(48))),
        Match(tee=SnpMatch(minimum_tcb=MIN_TCB)),
        Match(tee=SgxMatch(family_id=bytes(16))),
        Match(measurement=b"short"),
        Match(signer=bytes(33)),
        Match(measurement=CODE, product_id=1),
        Match(measurement=CODE, minimum_svn=1),
        Match(release=RELEASE, product_id=1),
        Match(signer=SIGNER, product_id=2**16),
        Match(signer=SIGNER, minimum_svn=2**32),
        Match(measurement=CODE, tcb_statuses=()),
        Match(measurement=CODE, tcb_statuses=("Revoked",)),
        Match(measurement=CODE, tcb_statuses=("NotRated",)),
        Match(measurement=CODE, tcb_statuses=("UpToDate", "OutOfDate")),
        Match(measurement=CODE, advisories=("b", "a")),
        Match(measurement=CODE, grace_s=-1),
        Match(measurement=CODE, grace_s=MAX_GRACE_S + 1),
        *(Match(measurement=CODE, platform_ids=(b"\1" * size,)) for size in NO_ID_BYTES),
        *(Match(measurement=CODE, platform_ids=(bytes(size),)) for size in PLATFORM_ID_BYTES),
        Match(measurement=CODE, platform_ids=(b"b" * 16, b"a" * 16)),
        Match(measurement=CODE, platform_ids=MANY_IDS),
        AnyOf((BY_CODE,) * MAX_NODES),
        AnyOf((AnyOf((AnyOf((AnyOf((BY_CODE,)),)),)),)),
    ],
)
def test_an_invalid_policy_is_refused(policy: Policy) -> None:
    """What admits nothing by mistake, names two things at once, or is too large, has no bytes."""
    with pytest.raises(DecodeError):
        verify_policy(policy)
    with pytest.raises(DecodeError):
        encode_policy(policy)


@pytest.mark.parametrize(
    "match, field",
    [
        (Match(measurement=b"\xab"), "measurement$"),
        (Match(signer=b"\xab" * 33), "signer$"),
        *((with_tee(SgxMatch(config_id=bytes(n))), "config_id") for n in (1, 63, 65)),
        (with_tee(SgxMatch(ext_product_id=bytes(15))), "ext_product_id"),
        (with_tee(SgxMatch(family_id=bytes(17))), "family_id"),
        (with_tee(SgxMatch(minimum_config_svn=-1)), "minimum_config_svn"),
        (with_tee(SgxMatch(minimum_config_svn=2**16)), "minimum_config_svn"),
        (with_tee(SgxMatch(attributes=bytes(16))), "attributes"),
        (with_tee(SgxMatch(attributes_mask=b"\1" * 16)), "attributes"),
        (with_tee(SgxMatch(attributes=bytes(8), attributes_mask=b"\1" * 8)), "attributes"),
        (with_tee(SgxMatch(attributes=bytes(16), attributes_mask=bytes(16))), "attributes_mask"),
        (with_tee(SgxMatch(attributes=b"\3" * 16, attributes_mask=b"\1" * 16)), "attributes"),
        *(
            (with_tee(TdxMatch(**{name: bytes(32)})), name)
            for name in ("mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3")
        ),
        *(
            (with_tee(TdxMatch(**{name: bytes(47)})), name)
            for name in ("mr_config_id", "mr_owner", "mr_owner_config")
        ),
        (with_tee(TdxMatch(attributes=bytes(16), attributes_mask=b"\1" * 16)), "attributes"),
        (with_tee(TdxMatch(xfam=b"\2" * 8, xfam_mask=b"\1" * 8)), "xfam"),
        (with_tee(TdxMatch(xfam=bytes(8), xfam_mask=bytes(8))), "xfam_mask"),
        (with_tee(SnpMatch(minimum_tcb=SnpTcb(snp=256))), "minimum_tcb"),
        (with_tee(SnpMatch(minimum_tcb=MIN_TCB, minimum_launch_tcb=SnpTcb(fmc=-1))), "minimum_lau"),
        *(
            (with_tee(SnpMatch(minimum_tcb=MIN_TCB, **{name: bytes(8)})), name)  # type: ignore[arg-type]  # fields of bytes
            for name in ("host_data", "family_id", "image_id", "author_key_digest")
        ),
        (with_tee(SnpMatch(minimum_tcb=MIN_TCB, maximum_vmpl=4)), "maximum_vmpl"),
        (with_tee(SnpMatch(minimum_tcb=MIN_TCB, products=("Rome",))), "products"),
        (with_tee(SnpMatch(minimum_tcb=MIN_TCB, products=("Milan", "Genoa"))), "products"),
        (by_release(name=""), "release name"),
        (by_release(name="a" * 65), "release name"),
        (by_release(name="fns>=2/endorsed"), "release name"),
        (by_release(name="fns\n"), "release name"),
        (by_release(minimum=(1, 2, 2**31)), "release minimum"),
        (by_release(auditors=()), "release auditors"),
        (by_release(auditors=(bytes(19),)), "release auditors"),
        (by_release(auditors=AUDITORS[::-1]), "release auditors"),
        (by_release(auditors=tuple(bytes([i]) * 20 for i in range(17))), "release auditors"),
        (by_release(threshold=0), "release threshold"),
        (by_release(threshold=4), "release threshold"),
    ],
)
def test_a_condition_of_a_wrong_size_names_its_field(match: Match, field: str) -> None:
    """Every condition has the size of what it is compared with, and a fault says which it is."""
    with pytest.raises(DecodeError, match=f"policy: bad {field}"):
        encode_policy(match)


def test_an_mrtd_narrows_or_names() -> None:
    """An MRTD may be all that a match names, or narrow a match that names something else."""
    mr_td = TdxMatch(mr_td=bytes(48))
    for match in (Match(tee=mr_td), replace(BY_CODE, tee=mr_td), Match(release=RELEASE, tee=mr_td)):
        assert decode_policy(encode_policy(match)) == match


def test_limits_are_reached() -> None:
    """The deepest and the widest allowed policies pass, and the longest lists in one match."""
    deep: Policy = BY_CODE
    for _ in range(MAX_DEPTH - 1):
        deep = AllOf((deep,))
    wide = AnyOf((BY_CODE,) * (MAX_NODES - 1))
    long = replace(
        BY_CODE,
        platform_ids=MANY_IDS[:-1],
        grace_s=MAX_GRACE_S,
    )
    for policy in (deep, wide, long):
        assert decode_policy(encode_policy(policy)) == policy


def test_a_policy_asks_for_eight_names_of_releases() -> None:
    """The ledger looks each name up at each use, so nine are refused; versions do not count."""
    names = [by_release(name=f"app-{number}") for number in range(MAX_RELEASE_NAMES + 1)]
    older = by_release(name="app-0", minimum=(0, 1, 0))
    assert encode_policy(AnyOf((*names[:-1], older)))
    with pytest.raises(DecodeError, match="8 names of releases"):
        encode_policy(AnyOf(tuple(names)))


def test_a_policy_of_too_many_bytes_is_refused() -> None:
    """Sixty nodes with long lists of platforms are more than 16 KiB."""
    long = replace(BY_CODE, platform_ids=MANY_IDS[:-1])
    with pytest.raises(DecodeError, match="at most"):
        encode_policy(AnyOf((long,) * 8))


def test_a_policy_too_deep_to_decode_is_refused_on_the_way() -> None:
    """A decoder stops at the fifth level, before anything is built from below it."""
    message = pb.IdentityPolicy.FromString(encode_policy(BY_CODE))
    for _ in range(MAX_DEPTH):
        message = pb.IdentityPolicy(any=pb.IdentityPolicyList(members=[message]))
    with pytest.raises(DecodeError, match="levels"):
        decode_policy(message.SerializeToString(deterministic=True))


def test_the_matches_of_a_policy() -> None:
    """All of them, in order, however deep they stand."""
    policy = AnyOf((SGX_MATCH, AllOf((TDX_MATCH, AnyOf((SNP_MATCH,)))), RELEASE_MATCH))
    assert matches_of(policy) == ALL_MATCHES


@given(policies)
def test_policies_round_trip(policy: Policy) -> None:
    """Whatever a policy says, its bytes say the same."""
    assert decode_policy(encode_policy(policy)) == policy
