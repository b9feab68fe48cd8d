"""Hypothesis strategies for identities, matches, policies and what the ledger knows of releases.

Values come from small sets, so that conditions are met about as often as not.
"""

from dataclasses import replace

from hypothesis import strategies as st

from attestation.conditions import ReleaseMatch, SgxMatch, SnpMatch, TdxMatch, TeeMatch
from attestation.facts import Facts
from attestation.fields import PRODUCTS, SgxFields, SnpFields, SnpTcb, TdxFields
from attestation.identity import NOT_RATED, TCB_STATUSES, Identity
from attestation.judging import Subject
from attestation.policy import AllOf, AnyOf, Match, Policy
from attestation.releases import EndorsedRelease

NOW_S = 1_800_000_000
DAY_S = 86_400


def digests(size: int) -> st.SearchStrategy[bytes]:
    """One of two digests of `size` bytes."""
    return st.sampled_from([b"\x01" * size, b"\x02" * size])


def maybe(values: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """One of the values, or nothing."""
    return st.just(b"") | values


def sorted_sets(
    items: st.SearchStrategy[str], *, at_least: int = 0
) -> st.SearchStrategy[tuple[str, ...]]:
    """Up to three of the items, sorted, none twice."""
    return st.frozensets(items, min_size=at_least, max_size=3).map(lambda s: tuple(sorted(s)))


statuses = st.sampled_from(sorted(TCB_STATUSES))
advisories = sorted_sets(st.sampled_from(["SA-1", "SA-2", "SA-3"]))
platform_ids = st.sampled_from([b"p" * 16, b"q" * 16, b"r" * 64])
tcbs = st.builds(
    SnpTcb,
    boot_loader=st.integers(3, 4),
    tee=st.just(0),
    snp=st.integers(20, 22),
    microcode=st.sampled_from([0, 219, 255]),
)
dates = st.sampled_from([0, NOW_S - 60 * DAY_S, NOW_S - 10 * DAY_S, NOW_S, NOW_S + DAY_S])

sgx_fields = st.builds(
    SgxFields,
    attributes=st.sampled_from([bytes(16), b"\x05" + bytes(15), b"\xff" * 16]),
    config_id=digests(64),
    config_svn=st.integers(0, 3),
    ext_product_id=digests(16),
    family_id=digests(16),
)
tdx_fields = st.builds(
    TdxFields,
    mr_td=digests(48),
    rtmr0=digests(48),
    rtmr3=digests(48),
    mr_owner=digests(48),
    attributes=st.sampled_from([bytes(8), b"\x01" + bytes(7), b"\xff" * 8]),
    xfam=st.sampled_from([bytes(8), b"\xe7" + bytes(7)]),
)
snp_fields = st.builds(
    SnpFields,
    host_data=digests(32),
    family_id=digests(16),
    image_id=digests(16),
    author_key_digest=maybe(digests(48)),
    guest_policy=st.sampled_from([0, 1 << 16, 1 << 18, 1 << 16 | 1 << 18]),
    vmpl=st.integers(0, 3),
    reported_tcb=tcbs,
    launch_tcb=tcbs,
    product=st.sampled_from(PRODUCTS),
    is_vlek=st.booleans(),
)


def _identity(fields: SgxFields | TdxFields | SnpFields) -> st.SearchStrategy[Identity]:
    is_sgx, is_snp = isinstance(fields, SgxFields), isinstance(fields, SnpFields)
    return st.builds(
        Identity,
        platform=st.just("sgx" if is_sgx else "snp" if is_snp else "tdx"),
        measurement=digests(32 if is_sgx else 48),
        signer=digests(32) if is_sgx else maybe(digests(48)) if is_snp else st.just(b""),
        product_id=st.integers(0, 1) if is_sgx else st.just(0),
        svn=st.just(0) if isinstance(fields, TdxFields) else st.integers(0, 3),
        debug=st.booleans(),
        tcb_status=st.just(NOT_RATED) if is_snp else statuses,
        tcb_date_s=st.just(0) if is_snp else dates,
        advisories=st.just(()) if is_snp else advisories,
        platform_id=maybe(platform_ids),
        fields=st.just(fields),
    )


identities: st.SearchStrategy[Identity] = (sgx_fields | tdx_fields | snp_fields).flatmap(_identity)

_AUDITORS = tuple(bytes([number]) * 20 for number in (1, 2, 3))
versions = st.tuples(st.integers(0, 2), st.integers(0, 2), st.just(0))
release_matches = st.frozensets(st.sampled_from(_AUDITORS), min_size=1).flatmap(
    lambda auditors: st.builds(
        ReleaseMatch,
        name=st.sampled_from(["fns", "wallet"]),
        minimum=versions,
        auditors=st.just(tuple(sorted(auditors))),
        threshold=st.integers(1, len(auditors)),
    )
)
releases: st.SearchStrategy[tuple[EndorsedRelease, ...]] = st.lists(
    st.builds(
        EndorsedRelease,
        name=st.sampled_from(["fns", "wallet"]),
        version=versions,
        endorsers=st.frozensets(st.sampled_from(_AUDITORS)).map(lambda s: tuple(sorted(s))),
    ),
    max_size=3,
    unique_by=lambda one: (one.name, one.version),
).map(lambda found: tuple(sorted(found, key=lambda one: (one.name, one.version))))

subjects = st.builds(Subject, identities, st.builds(Facts, releases, st.booleans()))

_SGX_ATTRIBUTES = st.sampled_from([(b"", b""), (bytes(16), b"\x02" * 16), (b"\x04" * 16,) * 2])
_TDX_ATTRIBUTES = st.sampled_from([(b"", b""), (bytes(8), b"\x01" * 8)])
sgx_matches = st.builds(
    lambda flags, match: replace(match, attributes=flags[0], attributes_mask=flags[1]),
    _SGX_ATTRIBUTES,
    st.builds(
        SgxMatch,
        config_id=maybe(digests(64)),
        minimum_config_svn=st.integers(0, 2),
        ext_product_id=maybe(digests(16)),
        family_id=maybe(digests(16)),
    ),
)
tdx_matches = st.builds(
    lambda flags, match: replace(match, attributes=flags[0], attributes_mask=flags[1]),
    _TDX_ATTRIBUTES,
    st.builds(
        TdxMatch,
        mr_td=maybe(digests(48)),
        rtmr0=maybe(digests(48)),
        rtmr3=maybe(digests(48)),
        mr_owner=maybe(digests(48)),
        xfam=st.just(b"\xe7" + bytes(7)),
        xfam_mask=st.just(b"\xff" * 8),
    ),
)
snp_matches = st.builds(
    SnpMatch,
    minimum_tcb=tcbs,
    minimum_launch_tcb=st.none() | tcbs,
    host_data=maybe(digests(32)),
    family_id=maybe(digests(16)),
    image_id=maybe(digests(16)),
    author_key_digest=maybe(digests(48)),
    maximum_vmpl=st.integers(0, 3),
    products=sorted_sets(st.sampled_from(PRODUCTS)),
    allow_migration=st.booleans(),
    allow_vlek=st.booleans(),
    require_single_thread=st.booleans(),
)
tee_matches: st.SearchStrategy[TeeMatch | None] = st.one_of(
    st.none(), sgx_matches, tdx_matches, snp_matches
)
_conditions = {
    "tcb_statuses": sorted_sets(statuses, at_least=1),
    "advisories": advisories,
    "grace_s": st.sampled_from([0, 5 * DAY_S, 30 * DAY_S]),
    "allow_debug": st.booleans(),
    "enrolled": st.booleans(),
    "platform_ids": st.frozensets(platform_ids, max_size=2).map(lambda s: tuple(sorted(s))),
}
any_digest = digests(32) | digests(48)
matches: st.SearchStrategy[Match] = st.one_of(
    st.builds(Match, measurement=any_digest, tee=tee_matches, **_conditions),
    st.builds(
        Match,
        signer=any_digest,
        product_id=st.integers(0, 1),
        minimum_svn=st.integers(0, 2),
        tee=tee_matches,
        **_conditions,
    ),
    st.builds(Match, release=release_matches, tee=tee_matches, **_conditions),
    st.builds(Match, tee=tdx_matches.filter(lambda match: bool(match.mr_td)), **_conditions),
)


def _lists(members: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    several = st.lists(members, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(AnyOf, several), st.builds(AllOf, several))


policies: st.SearchStrategy[Policy] = st.one_of(matches, _lists(matches), _lists(_lists(matches)))


@st.composite
def friendly_matches(draw: st.DrawFn, subject: Subject) -> Match:
    """A match that was written with the subject in mind: about half of them admit it."""
    identity = subject.identity
    kinds = {"sgx": sgx_matches, "tdx": tdx_matches, "snp": snp_matches}
    friend = Match(
        measurement=identity.measurement,
        tcb_statuses=(identity.tcb_status,) if identity.platform != "snp" else ("UpToDate",),
        advisories=identity.advisories,
        grace_s=draw(st.sampled_from([0, 0, 30 * DAY_S])),
        allow_debug=True,
        tee=draw(kinds["snp"] if identity.platform == "snp" else st.none()),
    )
    other = draw(matches)
    names = draw(st.frozensets(st.sampled_from(_CHANGEABLE), max_size=2))
    return replace(friend, **{name: getattr(other, name) for name in names})


_CHANGEABLE = (
    *("tcb_statuses", "advisories", "grace_s", "allow_debug", "platform_ids", "enrolled", "tee"),
)
