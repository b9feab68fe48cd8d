"""Values of every format for property tests: whatever the decoders must accept."""

from hypothesis import strategies as st

from ledger.format import genesis as g
from ledger.format import hygiene as hy
from ledger.format import leaf as lf
from ledger.format import operation as ops
from ledger.format import outcome as outs
from ledger.format import platforms as pl
from ledger.format import query as q
from ledger.format import releases as rel
from ledger.format import terms as tm
from ledger.format import transaction as tx
from ledger.format.names import MAX_NAME_BYTES
from ledger.format.receipt import Opened, Receipt
from ledger.format.sealed import MAX_WRAP_BYTES, SealedHeader, Wrap, encode_coordinates
from ledger.format.trust import MAX_GRACE_S, Party, TrustDocument, encode_trust
from ledger.reason import Reason
from tests.ledger_format import make_vectors as v

u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
versions = st.integers(1, 2**64 - 1)
b16 = st.binary(min_size=16, max_size=16)
b32 = st.binary(min_size=32, max_size=32)
b33 = st.binary(min_size=33, max_size=33)
# built, not filtered: a segment that would be `.` or `..` gets one more letter
_SEGMENTS = st.text("abzAZ09._-", min_size=1, max_size=12).map(
    lambda text: text if text.strip(".") else text + "a"
)
_SHORT = st.lists(_SEGMENTS, min_size=1, max_size=6).map("/".join)
names = _SHORT | _SHORT.map(lambda name: (name + "-" * MAX_NAME_BYTES)[:MAX_NAME_BYTES])

modes = st.integers(0, ops.MAX_MODE)
puts = st.builds(ops.Put, names, names, b16, u32, modes, b32, u32, st.none() | u64, u64)
addresses = st.binary(min_size=20, max_size=20)
platform_ids = (b16 | st.binary(min_size=64, max_size=64)).filter(any)  # a zero id is none
auditors = st.lists(addresses, max_size=4, unique=True).map(lambda many: tuple(sorted(many)))
policies = st.binary(min_size=1, max_size=40) | st.just(b"x" * tm.MAX_TERMS_POLICY_BYTES)
terms = st.builds(tm.CollectionTerms, policies, policies, auditors, u64)
release_names = names.map(lambda name: name[:60].rstrip("/.") + "a")
_parts_of_versions = st.integers(0, 3) | st.integers(0, rel.MAX_VERSION_PART)
release_versions = st.builds(rel.ReleaseVersion, *(_parts_of_versions,) * 3)
_measurements = st.sampled_from(sorted(rel.MEASUREMENT_BYTES.items())).flatmap(
    lambda one: st.builds(
        rel.ReleaseMeasurement, st.just(one[0]), st.binary(min_size=one[1], max_size=one[1])
    )
)
releases = st.builds(
    rel.EnclaveRelease,
    name=release_names,
    version=release_versions,
    measurements=st.lists(_measurements, min_size=1, max_size=4, unique=True).map(
        lambda many: tuple(sorted(many))
    ),
    source_digest=b32,
    notes=st.text(' !"\\;,:~aZ', max_size=30) | st.just("\\" * rel.MAX_NOTES_CHARACTERS),
    auditors=st.lists(addresses, min_size=1, max_size=4, unique=True).map(
        lambda many: tuple(sorted(many))
    ),
)
WIDEST_RELEASE = rel.EnclaveRelease(
    name="n" * rel.MAX_RELEASE_NAME_BYTES,
    version=rel.ReleaseVersion(*(rel.MAX_VERSION_PART,) * 3),
    measurements=tuple(rel.ReleaseMeasurement(3, bytes((n,)) * 48) for n in range(16)),
    source_digest=bytes(32),
    notes="\\" * rel.MAX_NOTES_CHARACTERS,
    auditors=tuple(bytes((n,)) * 20 for n in range(16)),
)
operations = st.one_of(
    puts,
    st.builds(ops.Read, names, names, st.none() | versions),
    st.builds(ops.Delete, names, names, st.none() | u64),
    st.builds(ops.AcquireKey, names),
    st.builds(ops.KeyServiceStart, b32, b32),
    st.builds(tm.CreateCollection, names, terms),
    st.builds(tm.SetPolicy, names, terms),
    st.builds(tm.FreezeCollection, names, st.booleans()),
    st.builds(tm.Destroy, names, names, st.none() | versions),
    st.builds(hy.UpdateCollateral, b32),
    st.builds(hy.RevokeSession, b32, st.just("") | names),
    st.builds(pl.VotePlatform, platform_ids, st.sampled_from(pl.PlatformVote), u64),
    st.builds(rel.PublishRelease, releases),
    st.builds(rel.EndorseRelease, release_names, release_versions, b32),
    st.builds(rel.RevokeRelease, release_names, release_versions),
    st.builds(
        ops.OpenSession,
        session_key=b33,
        kem_key=st.binary(min_size=32, max_size=32).map(lambda seed: (seed * 38)[:1216]),
        evidence_digest=b32,
        service_key=b32,
        trust_digest=b32,
        checkpoint_size=u64,
        checkpoint_root=b32,
    ),
)

