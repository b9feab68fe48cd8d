"""The world of the rules' state machine: who there is, and what policies mean, said by hand.

Enclaves, collections of genesis, what owners say, who votes and endorses, and the steps that
transactions are made of. Nothing of the rules is used here.
"""

from dataclasses import replace

from hypothesis import strategies as st

from attestation.identity import Identity
from attestation.policy import AllOf, AnyOf, Match, ReleaseMatch, encode_policy
from ledger.format.genesis import Limits
from ledger.format.hygiene import RevokeSession, UpdateCollateral
from ledger.format.operation import AcquireKey, Delete, KeyServiceStart, Read
from ledger.format.platforms import PlatformVote, VotePlatform
from ledger.format.releases import (
    EnclaveRelease,
    EndorseRelease,
    PublishRelease,
    ReleaseMeasurement,
    ReleaseVersion,
    RevokeRelease,
    encode_release,
    release_digest,
)
from ledger.format.terms import (
    CollectionTerms,
    CreateCollection,
    Destroy,
    FreezeCollection,
    SetPolicy,
)
from tests.support import rules_model
from tests.support.hygiene_model import Hygiene
from tests.support.rules_model import Model, Rights, Step
from tests.support.small_hygiene import Edition
from tests.support.small_rules import (
    SERVICE_KEY,
    account,
    collection,
    genesis_bytes,
    identity_of,
    policy_of,
    put_of,
    trust_document,
)

MINUTE_MS = 60_000
LIMITS = Limits(
    session_ms=20 * MINUTE_MS,
    skew_ms=1_000,
    denials=20,
    value_bytes=1_000,
    owner_collections=2,
    owner_bytes=2_000,
    identity_sessions=3,
)
WEEK_MS = 7 * 24 * 60 * MINUTE_MS
SIGNER = b"s" * 32

MACHINES = (b"m" * 16, b"c" * 64)

# The enclaves, and what the policies below mean for them, said by hand.
IDENTITIES: dict[str, Identity] = {
    "alpha": identity_of("alpha"),
    "beta": identity_of("beta"),
    "svn 2": identity_of("gamma", signer=SIGNER, product_id=7, svn=2),
    "svn 3": identity_of("delta", signer=SIGNER, product_id=7, svn=3),
    "other product": identity_of("gamma", signer=SIGNER, product_id=8, svn=9),
    "debug alpha": identity_of("alpha", debug=True),
    "stranger": identity_of("stranger"),
    "guest": identity_of("guest", platform_id=MACHINES[0]),
}
SVN_2 = Match(signer=SIGNER, product_id=7, minimum_svn=2)
SVN_3 = replace(SVN_2, minimum_svn=3)
BETA = Match(measurement=identity_of("beta").measurement)
COLLECTIONS = (
    collection("shared", policy_of("alpha", "beta"), policy_of("alpha")),
    collection("team/a", policy_of("alpha"), policy_of("alpha", "beta")),
    collection("signed", encode_policy(AnyOf((BETA, SVN_2))), encode_policy(AllOf((SVN_2, SVN_3)))),
)
RIGHTS = {
    "shared": Rights(frozenset({"alpha", "beta"}), frozenset({"alpha"})),
    "team/a": Rights(frozenset({"alpha"}), frozenset({"alpha", "beta"})),
    "signed": Rights(frozenset({"beta", "svn 2", "svn 3"}), frozenset({"svn 3"})),
}

# What owners say, and what it means, said by hand.
MEANINGS = {
    CollectionTerms(policy_of("alpha"), policy_of("beta")): Rights(
        frozenset({"alpha"}), frozenset({"beta"})
    ),
    CollectionTerms(policy_of("alpha", "stranger"), policy_of("alpha"), ttl_ms=MINUTE_MS): Rights(
        frozenset({"alpha", "stranger"}), frozenset({"alpha"}), MINUTE_MS
    ),
    CollectionTerms(encode_policy(SVN_2), encode_policy(AnyOf((BETA, SVN_3))), ttl_ms=999): Rights(
        frozenset({"svn 2", "svn 3"}), frozenset({"beta", "svn 3"}), 999
    ),
}
EVERYBODY = CollectionTerms(
    policy_of("alpha", "beta", "gamma", "delta", "stranger"), policy_of("alpha")
)
MEANINGS[EVERYBODY] = Rights(
    frozenset({"alpha", "beta", "svn 2", "svn 3", "other product", "stranger"}),
    frozenset({"alpha"}),
)

# Who votes and endorses: olga owns collections too, mia and max own nothing.
MEMBERS = ("max", "mia", "olga")
AUDITORS = ("max", "mia")
NEEDED = 2
MINIMUM = ReleaseVersion(1, 2, 0)
VERSIONS_OF_FNS = (ReleaseVersion(1, 1, 0), MINIMUM, ReleaseVersion(1, 3, 0))


def addresses(names: tuple[str, ...]) -> tuple[bytes, ...]:
    """The addresses of these accounts, in order."""
    return tuple(sorted(account(name).name for name in names))


