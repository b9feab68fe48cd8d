"""What the ledger should answer, written a second time as plainly as possible.

Nothing of the rules, of policies or of state records is used here: who may do what is a table,
secrets are lists, undoing is a copy. Operations come as the ledger's own data classes; answers are
tuples of words and numbers.
"""

from copy import deepcopy
from dataclasses import dataclass, field

from ledger.format.operation import AcquireKey, Delete, Operation, Put, Read

Answer = tuple[object, ...]
Step = Operation | bytes  # bytes: an operation that does not decode


@dataclass(frozen=True)
class Rights:
    """Who reads and who writes a collection."""

    readers: frozenset[str]
    writers: frozenset[str]


@dataclass(frozen=True)
class Limits:
    """What genesis allows."""

    session_ms: int
    skew_ms: int
    denials: int
    value_bytes: int


@dataclass
class Session:
    """A session: who it is, until when, and what it did."""

    id: bytes
    who: str
    expires_ms: int
    denials: int = 0
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


@dataclass
class Secret:
    """All values that a name ever had, and how many of them are deleted."""

    values: list[Value] = field(default_factory=list)
    deleted: int = 0

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


class Model:
    """The ledger in a dict."""

    def __init__(self, rights: dict[str, Rights], limits: Limits) -> None:
        self.rights = rights
        self.limits = limits
        self.secrets: dict[tuple[str, str], Secret] = {}
        self.marks: set[tuple[str, str, int, int, str]] = set()

    def may_open(self, who: str) -> bool:
        """Whether any collection knows the enclave."""
        return any(who in one.readers | one.writers for one in self.rights.values())

    def ask(self, asked: Asked, time_ms: int, entry: int) -> Answer:
        """("again", entry), ("refused", why) or ("entry", an answer for each operation)."""
        session = asked.session
        if asked.number in session.ran:
            tag, first = session.ran[asked.number]
            return ("again", first) if tag == asked.tag else ("refused", "SEQUENCE_REUSED")
        why = self._why_not(asked, time_ms)
        if why:
            return ("refused", why)
        secrets, marks = deepcopy(self.secrets), set(self.marks)
        answers, denials = self._run(asked, entry)
        hopeless = ("MALFORMED", "UNKNOWN_COLLECTION", "WRONG_SIGNER")
        if all(answer[0] in hopeless for answer in answers):
            self.secrets, self.marks = secrets, marks
            return ("refused", answers[0][0])
        if asked.atomic and any(answer[0] != "OK" for answer in answers):
            self.secrets = secrets
            self.marks = marks | {mark for mark in self.marks - marks if mark[4] == "DENIED"}
            answers = [("NOT_EXECUTED",) if one[0] == "OK" else one for one in answers]
        session.denials = denials + sum(answer[0] in hopeless for answer in answers)
        session.ran[asked.number] = (asked.tag, entry)
        return ("entry", *answers)

    def _why_not(self, asked: Asked, time_ms: int) -> str:
        session = asked.session
        if asked.number <= session.newest - 1024:
            return "SEQUENCE_PASSED"
        if time_ms >= session.expires_ms:
            return "SESSION_EXPIRED"
        if session.denials >= self.limits.denials:
            return "SESSION_CLOSED"
        if time_ms >= asked.until_ms:
            return "TRANSACTION_EXPIRED"
        if asked.until_ms - time_ms > 600_000 + self.limits.skew_ms:
            return "VALID_TOO_LONG"
        return ""

    def _run(self, asked: Asked, entry: int) -> tuple[list[Answer], int]:
        denials = asked.session.denials
        answers: list[Answer] = []
        for position, step in enumerate(asked.steps):
            if denials >= self.limits.denials:
                answers.append(("SESSION_CLOSED",))
                continue
            answer = self._answer(asked.session, step, entry, position)
            denials += answer[0] == "DENIED"
            answers.append(answer)
        return answers, denials

    def _answer(self, session: Session, step: Step, entry: int, position: int) -> Answer:
        if isinstance(step, bytes):
            return ("MALFORMED",)
        if not isinstance(step, Put | Read | Delete | AcquireKey):
            return ("WRONG_SIGNER",)
        rights = self.rights.get(step.collection)
        if rights is None:
            return ("UNKNOWN_COLLECTION",)
        if session.who not in (rights.readers if isinstance(step, Read) else rights.writers):
            if not isinstance(step, AcquireKey):
                self.marks.add((step.collection, step.name, entry, position, "DENIED"))
            return ("DENIED",)
        if isinstance(step, AcquireKey):
            return ("OK", "key", step.collection, session.id)
        if isinstance(step, Put):
            return self._put(session, step, entry, position)
        answer = self._delete(step) if isinstance(step, Delete) else self._read(session, step)
        if answer[0] == "OK":
            self.marks.add((step.collection, step.name, entry, position, "OK"))
        return answer

    def _put(self, session: Session, step: Put, entry: int, position: int) -> Answer:
        if step.mode != 1 or step.size < 16:
            return ("MALFORMED",)
        if step.size > self.limits.value_bytes + 16:
            return ("TOO_LARGE",)
        if step.epoch != 1:
            return ("WRONG_EPOCH",)
        secret = self.secrets.get((step.collection, step.name), Secret())
        if step.if_version is not None and step.if_version != secret.current:
            return ("VERSION_CONFLICT", secret.current)
        self.secrets[step.collection, step.name] = secret
        value = Value(step.sealed_digest, step.record_id, entry, position, session.id)
        secret.values.append(value)
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

    def _read(self, session: Session, step: Read) -> Answer:
        secret = self.secrets.get((step.collection, step.name), Secret())
        number = secret.current if step.version is None else step.version
        if not secret.deleted < number <= len(secret.values):
            return ("NOT_FOUND",)
        place = (step.collection, step.name)
        return ("OK", "read", *place, number, secret.values[number - 1], session.id)