_parts = st.just("") | names.map(lambda name: name[:40]) | st.text(" !~aZ/", max_size=200)
_rows = st.integers(1, q.MAX_ROWS)
_indices = st.lists(u64, max_size=6, unique=True).map(lambda many: tuple(sorted(many)))
questions: st.SearchStrategy[q.Question] = st.one_of(
    st.builds(q.ListSecrets, names, _parts, _parts, _rows),
    st.builds(q.ShowHead, names, names),
    st.builds(q.ShowHistory, names, names, u64, _rows),
    st.builds(q.ShowCollection, names),
    st.builds(q.ListCollections, _parts, _rows),
    st.builds(q.OpenEntries, u64, _rows, st.just("") | names, st.just(b"") | b32),
    st.builds(q.OpenEntries, st.just(0), _rows, indices=_indices),
    st.builds(q.ListPlatforms, st.just(b"") | platform_ids, _rows),
    st.builds(q.ListReleases, st.just("") | release_names, st.just(""), _rows),
    st.builds(
        lambda name, version, limit, is_narrow: q.ListReleases(
            name if is_narrow else "", rel.release_title(name, version), limit
        ),
        release_names,
        release_versions,
        _rows,
        st.booleans(),
    ),
)
queries = st.one_of(
    st.builds(q.Query, b32, st.just(tx.SignerKind.SESSION), b32, u64, questions),
    st.builds(q.Query, b32, st.just(tx.SignerKind.ACCOUNT), addresses, u64, questions),
)

coordinates = st.builds(outs.Coordinates, names, names, b16, u32, st.integers(1, 255), b32)
granted = st.builds(
    outs.ReadGranted,
    collection=names,
    name=names,
    version=versions,
    origin=coordinates,
    sealed_digest=b32,
    reader_session=b32,
    identity_digest=b32,
    put_index=u64,
    put_position=st.integers(0, 255),
    reader_epoch=u32,
)
details = st.one_of(
    granted,
    st.builds(outs.PutDone, versions),
    st.builds(outs.Deleted, versions),
    st.tuples(versions, versions).map(lambda two: outs.Destroyed(*sorted(two))),
    st.builds(outs.KeyAcquired, names, u32, b32, b32, u32),
    st.builds(outs.SessionOpened, b32, u64, u32, st.binary(max_size=300)),
    st.builds(outs.CollateralUpdated, st.binary(min_size=1, max_size=512)),
    st.builds(outs.Votes, u32, u32),
)
_plain = [reason for reason in Reason if reason is not Reason.VERSION_CONFLICT]
outcomes = st.one_of(
    st.builds(outs.Outcome, st.just(Reason.OK), details),
    st.builds(outs.Outcome, st.just(Reason.VERSION_CONFLICT), st.builds(outs.Conflict, u64)),
    st.builds(outs.Outcome, st.sampled_from(_plain)),
)


def _body(kind: tx.SignerKind) -> st.SearchStrategy[tx.Body]:
    width = tx.SIGNER_BYTES[kind]
    return st.builds(
        tx.Body,
        network_id=b32,
        signer_kind=st.just(kind),
        signer=st.binary(min_size=width, max_size=width),
        sequence=u64,
        valid_until_ms=u64,
        atomic=st.booleans(),
        operation_digests=st.lists(b32, min_size=1, max_size=6).map(tuple)
        | b32.map(lambda one: (one,) * 256),
    )


bodies = st.sampled_from(tx.SignerKind).flatmap(_body)


@st.composite
def envelopes(draw: st.DrawFn) -> tx.Envelope:
    """Envelopes of arbitrary parts: only the shape is the format's."""
    count = draw(st.integers(1, 5) | st.just(256))
    parts = st.binary(max_size=40)
    if count == 256:
        parts = st.sampled_from([draw(parts), b"x" * 4096])
    operation = draw(st.lists(parts, min_size=count, max_size=count))
    payload = draw(st.lists(st.binary(max_size=3), min_size=count, max_size=count))
    salt = draw(b16)
    salts = tuple((at + salt[0]).to_bytes(2, "big") + salt[2:] for at in range(count))
    signature = draw(st.binary(max_size=65))
    body = draw(st.binary(max_size=80))
    return tx.Envelope(body, signature, tuple(operation), salts, tuple(payload))


leaves = st.one_of(
    st.builds(
        lf.TransactionLeaf,
        height=u64,
        time_ms=u64,
        body=st.binary(max_size=100),
        signature=st.binary(min_size=64, max_size=65),
        outcome_digests=st.lists(b32, min_size=1, max_size=5).map(tuple),
    ),
    st.builds(lf.BlockHeader, u64, u64, st.just(b"") | b32, u64, u32, u32),
    st.builds(lf.GenesisLeaf, b32, u64),
)

