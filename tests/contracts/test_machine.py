"""Random histories of the rules against a model that was written without them.

Several enclaves open sessions, put, read, delete and acquire keys in single and atomic
transactions; accounts make collections, change and freeze them, put, delete and destroy; members
and owners revoke sessions, releases are published, endorsed and revoked, and collateral changes
under all of it. They repeat, withhold and renumber what they signed, while the clock moves. Every
answer must be the model's, and after every step the state holds exactly the versions, marks, terms
and quotas that the model knows, and who may ask what is what the model says. At the end the whole
history is run again over a fresh state.
"""

from dataclasses import dataclass, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from attestation.identity import encode_identity
from attestation.verdict import encode_verdict
from contracts.admission import Moment, is_named
from contracts.asker import AskContext, Asker
from contracts.errors import RefusedError
from contracts.execute import Repeated
from contracts.holdings import decode_collection, decode_owner
from contracts.versions import decode_head, decode_version
from ledger import keys
from ledger.format.hygiene import RevokeSession
from ledger.format.operation import Delete, Put, Read
from ledger.format.outcome import (
    Conflict,
    Deleted,
    Destroyed,
    KeyAcquired,
    Outcome,
    PutDone,
    ReadGranted,
    SessionOpened,
    Votes,
)
from ledger.format.platforms import PlatformVote, VotePlatform
from ledger.format.query import Query, ShowHead
from ledger.format.releases import (
    EndorseRelease,
    PublishRelease,
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
from ledger.format.transaction import SignerKind
from ledger.reason import Reason
from tests.support.hygiene_model import Answer
from tests.support.refusals import refuses
from tests.support.rules_model import Asked, Session, Step, Value
from tests.support.rules_world import (
    AUDITORS,
    EDITIONS,
    EVERYBODY,
    IDENTITIES,
    LIFETIMES_MS,
    MACHINES,
    MEANINGS,
    MINUTE_MS,
    NAMES,
    OWNED,
    OWNERS,
    RIGHTS,
    STEPS,
    TERMS,
    VERSIONS_OF_FNS,
    genesis,
    model,
    release_of,
)
from tests.support.small_hygiene import Edition, bring
from tests.support.small_rules import (
    Enclave,
    Signer,
    SmallRules,
    Terms,
    account,
    core_signer,
    digests,
    new_session,
    put_of,
    replayed,
)


@dataclass
class Client:
    """An enclave with an open session, or an account, as machine and model know it."""

    enclave: Enclave | None
    signer: Signer
    session: Session
    opening: bytes = b""
    opened_at: int = 0


@dataclass
class Held:
    """A signed transaction that may be sent at any time, also again."""

    envelope: bytes
    asked: Asked


def seen(outcome: Outcome) -> Answer:
    """An outcome in the model's words."""
    name = outcome.reason.name
    match outcome.detail:
        case None:
            return (name,)
        case PutDone(version):
            return (name, "put", version)
        case Deleted(version):
            return (name, "deleted", version)
        case Destroyed(first, last):
            return (name, "destroyed", first, last)
        case Conflict(version):
            return (name, version)
        case Votes(cast, needed):
            return (name, "votes", cast, needed)
        case KeyAcquired(place, epoch=1, session_id=session_id, session_epoch=1):
            return (name, "key", place, session_id)
        case ReadGranted() as read:
            origin = read.origin
            assert (origin.collection, origin.name) == (read.collection, read.name)
            is_owners = origin.writer_session.startswith(bytes(12))
            assert (origin.epoch, origin.mode, read.reader_epoch) == (1, 1 + is_owners, 1)
            value = (
                read.sealed_digest,
                origin.record_id,
                read.put_index,
                read.put_position,
                origin.writer_session,
            )
            at = (read.collection, read.name)
            return (name, "read", *at, read.version, value, read.reader_session)
        case _:
            raise AssertionError(f"nobody asked for {outcome}")


def told(answer: object) -> object:
    """A model's answer as an outcome can show it: size and end of a value are not in it."""
    if not isinstance(answer, tuple):
        return answer
    return tuple(
        (one.digest, one.record_id, one.entry, one.position, one.writer)
        if isinstance(one, Value)
        else told(one)
        for one in answer
    )


class RulesMachine(RuleBasedStateMachine):
    """The rules and the model, side by side."""

    clients = Bundle("clients")
    owners = Bundle("owners")
    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.net = SmallRules(genesis())
        self.model = model()
        self.core = core_signer()
        self.accounts: dict[str, Client] = {}
        self.tags = 0

    # ------------------------------------------------------------------- sessions

    @initialize(target=clients)
    def first_sessions(self) -> object:
        """Three enclaves that can do something are there from the start."""
        return multiple(*(self.attest(who) for who in ("alpha", "beta", "svn 3")))

    @initialize(targets=(clients, owners))
    def first_owners(self) -> object:
        """Two accounts are there, each with a collection."""
        made = []
        for who, place, terms in zip(OWNERS, OWNED, MEANINGS, strict=False):
            signer = account(who)
            session = Session(bytes(12) + signer.name, who, 2**64, is_account=True)
            client = self.accounts[who] = Client(None, signer, session)
            self.transact(client, (CreateCollection(place, terms),))
            made.append(client)
        return multiple(*made)

    @initialize(target=clients)
    def first_members(self) -> object:
        """Two members are there who own nothing."""
        for who in AUDITORS:
            signer = account(who)
            session = Session(bytes(12) + signer.name, who, 2**64, is_account=True)
            self.accounts[who] = Client(None, signer, session)
        return multiple(*(self.accounts[who] for who in AUDITORS))

    @rule(target=clients, who=st.sampled_from(list(IDENTITIES)))
    def open(self, who: str) -> object:
        """An enclave attests; who is in no policy is refused."""
        client = self.attest(who)
        return multiple() if client is None else client

    def attest(self, who: str) -> Client | None:
        """Open a session if the model says so."""
        net, enclave = self.net, Enclave(who)
        operation = net.opening(enclave)
        verdict = encode_verdict(net.verdict(IDENTITIES[who], operation))
        envelope, index = net.envelope(new_session(enclave), operation), net.size
        why = self.model.why_not_open(who, net.time_ms)
        if why:
            with refuses(Reason[why]):
                net.do(envelope, verdict)
            return None
        detail = net.executed(envelope, verdict).outcomes[0].detail
        assert isinstance(detail, SessionOpened)
        assert detail.expires_ms == net.time_ms + 20 * MINUTE_MS
        signer = Signer(SignerKind.SESSION, detail.session_id, enclave.key.sign)
        session = Session(detail.session_id, who, detail.expires_ms)
        self.model.opened(session)
        return Client(enclave, signer, session, envelope, index)

    @rule(client=clients)
    def open_again(self, client: Client) -> None:
        """The same OpenSession again is answered by its entry."""
        if client.enclave is not None:
            assert self.net.do(client.opening) == Repeated(client.opened_at)

    @rule(client=clients)
    def open_with_another_kem_key(self, client: Client) -> None:
        """A session key opens one session only."""
        if client.enclave is None:
            return
        enclave = replace(client.enclave, kem_key=b"\1" * 1216)
        operation = self.net.opening(enclave)
        verdict = encode_verdict(self.net.verdict(IDENTITIES[client.session.who], operation))
        with refuses(Reason.SESSION_KEY_REUSED):
            self.net.do(self.net.envelope(new_session(enclave), operation), verdict)

    # ------------------------------------------------------------------- collateral

    @rule(edition=EDITIONS, lasts_ms=st.sampled_from([MINUTE_MS, 10**9, 10**9]))
    def bring(self, edition: Edition, lasts_ms: int) -> None:
        """New collateral comes; who was judged by the old one meanwhile has to be judged again."""
        net, hygiene = self.net, self.model.hygiene
        enclave = Enclave("alpha")
        operation = net.opening(enclave)
        verdict = encode_verdict(net.verdict(IDENTITIES["alpha"], operation))
        hygiene.ends_s = (net.time_ms + lasts_ms) // 1000
        says = edition.says and f"{edition.says} {net.size}"
        bring(net, self.core, replace(edition, says=says, valid_until_s=hygiene.ends_s))
        hygiene.generation += bool(edition.says) or edition.number_up > 0
        with refuses(Reason.EVIDENCE_UNDECIDED):
            net.do(net.envelope(new_session(enclave), operation), verdict)

    # --------------------------------------------------------------- transactions

    def signed(self, client: Client, terms: Terms, steps: tuple[Step, ...]) -> Held:
        """Sign these operations, under these terms."""
        number, until_ms = terms.sequence, terms.valid_until_ms
        assert number is not None
        assert until_ms is not None
        client.signer.sequence = max(client.signer.sequence, number + 1)
        if client.session.is_account:
            steps = tuple(map(_as_account, steps))
        envelope = self.net.envelope(client.signer, *steps, terms=terms)
        self.tags += 1
        asked = Asked(client.session, self.tags, number, until_ms, terms.atomic, steps)
        return Held(envelope, asked)

    def send(self, one: Held) -> None:
        """Send it to the rules and to the model: the answers must be the same."""
        expected = self.model.ask(one.asked, self.net.time_ms, self.net.size)
        try:
            done = self.net.do(one.envelope)
        except RefusedError as error:
            answer: Answer = ("refused", error.reason.name)
        else:
            if isinstance(done, Repeated):
                answer = ("again", done.index)
            else:
                answer = ("entry", *map(seen, done.outcomes))
        assert answer == told(expected), f"{one.asked}"

    def transact(
        self, client: Client, steps: tuple[Step, ...], skipped: int = 0, *, atomic: bool = False
    ) -> Held:
        """Sign under the next number or some numbers later, and send."""
        until_ms = self.net.time_ms + MINUTE_MS
        terms = Terms(client.signer.sequence + skipped, until_ms, atomic)
        one = self.signed(client, terms, steps)
        self.send(one)
        return one

    @rule(target=held, client=clients, steps=st.lists(STEPS, min_size=1, max_size=8).map(tuple))
    def submit(self, client: Client, steps: tuple[Step, ...]) -> Held:
        """A transaction as clients usually make it."""
        return self.transact(client, steps)

    @rule(
        target=held,
        client=clients,
        others=st.lists(clients, min_size=1, max_size=3),
        place=st.sampled_from(["", "", "own/1", "own/1", "own/2", "shared"]),
        later=st.lists(STEPS, max_size=2).map(tuple),
        atomic=st.booleans(),
    )
    def revoke(
        self,
        client: Client,
        others: list[Client],
        place: str,
        later: tuple[Step, ...],
        atomic: bool,
    ) -> Held:
        """Somebody revokes some sessions, for a collection or for everything; they try to go on."""
        steps = tuple(RevokeSession(one.session.id, place) for one in others)
        held = self.transact(client, (*steps, *later), atomic=atomic)
        where = place or "own/1"
        for one in others:
            self.transact(one, (put_of(where, "x"), Read(where, "x")) * 6)
        return held

    @rule(owner=owners, one=clients, other=clients)
    def part(self, owner: Client, one: Client, other: Client) -> None:
        """An owner admits everybody and revokes one session, which tries until it is closed."""
        place = OWNED[OWNERS.index(owner.session.who)]
        thaw = FreezeCollection(place, frozen=False)
        steps = (SetPolicy(place, EVERYBODY), thaw, RevokeSession(one.session.id, place))
        self.transact(owner, steps)
        for client in (one, other):
            self.transact(client, (put_of(place, "x"), Read(place, "x")) * 6)

    @rule(one=clients, signer=st.sampled_from(AUDITORS), name=NAMES)
    def vote(self, one: Client, signer: str, name: str) -> None:
        """All but one member vote; then the last does, while the session's put is on its way."""
        until_ms = self.net.time_ms + MINUTE_MS
        terms = Terms(one.signer.sequence, until_ms)
        flying = self.signed(one, terms, (put_of("shared", name),))
        for who in (*OWNERS[:1], signer):
            self.transact(self.accounts[who], (RevokeSession(one.session.id, ""),))
        self.send(flying)

    @rule(
        target=held,
        client=owners,
        endorser=st.sampled_from(AUDITORS),
        version=st.sampled_from(VERSIONS_OF_FNS),
        is_revoked=st.booleans(),
    )
    def release(
        self, client: Client, endorser: str, version: ReleaseVersion, is_revoked: bool
    ) -> Held:
        """A release lets the stranger in, and perhaps out again while he puts."""
        digest = release_digest(encode_release(release_of(version)))
        place = OWNED[OWNERS.index(client.session.who)]
        terms = next(one for one, rights in MEANINGS.items() if rights.released)
        self.transact(client, (PublishRelease(release_of(version)), SetPolicy(place, terms)))
        self.transact(self.accounts[endorser], (EndorseRelease("fns", version, digest),))
        stranger = self.attest("stranger")
        if is_revoked:
            self.transact(client, (RevokeRelease("fns", version),))
        if stranger is not None:
            self.transact(stranger, (put_of(place, "x"), Read(place, "x")))
        return self.transact(client, (Destroy(place, "x"),))

    def ballot(self, vote: PlatformVote) -> VotePlatform:
        """A vote on the machine as it is now."""
        since = self.model.hygiene.said.changes.get(MACHINES[0], 0)
        return VotePlatform(MACHINES[0], vote, since)

    @rule(target=held, client=owners, signer=st.sampled_from(AUDITORS), is_removed=st.booleans())
    def enrol(self, client: Client, signer: str, is_removed: bool) -> Held:
        """Members enrol a machine, which lets its guest in, and perhaps out again while he puts."""
        place = OWNED[OWNERS.index(client.session.who)]
        terms = next(one for one, rights in MEANINGS.items() if rights.enrolled)
        held = self.transact(client, (SetPolicy(place, terms),))
        voters = (self.accounts["olga"], self.accounts[signer])
        for voter in voters:
            self.transact(voter, (self.ballot(PlatformVote.ENROL),))
        guest = self.attest("guest")
        if is_removed:
            for voter in voters:
                self.transact(voter, (self.ballot(PlatformVote.REMOVE),))
        if guest is not None:
            self.transact(guest, (put_of(place, "x"), Read(place, "x")))
        return held

    @rule(target=held, client=owners, place=st.sampled_from(OWNED), terms=TERMS, name=NAMES)
    def own(self, client: Client, place: str, terms: CollectionTerms, name: str) -> Held:
        """A collection is made, or has new terms, and values in it are put and one destroyed."""
        puts = (put_of(place, name, sealed_digest=bytes((n,)) * 32) for n in range(3))
        make: tuple[Step, ...] = (CreateCollection(place, terms), SetPolicy(place, terms))
        return self.transact(client, (*make, *puts, Destroy(place, name, 2), Read(place, name)))

    @rule(
        target=held,
        client=owners,
        place=st.sampled_from(OWNED),
        name=NAMES,
        is_all=st.booleans(),
        frozen=st.booleans(),
    )
    def clear(self, client: Client, place: str, name: str, is_all: bool, frozen: bool) -> Held:
        """An owner freezes or thaws, destroys what there is, and puts again."""
        destroy = Destroy(place, name, None if is_all else 1)
        steps = (FreezeCollection(place, frozen), destroy, destroy, put_of(place, name), destroy)
        return self.transact(client, steps)

    @rule(
        client=clients,
        owner=owners,
        name=NAMES,
        ttl_ms=st.sampled_from([0, 999, 1_000]),
        number=st.none() | st.integers(1, 3),
        step_ms=st.sampled_from([0, 1, 999, 1_000]),
    )
    def look(
        self,
        client: Client,
        owner: Client,
        name: str,
        ttl_ms: int,
        number: int | None,
        step_ms: int,
    ) -> None:
        """An owner admits everybody, puts, perhaps destroys; somebody reads all there is later."""
        place = OWNED[OWNERS.index(owner.session.who)]
        puts = (put_of(place, name, sealed_digest=bytes((n,)) * 32, ttl_ms=ttl_ms) for n in (1, 2))
        thaw = FreezeCollection(place, frozen=False)
        steps: tuple[Step, ...] = (SetPolicy(place, EVERYBODY), thaw, *puts)
        steps = (*steps, Destroy(place, name, number))
        self.transact(owner, steps[: len(steps) - (step_ms == 0)])
        self.net.end_block(step_ms)
        self.transact(client, tuple(Read(place, name, n) for n in (None, 1, 2, 3, 4)))

    @rule(target=held, client=clients, place=st.sampled_from([*RIGHTS, *OWNED]), name=NAMES)
    def fill(self, client: Client, place: str, name: str) -> Held:
        """Some versions of a name, and two of them read."""
        puts = (put_of(place, name, sealed_digest=bytes((n,)) * 32) for n in range(3))
        return self.transact(client, (*puts, Read(place, name), Read(place, name, 1)))

    @rule(
        target=held,
        client=clients,
        place=st.sampled_from([*RIGHTS, *OWNED]),
        name=NAMES,
        later=st.lists(STEPS, max_size=3).map(tuple),
    )
    def end(self, client: Client, place: str, name: str, later: tuple[Step, ...]) -> Held:
        """A name ends, is looked for, and perhaps is put again."""
        again = (Read(place, name), Read(place, name, 1), put_of(place, name, if_version=0))
        return self.transact(client, (Delete(place, name), *again, *later))

    @rule(
        target=held,
        client=clients,
        steps=st.lists(STEPS, min_size=1, max_size=4).map(tuple),
        atomic=st.booleans(),
        skipped=st.sampled_from([0, 0, 0, 1, 5, 1_023, 1_024, 1_030]),
    )
    def submit_later(
        self, client: Client, steps: tuple[Step, ...], atomic: bool, skipped: int
    ) -> Held:
        """A transaction, perhaps atomic, under the next number or some numbers later."""
        return self.transact(client, steps, skipped, atomic=atomic)

    @rule(
        target=held,
        client=clients,
        steps=st.lists(STEPS, min_size=1, max_size=4).map(tuple),
        back=st.integers(0, 1_100) | st.integers(0, 3),
        lifetime_ms=LIFETIMES_MS,
    )
    def submit_odd(
        self, client: Client, steps: tuple[Step, ...], back: int, lifetime_ms: int
    ) -> Held:
        """A transaction under a number that may have run, or been skipped, and any lifetime."""
        number = max(0, client.signer.sequence - back)
        until_ms = self.net.time_ms + lifetime_ms
        one = self.signed(client, Terms(number, until_ms), steps)
        self.send(one)
        return one

    @rule(
        target=held,
        client=clients,
        beside=st.integers(-1, 2),
        place=st.sampled_from(["shared", "team/a"]),
    )
    def at_the_edge(self, client: Client, beside: int, place: str) -> Held:
        """A transaction at the lower edge of the window, after one far ahead if there is none."""
        if client.session.newest < 1_025:
            self.transact(client, (Read(place, "x"),), 1_025)
        number = max(0, client.session.newest - 1_024 + beside)
        until_ms = self.net.time_ms + MINUTE_MS
        one = self.signed(client, Terms(number, until_ms), (put_of(place, "x"),))
        self.send(one)
        return one

    @rule(
        target=held,
        client=clients,
        steps=st.lists(STEPS, min_size=1, max_size=4).map(tuple),
        lifetime_ms=LIFETIMES_MS,
    )
    def hold(self, client: Client, steps: tuple[Step, ...], lifetime_ms: int) -> Held:
        """A transaction that is signed now and sent later, or never."""
        until_ms = self.net.time_ms + lifetime_ms
        return self.signed(client, Terms(client.signer.sequence, until_ms), steps)

    @rule(target=held, client=clients, steps=st.lists(STEPS, min_size=1, max_size=2).map(tuple))
    def withhold(self, client: Client, steps: tuple[Step, ...]) -> Held:
        """A transaction that a relay keeps until it is late by a hair, or just not."""
        until_ms = self.net.time_ms + 1_000
        late, early = (
            self.signed(client, Terms(client.signer.sequence, until_ms + more), steps)
            for more in (0, 1)
        )
        self.net.end_block(1_000)
        self.send(late)
        self.send(early)
        return late

    @rule(one=held, times=st.integers(1, 2))
    def send_held(self, one: Held, times: int) -> None:
        """What was signed before is sent, for the first time or again."""
        for _ in range(times):
            self.send(one)

    @rule(one=consumes(held), other=clients)
    def forge(self, one: Held, other: Client) -> None:
        """What one session asked, signed by another one's key, is no transaction of the first."""
        asked = one.asked
        if other.session is asked.session or other.session.is_account != asked.session.is_account:
            return
        is_account = asked.session.is_account
        kind = SignerKind.ACCOUNT if is_account else SignerKind.SESSION
        named = asked.session.id[12:] if is_account else asked.session.id
        forged = Signer(kind, named, other.signer.sign)
        terms = Terms(asked.number, asked.until_ms, asked.atomic)
        with refuses(Reason.BAD_SIGNATURE):
            self.net.do(self.net.envelope(forged, *asked.steps, terms=terms))

    # -------------------------------------------------------------------- the clock

    @rule(step_ms=st.sampled_from([0, 0, 999, 1_000, MINUTE_MS, 10 * MINUTE_MS, 20 * MINUTE_MS]))
    def end_block(self, step_ms: int) -> None:
        """The block ends; the next one may be much later."""
        self.net.end_block(step_ms)
        if step_ms >= MINUTE_MS:  # so that the newest checkpoint is fresh again
            self.net.end_block(0)

    # --------------------------------------------------------------- what must hold

    @invariant()
    def questions_follow_the_same_rules(self) -> None:
        """A session may ask exactly where it may act, and not at all when it is over."""
        net, model = self.net, self.model
        context = AskContext(net.network_id, net.parameters, net.time_ms)
        for session in model.sessions:
            kind = SignerKind.SESSION
            query = Query(net.network_id, kind, session.id, net.time_ms, ShowHead("x", "x"))
            why = model.why_over(session, net.time_ms)
            if why:
                with refuses(Reason[why]):
                    Asker.of(query, context, net.state)
                continue
            asker = Asker.of(query, context, net.state)
            for place in (*RIGHTS, *OWNED, "nowhere"):
                assert asker.may_ask(place) == model.may_ask(session, place), (session, place)

    @invariant()
    def versions_are_complete(self) -> None:
        """Every value that a put stored has its record, deleted ones too, and there is no other."""
        rows = self.net.state.rows
        expected: dict[bytes, bytes] = {}
        for (place, name), secret in self.model.secrets.items():
            for number, value in enumerate(secret.values, 1):
                if number == len(secret.values):
                    key = keys.head_of(place, name)
                    head = decode_head(rows[key])
                    assert (head.current, head.deleted_through) == (secret.current, secret.deleted)
                    version = head.version
                else:
                    key = keys.version_of(place, name, number)
                    version = decode_version(rows[key])
                expected[key] = value.digest
                assert (version.number, version.sealed_digest) == (number, value.digest)
                assert version.is_destroyed == (number in secret.destroyed)
                assert (version.size, version.expires_ms) == (value.size, value.expires_ms)
                assert (version.index, version.position) == (value.entry, value.position)
        assert {key for key in rows if key.startswith((b"sH", b"sV"))} == set(expected)

    @invariant()
    def marks_are_complete(self) -> None:
        """Every granted read, deletion and denied operation on a name is marked, nothing else."""
        rows = self.net.state.rows
        marks = {
            keys.touch(place, name, entry, position): bytes((Reason[reason],))
            for place, name, entry, position, reason in self.model.marks
        }
        assert {k: v for k, v in rows.items() if k.startswith(keys.TOUCH)} == marks

    @invariant()
    def owners_are_complete(self) -> None:
        """Terms, quotas and the files of policies are what the model says, payloads are gone."""
        rows, model = self.net.state.rows, self.model
        places = {keys.name_of_collection(key) for key in rows if key.startswith(b"sC")}
        assert places == set(model.rights)
        names = {account(who).name: who for who in (*OWNERS, *AUDITORS)} | {b"": ""}
        for place, rights in model.rights.items():
            record = decode_collection(rows[keys.collection(place)])
            assert names[record.owner] == rights.owner
            assert (record.is_frozen, record.terms.ttl_ms) == (rights.frozen, rights.ttl_ms)
        for address, who in names.items():
            held = decode_owner(self.net.state.get(keys.owner(address)))
            if who:
                assert (held.collections, held.stored_bytes) == (
                    len(model.owned(who)),
                    model.used(who),
                )
        for who, identity in IDENTITIES.items():
            moment = Moment(is_development=True, time_ms=self.net.time_ms)
            is_open = is_named(self.net.state, encode_identity(identity), moment)
            assert is_open == model.may_open(who), who
        gone = {
            keys.payload(secret.values[number - 1].entry, secret.values[number - 1].position)
            for secret in model.secrets.values()
            for number in secret.destroyed
        }
        assert set(self.net.state.erased) == gone

    def teardown(self) -> None:
        """The history runs to the same bytes over a fresh state."""
        again = replayed(self.net.genesis, self.net.events)
        assert digests(again) == digests(self.net)
        assert again.state.rows == self.net.state.rows


def _as_account(step: Step) -> Step:
    """What a session puts under its own key, an account seals to the public one, and vice versa."""
    if isinstance(step, Put) and step.mode in (1, 2):
        return replace(step, mode=3 - step.mode)
    return step


RulesMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestRules = pytest.mark.slow(RulesMachine.TestCase)
