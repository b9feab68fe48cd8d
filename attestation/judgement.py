"""What a person asks about a file of evidence, and what comes out. Values only."""

from dataclasses import dataclass
from enum import StrEnum

from attestation.evidence_files import FileKind
from attestation.explain import Finding
from attestation.identity import Identity
from attestation.policy import Policy
from attestation.verdict import Verdict


class Decision(StrEnum):
    """What came out."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person brings; files are their contents."""

    file: bytes
    now_s: int  # Unix time to judge as of
    collateral: tuple[bytes, ...] = ()  # at most 8 files (`collateral_files`)
    chain: tuple[bytes, ...] = ()  # at most 8 files (`certificate_files`)
    root: bytes | None = None  # DER of the one root to believe; None: the vendors'
    policy: Policy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why evidence was not accepted: a code, what was expected and came, what mends it."""

    check: str
    expected: str
    got: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The collateral that was used. Times are Unix seconds, both inclusive, and 0 where unknown."""

    key: str
    digest: bytes  # SHA-256 of its canonical bytes
    number: int = 0  # the lower tcbEvaluationDataNumber; 0 where there is none
    valid_from_s: int = 0
    valid_until_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The answer to a question."""

    kind: FileKind
    decision: Decision
    reasons: tuple[Reason, ...] = ()
    form: str = ""  # of a certificate: how it carries its evidence
    verdict: Verdict | None = None  # of evidence that was verified, and is its certificate's
    claimed: Identity | None = None  # of other evidence, where it can be read: its word, no more
    collateral: Window | None = None
    is_by_chain: bool = False  # what stands there are the chain's certificates: none was given
    checks_revocation: bool = False
    findings: tuple[Finding, ...] | None = None  # of the policy, about a verified identity
    is_admitted: bool = False  # by that policy