headers = st.builds(
    lambda network, at, wraps: SealedHeader(network, at, encode_coordinates(network, at), wraps),
    b32,
    coordinates,
    st.lists(
        st.builds(
            Wrap,
            st.integers(0, 255),
            st.binary(max_size=80) | st.just(bytes(MAX_WRAP_BYTES)),
        ),
        min_size=1,
        max_size=8,
    )
    .filter(lambda wraps: sum(len(one.data) for one in wraps) <= 3500)
    .map(tuple),
)


@st.composite
def trust_documents(draw: st.DrawFn, *, first: bool = False) -> TrustDocument:
    """Trust documents of 1 to 7 cosigners over as many operators or fewer, or fewer witnesses."""
    count = draw(st.integers(1, 7))
    operators = draw(st.lists(st.sampled_from("abcdefg"), min_size=count, max_size=count))
    keys = [v.fixed(f"cosigner {at}") for at in range(count)]
    cosigners = tuple(
        Party(f"core-{at}.example", key, operator)
        for at, (key, operator) in enumerate(zip(keys, operators, strict=True))
    )
    witnesses = tuple(
        Party(f"witness-{at}.example", v.fixed(f"witness {at}"), f"w{at}")
        for at in range(draw(st.integers(0, 3)))
    )
    members = tuple(draw(st.lists(st.binary(min_size=20, max_size=20), max_size=4, unique=True)))
    floor = draw(u32)
    generation = draw(u32)
    version = 1 if first else draw(versions)
    return TrustDocument(
        version=version,
        previous_digest=b"" if version == 1 else draw(b32),
        members=members,
        member_threshold=draw(st.integers(min(1, len(members)), len(members))),
        origin=f"dev.example/{generation}",
        log_generation=generation,
        log_key=v.LOG_KEY.public,
        service_key=draw(b32),
        cosigners=cosigners,
        quorum=draw(st.integers(1, len(set(operators)))),
        witnesses=witnesses,
        witness_quorum=draw(st.integers(0, len(witnesses))),
        core_policy=draw(st.binary(min_size=1, max_size=20)),
        roots=tuple(draw(st.lists(st.binary(max_size=20), min_size=1, max_size=3))),
        tcb_signer_pins=tuple(draw(st.lists(b32, max_size=3))),
        tcb_floor=floor,
        tcb_ceiling=draw(st.just(0) | st.integers(floor, 2**32 - 1)),
        rules_version=draw(st.integers(1, 2**32 - 1)),
        rules_height=draw(u64),
        epoch=draw(st.integers(1, 2**32 - 1)),
        grace_s=draw(st.integers(0, MAX_GRACE_S)),
    )


_ms = st.integers(1000, g.MAX_LIMIT_MS)
limits = st.builds(
    g.Limits,
    session_ms=_ms,
    skew_ms=st.integers(0, g.MAX_LIMIT_MS),
    checkpoint_age_ms=_ms,
    receipt_age_ms=_ms,
    block_interval_ms=st.integers(1, g.MAX_LIMIT_MS),
    value_bytes=st.integers(1, 1024 * 1024),
    denials=st.integers(1, 2**32 - 1),
    owner_collections=u32,
    owner_bytes=u64,
    identity_sessions=st.integers(1, 2**32 - 1),
    owner_releases=st.integers(1, 2**32 - 1),
)
genesis = st.builds(
    g.Genesis,
    name=names,
    profile=st.just(g.Profile.DEVELOPMENT),
    time_ms=st.integers(0, g.MAX_TIME_MS),
    salt=b32,
    trust=trust_documents(first=True).map(encode_trust),
    collateral=st.lists(st.binary(max_size=30), max_size=3).map(tuple),
    limits=limits,
    collections=st.lists(
        st.builds(g.Collection, names, st.binary(max_size=20), st.binary(max_size=20)),
        max_size=3,
        unique_by=lambda one: one.name,
    ).map(tuple),
    auditors=auditors,
    platforms=st.lists(platform_ids, max_size=3, unique=True).map(lambda all_: tuple(sorted(all_))),
)
receipts = st.builds(
    lambda index, hashes, leaf, opened: Receipt(
        index,
        tuple(hashes),
        v.RECEIPT.checkpoint,
        leaf,
        tuple(Opened(at, *parts) for at, parts in sorted(opened.items())),
    ),
    st.integers(0, 2**63 - 2),
    st.lists(b32, max_size=63),
    st.binary(max_size=300),
    st.dictionaries(
        u32, st.tuples(b16, st.binary(max_size=60), st.binary(max_size=60)), min_size=1, max_size=5
    ),
)
