"""What the ledger should answer, written a second time as plainly as possible.

Nothing of the rules, of policies or of state records is used here: who may do what is a table,
secrets are lists, undoing is a copy. Operations come as the ledger's own data classes; answers are
tuples of words and numbers.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace

from ledger.format.hygiene import RevokeSession, UpdateCollateral
from ledger.format.operation import (
    AcquireKey,
    Delete,
    KeyServiceStart,
    OpenSession,
    Operation,
    Put,
    Read,
)
from ledger.format.platforms import VotePlatform
from ledger.format.releases import EndorseRelease, PublishRelease, RevokeRelease
from ledger.format.terms import (
    CollectionTerms,
    CreateCollection,
    Destroy,
    FreezeCollection,
    SetPolicy,
)
from tests.support.hygiene_model import Answer, Hygiene

Step = Operation | bytes  # bytes: an operation that does not decode
OfHygiene = RevokeSession | PublishRelease | EndorseRelease | RevokeRelease | VotePlatform
Managed = Put | Read | Delete | Destroy | AcquireKey | SetPolicy | FreezeCollection


@dataclass(frozen=True)
class Rights:
    """Who reads and who writes a collection, how long values live, who owns it."""

    readers: frozenset[str]
    writers: frozenset[str]
    ttl_ms: int = 0
    owner: str = ""
    frozen: bool = False
    released: frozenset[str] = frozenset()  # read and write while there is such a release
    enrolled: frozenset[str] = frozenset()  # read and write while their machine is enrolled


@dataclass(frozen=True)
class Limits:
    """What genesis allows."""

    session_ms: int
    skew_ms: int
    denials: int
    value_bytes: int
    owner_collections: int
    owner_bytes: int
    identity_sessions: int


@dataclass
class Session:
    """A session or an account: who it is, until when, and what it did."""

    id: bytes  # as a value names its writer
    who: str
    expires_ms: int
    is_account: bool = False
    generation: int = 0  # of the collateral that it was judged by
    denials: int = 0
    is_over: bool = False  # it ended itself
    ran: dict[int, tuple[int, int]] = field(default_factory=dict)  # number: (transaction, entry)

    @property
    def newest(self) -> int:
        """The highest number that ran."""
        return max(self.ran, default=0)


@dataclass(frozen=True)
class Value:
    """What one put stored."""

    digest: bytes
    record_id: bytes
    entry: int
    position: int
    writer: bytes
    size: int
    expires_ms: int


@dataclass
class Secret:
    """All values that a name ever had, how many are deleted, which are destroyed."""

    values: list[Value] = field(default_factory=list)
    deleted: int = 0
    destroyed: set[int] = field(default_factory=set)
    swept: int = 0  # up to here, by a Destroy without a version

    @property
    def current(self) -> int:
        """The number of the current version, 0 if there is none."""
        return len(self.values) if len(self.values) > self.deleted else 0


@dataclass(frozen=True)
class Asked:
    """A signed transaction; `tag` is another one for every body."""

    session: Session
    tag: int
    number: int
    until_ms: int
    atomic: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class At:
    """Which operation is answered, and when."""

    entry: int
    position: int
    time_ms: int


def is_ending(asked: Asked) -> bool:
    """Whether a session ends itself with this transaction."""
    session = asked.session
    return not session.is_account and RevokeSession(session.id, "") in asked.steps


HOPELESS = ("MALFORMED", "UNKNOWN_COLLECTION", "WRONG_SIGNER")
WORTHLESS = (
    *(*HOPELESS, "DENIED", "COLLECTION_EXISTS", "QUOTA_EXCEEDED", "NOT_FOUND"),
    *("UNKNOWN_SESSION", "RELEASE_EXISTS", "UNKNOWN_RELEASE", "RELEASE_REVOKED", "NO_CHANGE"),
)
WEEK_MS = 7 * 24 * 3_600_000


class Model:
    """The ledger in a dict; `meanings` says whom an owner's terms name.

    What stands around sessions is `hygiene`.
    """

    def __init__(
        self,
        rights: dict[str, Rights],
        limits: Limits,
        meanings: dict[CollectionTerms, Rights],
        hygiene: Hygiene,
    ) -> None:
        self.rights = dict(rights)
        self.limits = limits
        self.meanings = meanings
        self.hygiene = hygiene
        self.sessions: list[Session] = []
        self.secrets: dict[tuple[str, str], Secret] = {}
        self.marks: set[tuple[str, str, int, int, str]] = set()

    def may_open(self, who: str) -> bool:
        """Whether any collection knows the enclave."""
        return any(self._reads(who, one) or self._writes(who, one) for one in self.rights.values())

    def why_not_open(self, who: str, time_ms: int) -> str:
        """Why an enclave cannot open a session now; empty if it can."""
        if self.hygiene.has_ended(time_ms):
            return "EVIDENCE_UNDECIDED"
        if not self.may_open(who):
            return "NOT_ADMITTED"
        open_now = [one for one in self.sessions if not self.why_over(one, time_ms)]
        if sum(one.who == who for one in open_now) >= self.limits.identity_sessions:
            return "TOO_MANY_SESSIONS"
        return ""

    def opened(self, session: Session) -> None:
        """A session opened now."""
        session.generation = self.hygiene.generation
        self.hygiene.known.add(session.id)
        self.sessions.append(session)

    def why_over(self, session: Session, time_ms: int) -> str:
        """Why a session may not be used any more; empty if it may."""
        if time_ms >= session.expires_ms:
            return "SESSION_EXPIRED"
        if session.id in self.hygiene.said.gone:
            return "SESSION_REVOKED"
        if session.is_over or session.denials >= self.limits.denials:
            return "SESSION_CLOSED"
        is_old = session.generation != self.hygiene.generation
        if not session.is_account and (is_old or self.hygiene.has_ended(time_ms)):
            return "COLLATERAL_CHANGED"
        return ""

    def may_ask(self, session: Session, place: str) -> bool:
        """Whether a session that may be used may ask about a collection."""
        one = self.rights.get(place)
        if one is None or (place, session.id) in self.hygiene.said.parted:
            return False
        return self._reads(session.who, one) or self._writes(session.who, one)

    def _reads(self, who: str, rights: Rights) -> bool:
        return who in rights.readers or self._is_known(who, rights)

    def _writes(self, who: str, rights: Rights) -> bool:
        return who in rights.writers or self._is_known(who, rights)

    def _is_known(self, who: str, rights: Rights) -> bool:
        """Whether what stands on the ledger now admits it."""
        if who in rights.enrolled and self.hygiene.is_enrolled():
            return True
        return who in rights.released and self.hygiene.is_released()

    def owned(self, who: str) -> set[str]:
        """The collections of an account."""
        return {place for place, one in self.rights.items() if one.owner == who}

    def used(self, who: str) -> int:
        """The bytes that stand in an account's collections."""
        return sum(
            value.size
            for (place, _), secret in self.secrets.items()
            for number, value in enumerate(secret.values, 1)
            if self.rights[place].owner == who and number not in secret.destroyed
        )

    def ask(self, asked: Asked, time_ms: int, entry: int) -> Answer:
        """("again", entry), ("refused", why) or ("entry", an answer for each operation)."""
        session = asked.session
        if session.is_account and any(isinstance(step, bytes) for step in asked.steps):
            return ("refused", "BAD_SIGNATURE")
        if asked.number in session.ran:
            tag, first = session.ran[asked.number]
            return ("again", first) if tag == asked.tag else ("refused", "SEQUENCE_REUSED")
        why = self._why_not(asked, time_ms)
        if why:
            return ("refused", why)
        before = (deepcopy(self.secrets), dict(self.rights), set(self.marks), self.hygiene.saved())
        answers, denials = self._run(asked, entry, time_ms)
        told = next((one[0] for one in answers if one[0] != "OK"), "")
        worth = not all(answer[0] in HOPELESS for answer in answers)
        if asked.atomic and told:
            self.secrets, self.rights = deepcopy(before[0]), dict(before[1])
            self.marks = before[2] | {mark for mark in self.marks if mark[4] == "DENIED"}
            self.hygiene.said = deepcopy(before[3])
            answers = [("NOT_EXECUTED",) if one[0] == "OK" else one for one in answers]
        if session.is_account:
            has_part = self.owned(session.who) or self.hygiene.has_published(session.who)
            is_heard = any("votes" in answer for answer in answers)
            is_good = not all(answer[0] in WORTHLESS for answer in answers)
            worth = is_heard or (bool(has_part) and is_good)
        if not worth:
            self.secrets, self.rights, self.marks, self.hygiene.said = before
            return ("refused", told)
        if not session.is_account:
            session.denials = denials + sum(answer[0] in HOPELESS for answer in answers)
            ended = (step == RevokeSession(session.id, "") for step in asked.steps)
            said = zip(ended, answers, strict=True)
            session.is_over = any(is_end and answer == ("OK",) for is_end, answer in said)
        session.ran[asked.number] = (asked.tag, entry)
        return ("entry", *answers)

    def _why_not(self, asked: Asked, time_ms: int) -> str:
        session = asked.session
        longest = WEEK_MS if session.is_account else 600_000
        if asked.number <= session.newest - 1024:
            return "SEQUENCE_PASSED"
        why = self.why_over(session, time_ms)
        if why:
            return why
        if time_ms >= asked.until_ms:
            return "TRANSACTION_EXPIRED"
        if asked.until_ms - time_ms > longest + self.limits.skew_ms:
            return "VALID_TOO_LONG"
        return ""

    def _run(self, asked: Asked, entry: int, time_ms: int) -> tuple[list[Answer], int]:
        denials = asked.session.denials
        answers: list[Answer] = []
        end = asked.steps.index(RevokeSession(asked.session.id, "")) if is_ending(asked) else 256
        for position, step in enumerate(asked.steps):
            if denials >= self.limits.denials or position > end:
                answers.append(("SESSION_CLOSED",))
                continue
            answer = self._answer(asked.session, step, At(entry, position, time_ms))
            denials += answer[0] in ("DENIED", "SESSION_REVOKED") and not asked.session.is_account
            answers.append(answer)
        return answers, denials

    def _answer(self, session: Session, step: Step, at: At) -> Answer:
        if isinstance(step, bytes):
            return ("MALFORMED",)
        if isinstance(step, OpenSession | KeyServiceStart | UpdateCollateral):
            return ("WRONG_SIGNER",)
        if isinstance(step, OfHygiene):
            return self._on_hygiene(session, step, at.entry)
        if isinstance(step, CreateCollection):
            return self._create(session, step)
        if session.is_account and isinstance(step, Read | AcquireKey):
            return ("WRONG_SIGNER",)
        rights = self.rights.get(step.collection)
        if rights is None:
            return ("UNKNOWN_COLLECTION",)
        if not self._may(session, step, rights):
            return self._deny(session, step, at)
        if isinstance(step, SetPolicy):
            changed = self.meanings[step.terms]
            changed = replace(changed, owner=rights.owner, frozen=rights.frozen)
            self.rights[step.collection] = changed
            return ("OK",)
        if isinstance(step, FreezeCollection):
            self.rights[step.collection] = replace(rights, frozen=step.frozen)
            return ("OK",)
        return self._on_secret(session, step, rights, at)

    def _on_hygiene(
        self,
        session: Session,
        step: OfHygiene,
        entry: int,
    ) -> Answer:
        if not session.is_account:
            return ("OK",) if step == RevokeSession(session.id, "") else ("WRONG_SIGNER",)
        if isinstance(step, VotePlatform):
            return self.hygiene.on_platform(session.who, step, entry)
        if not isinstance(step, RevokeSession):
            return self.hygiene.on_release(session.who, step)
        rights = self.rights.get(step.collection)
        owner = None if rights is None else rights.owner
        return self.hygiene.revoke_session(session.who, step, owner)

    def _may(self, session: Session, step: Managed, rights: Rights) -> bool:
        if session.is_account:
            return session.who == rights.owner
        if isinstance(step, SetPolicy | FreezeCollection | Destroy):
            return False
        if (step.collection, session.id) in self.hygiene.said.parted:
            return False
        may = self._reads if isinstance(step, Read) else self._writes
        return may(session.who, rights)

    def _deny(self, session: Session, step: Managed, at: At) -> Answer:
        if session.is_account:
            return ("DENIED",)
        if isinstance(step, Put | Read | Delete | Destroy):
            self._mark(step, at, "DENIED")
        elif not isinstance(step, AcquireKey):
            return ("DENIED",)
        is_parted = (step.collection, session.id) in self.hygiene.said.parted
        return ("SESSION_REVOKED",) if is_parted else ("DENIED",)

    def _on_secret(
        self,
        session: Session,
        step: Put | Read | Delete | Destroy | AcquireKey,
        rights: Rights,
        at: At,
    ) -> Answer:
        if isinstance(step, Destroy):
            answer = self._destroy(step)
        elif rights.frozen:
            return ("FROZEN",)
        elif isinstance(step, AcquireKey):
            return ("OK", "key", step.collection, session.id)
        elif isinstance(step, Put):
            return self._put(session, step, rights, at)
        elif isinstance(step, Delete):
            answer = self._delete(step)
        else:
            answer = self._read(session, step, at)
        if answer[0] == "OK":
            self._mark(step, at, "OK")
        return answer

    def _mark(self, step: Put | Read | Delete | Destroy, at: At, reason: str) -> None:
        self.marks.add((step.collection, step.name, at.entry, at.position, reason))

    def _create(self, session: Session, step: CreateCollection) -> Answer:
        if not session.is_account:
            return ("WRONG_SIGNER",)
        if step.collection in self.rights:
            return ("COLLECTION_EXISTS",)
        if len(self.owned(session.who)) >= self.limits.owner_collections:
            return ("QUOTA_EXCEEDED",)
        self.rights[step.collection] = replace(self.meanings[step.terms], owner=session.who)
        return ("OK",)

    def _put(self, session: Session, step: Put, rights: Rights, at: At) -> Answer:
        if step.mode != (2 if session.is_account else 1) or step.size < 16:
            return ("MALFORMED",)
        if step.size > self.limits.value_bytes + 16:
            return ("TOO_LARGE",)
        if step.epoch != 1:
            return ("WRONG_EPOCH",)
        secret = self.secrets.get((step.collection, step.name), Secret())
        if step.if_version is not None and step.if_version != secret.current:
            return ("VERSION_CONFLICT", secret.current)
        if rights.owner and self.used(rights.owner) + step.size > self.limits.owner_bytes:
            return ("QUOTA_EXCEEDED",)
        self.secrets[step.collection, step.name] = secret
        lives_ms = step.ttl_ms or rights.ttl_ms
        expires_ms = at.time_ms + lives_ms if lives_ms else 0
        where = (at.entry, at.position)
        secret.values.append(
            Value(step.sealed_digest, step.record_id, *where, session.id, step.size, expires_ms)
        )
        return ("OK", "put", len(secret.values))

    def _delete(self, step: Delete) -> Answer:
        secret = self.secrets.get((step.collection, step.name), Secret())
        current = secret.current
        if step.if_version is not None and step.if_version != current:
            return ("VERSION_CONFLICT", current)
        if not current:
            return ("NOT_FOUND",)
        secret.deleted = current
        return ("OK", "deleted", current)

    def _destroy(self, step: Destroy) -> Answer:
        secret = self.secrets.get((step.collection, step.name))
        if secret is None or (step.version or 0) > len(secret.values):
            return ("NOT_FOUND",)
        last = len(secret.values)
        if step.version is not None:
            secret.destroyed.add(step.version)
            return ("OK", "destroyed", step.version, step.version)
        first = secret.swept + 1
        if first > last:
            return ("DESTROYED",)
        secret.destroyed.update(range(first, last + 1))
        secret.swept = last
        return ("OK", "destroyed", first, last)

    def _read(self, session: Session, step: Read, at: At) -> Answer:
        secret = self.secrets.get((step.collection, step.name), Secret())
        number = secret.current if step.version is None else step.version
        if not secret.deleted < number <= len(secret.values):
            return ("NOT_FOUND",)
        value = secret.values[number - 1]
        if number in secret.destroyed:
            return ("DESTROYED",)
        if value.expires_ms and at.time_ms >= value.expires_ms:
            return ("EXPIRED",)
        place = (step.collection, step.name)
        return ("OK", "read", *place, number, value, session.id)