def release_of(version: ReleaseVersion) -> EnclaveRelease:
    """A version of the one program that is released: what the stranger runs."""
    measured = (ReleaseMeasurement(1, IDENTITIES["stranger"].measurement),)
    return EnclaveRelease("fns", version, measured, bytes(32), "", addresses(AUDITORS))


RELEASED = encode_policy(
    AnyOf(
        (
            BETA,
            Match(
                release=ReleaseMatch(
                    name="fns",
                    minimum=(MINIMUM.major, MINIMUM.minor, MINIMUM.patch),
                    auditors=addresses(AUDITORS),
                    threshold=1,
                )
            ),
        )
    )
)
MEANINGS[CollectionTerms(RELEASED, RELEASED)] = Rights(
    frozenset({"beta"}), frozenset({"beta"}), released=frozenset({"stranger"})
)

ENROLLED = encode_policy(
    AnyOf((BETA, Match(measurement=IDENTITIES["guest"].measurement, enrolled=True)))
)
MEANINGS[CollectionTerms(ENROLLED, ENROLLED)] = Rights(
    frozenset({"beta"}), frozenset({"beta"}), enrolled=frozenset({"guest"})
)

OWNED = ("own/1", "own/2", "own/3")
OWNERS = ("olga", "otto")

PLACES = st.sampled_from([*RIGHTS, *RIGHTS, *OWNED, *OWNED, "nowhere"])
TERMS = st.sampled_from(list(MEANINGS))
NAMES = st.sampled_from(["x", "y", "x/y"])
VERSIONS = st.none() | st.integers(1, 4)
IF_VERSIONS = st.none() | st.none() | st.integers(0, 3)
DIGESTS = st.integers(0, 255).map(lambda byte: bytes((byte,)) * 32)
TTLS = st.sampled_from([0, 0, 0, 500, 2 * MINUTE_MS])
PUTS = st.builds(
    lambda place, name, digest, if_version, ttl_ms: put_of(
        *(place, name),
        sealed_digest=digest,
        record_id=digest[:16],
        if_version=if_version,
        ttl_ms=ttl_ms,
    ),
    *(PLACES, NAMES, DIGESTS, IF_VERSIONS, TTLS),
)
ODD_PUTS = st.builds(
    lambda put, changes: replace(put, **changes),
    PUTS,
    st.sampled_from([{"mode": 2}, {"size": 15}, {"size": 1_017}, {"size": 1_016}, {"epoch": 2}]),
)
ON_RELEASES = st.one_of(
    st.sampled_from(VERSIONS_OF_FNS).map(lambda version: PublishRelease(release_of(version))),
    st.sampled_from(VERSIONS_OF_FNS).map(
        lambda version: EndorseRelease(
            "fns", version, release_digest(encode_release(release_of(version)))
        )
    ),
    st.sampled_from(VERSIONS_OF_FNS).map(lambda version: RevokeRelease("fns", version)),
)
ON_PLATFORMS = st.builds(
    VotePlatform,
    st.sampled_from(MACHINES),
    st.sampled_from(PlatformVote),
    st.sampled_from([0, 0, 0, 7]),
)
STEPS: st.SearchStrategy[Step] = st.one_of(
    PUTS,
    PUTS,
    st.builds(Read, PLACES, NAMES, VERSIONS),
    st.builds(Read, PLACES, NAMES),
    st.builds(Delete, PLACES, NAMES, IF_VERSIONS),
    st.builds(AcquireKey, PLACES),
    ODD_PUTS,
    st.sampled_from(
        [b"\xff", b"", KeyServiceStart(bytes(32), SERVICE_KEY), UpdateCollateral(bytes(32))]
    ),
    ON_RELEASES,
    ON_PLATFORMS,
    st.builds(RevokeSession, st.just(bytes(32)), st.just("") | PLACES),
    st.builds(Destroy, PLACES, NAMES, VERSIONS),
    st.builds(CreateCollection, st.sampled_from([*OWNED, "shared"]), TERMS),
    st.builds(SetPolicy, PLACES, TERMS),
    st.builds(FreezeCollection, PLACES, st.sampled_from([True, False, False])),
)
LIFETIMES_MS = st.sampled_from(
    [1, 1_000, MINUTE_MS, MINUTE_MS, 601_000, 601_001, WEEK_MS + 1_000, WEEK_MS + 1_001]
)
EDITIONS = st.sampled_from(
    [
        Edition(),
        Edition(later_s=0, number_up=1),
        Edition(list_up=1),
        Edition(says="another level"),
        Edition(says="one more serial", number_up=1, list_up=1),
    ]
)


def genesis() -> bytes:
    """Genesis of this world."""
    trust = trust_document(members=addresses(MEMBERS), member_threshold=NEEDED)
    return genesis_bytes(COLLECTIONS, LIMITS, trust=trust)


def model() -> Model:
    """What the model knows of this world at its start."""
    limits = rules_model.Limits(20 * MINUTE_MS, 1_000, 20, 1_000, 2, 2_000, 3)
    hygiene = Hygiene(frozenset(MEMBERS), NEEDED, frozenset(AUDITORS), MINIMUM, MACHINES[0])
    return Model(RIGHTS, limits, MEANINGS, hygiene)
