"""``sealedger policy``: policy files read, told in words, and compared with evidence. Offline.

Exit codes: 0 done, or admitted; 1 not valid, or not admitted; 2 the question cannot be answered (a
file cannot be used, an option is wrong).
"""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from attestation.errors import DecisionFault
from attestation.explain import Finding, Result, explain, missing_words
from attestation.identity import Identity
from attestation.judgement import Judgement, Question, Reason
from attestation.judging import FOREVER, Subject, admitted_until
from attestation.policy import Policy, encode_policy
from enclave_client.errors import PolicyFileError
from enclave_client.policy_doubts import policy_doubts
from enclave_client.policy_file import PARTS, policies_of_file, read_single_policy
from enclave_client.policy_words import policy_words
from node.cli.given_evidence import given_path, judge, judged_by
from node.cli.node import json_option
from node.cli.output import UsageFault, show
from node.cli.words import time_words
from node.errors import NotAcceptedError

_FILE = click.Path(path_type=Path, dir_okay=False)
_PLATFORM_STATE = frozenset({"tcb_status", "advisories", "grace"})  # what a verdict alone tells
_SAME_LINE = 100  # characters of a value that is shown beside its field


_SIGNS = {
    Result.MET: ("✓", "green"),
    Result.NOT_MET: ("✗", "red"),
    Result.UNKNOWN: ("?", "yellow"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One field of the policy beside the evidence."""

    field: str
    expected: str
    got: str
    result: Result


@click.group()
def policy() -> None:
    """Read policies, and compare evidence with them."""


@policy.command("show")
@click.argument("file", type=_FILE)
@json_option
def show_policy(file: Path, as_json: bool) -> None:
    """Say in words whom the policies of FILE admit.

    FILE holds one policy, or those of a collection. The digest is the one that a wallet shows.
    """
    rows = [
        {"part": name, "policy": policy_words(one), "digest": _digest(one)}
        for name, one in policies_of_file(file).items()
    ]
    if as_json:
        show({"policies": rows}, as_json=True)
        return
    for row in rows:
        show({name: value for name, value in row.items() if value}, as_json=False)


@policy.command("check")
@click.argument("file", type=_FILE)
@json_option
def check_policy(file: Path, as_json: bool) -> None:
    """Say whether FILE is valid, and what in it is probably not meant.

    Doubts do not make it invalid: the exit code is 0.
    """
    doubts = [
        f"{name}: {doubt}" if name else doubt
        for name, one in policies_of_file(file).items()
        for doubt in policy_doubts(one)
    ]
    if as_json:
        show({"valid": True, "doubts": doubts}, as_json=True)
        return
    show({"valid": "yes"}, as_json=False)
    for doubt in doubts:
        click.echo(f"doubt  {doubt}")


@policy.command("explain")
@click.argument("quote", type=given_path)
@click.argument("file", metavar="POLICY", type=_FILE)
@judged_by
@click.option("--part", type=click.Choice(PARTS), help="Of a collection's policy file.")
@click.option("--development", is_flag=True, help="As a development network would judge.")
@json_option
def explain_policy(
    quote: Path,
    file: Path,
    beside: Callable[..., Question],
    part: str | None,
    development: bool,
    as_json: bool,
) -> None:
    """Compare the evidence in QUOTE with POLICY, field by field.

    QUOTE is what `sealedger evidence verify` takes. Without --collateral (a report: --chain)
    nothing is verified: then its fields are only what it says of itself, and it is not admitted.
    A report of version 2 says too little of itself to be compared without --chain.
    Which releases are endorsed, and which platforms enrolled, is known to the ledger alone.

    Exit code 0: admitted. 1: not admitted. 2: a file cannot be used.
    """
    wanted = _policy(file, part or "")
    question = beside(quote)
    judgement = judge(question)
    identity = judgement.verdict.identity if judgement.verdict else judgement.claimed
    if identity is None:
        raise _incomparable(quote, judgement.reasons[0])
    compared = _Comparison(wanted, identity, question, development, judgement)
    compared.show(as_json=as_json)
    if not compared.admitted:
        raise compared.refusal()


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A policy beside an identity, verified or claimed."""

    policy: Policy
    identity: Identity
    question: Question
    development: bool
    judgement: Judgement

    @property
    def now_s(self) -> int:
        return self.question.now_s

    @property
    def is_verified(self) -> bool:
        return self.judgement.verdict is not None

    @property
    def until_s(self) -> int:
        """Until when the identity is admitted, if it is who it says."""
        return admitted_until(self.policy, Subject(self.identity), development=self.development)

    @property
    def admitted(self) -> bool:
        return self.is_verified and self.now_s < self.until_s

    @property
    def why_unverified(self) -> str:
        return _words(self.judgement.reasons[0])

    def findings(self) -> tuple[Finding, ...]:
        return explain(
            self.policy, Subject(self.identity), development=self.development, now_s=self.now_s
        )

    def rows(self) -> list[Row]:
        return [_row(one, is_verified=self.is_verified) for one in self.findings()]

    def show(self, *, as_json: bool) -> None:
        if as_json:
            show(self.fields(), as_json=True)
            return
        lines = {
            "evidence": f"{self.judgement.kind} of {self.identity.platform}",
            "verified": self._verified_words(),
            "policy": policy_words(self.policy),
        }
        show(lines, as_json=False)
        if not self.is_verified:
            click.echo(
                "NOT VERIFIED: what follows is what the evidence says of itself; "
                "anybody can write that"
            )
        for row in self.rows():
            _print(row)
        show({"admitted": self._admitted_words()}, as_json=False)

    def fields(self) -> dict[str, object]:
        """The answer as JSON; times in Unix seconds, `until` null where there is no end."""
        ends = self.admitted and self.until_s != FOREVER
        return {
            "kind": self.judgement.kind.value,
            "at": self.now_s,
            "verified": self.is_verified,
            "root": "pinned" if self.question.root is None else "given",
            "revocation": "checked" if self.judgement.checks_revocation else "not checked",
            "reasons": [asdict(reason) for reason in self.judgement.reasons],
            "policy": policy_words(self.policy),
            "digest": _digest(self.policy),
            "findings": [asdict(row) for row in self.rows()],
            "admitted": self.admitted,
            "until": self.until_s if ends else None,
        }

    def refusal(self) -> NotAcceptedError:
        if not self.is_verified:
            return NotAcceptedError(
                f"not admitted: the evidence is not verified: {self.why_unverified}",
                self.judgement.reasons[0].mend,
            )
        return NotAcceptedError(
            f"not admitted: {missing_words(self.findings())}",
            "docs/policies.md says what each field asks",
        )

    def _verified_words(self) -> str:
        if not self.is_verified:
            return f"NO: {self.why_unverified}"
        words = [f"as of {time_words(self.now_s * 1000)}"]
        if self.question.root is not None:
            words.append("under the root that was given")
        if not self.judgement.checks_revocation:
            words.append("REVOCATION NOT CHECKED")
        return ", ".join(words)

    def _admitted_words(self) -> str:
        if not self.admitted:
            return "no" if self.is_verified else "no: not verified"
        end = "" if self.until_s == FOREVER else f" until {time_words(self.until_s * 1000)}"
        return f"yes{end}"


def _incomparable(quote: Path, reason: Reason) -> UsageFault:
    """Evidence that does not even say what could be compared."""
    words = _words(reason)
    if reason.check == DecisionFault.CERTIFICATE_MISSING:
        words = (
            "a report that names no known product line (one of version 2 names none) cannot be "
            f"compared without the certificate of its key: {words}"
        )
    return UsageFault(f"evidence: {quote}: {words}", reason.mend)


def is_terminal() -> bool:
    """Whether a person reads along."""
    return sys.stdout.isatty()


def _policy(file: Path, part: str) -> Policy:
    try:
        return read_single_policy(file, part)
    except PolicyFileError as error:
        raise UsageFault(error.message, error.hint) from error


def _words(reason: Reason) -> str:
    parts = (("expected", reason.expected), ("got", reason.got))
    details = ", ".join(f"{word} {text}" for word, text in parts if text)
    return f"{reason.check}: {details}" if details else reason.check


def _digest(policy: Policy) -> str:
    return f"sha256:{hashlib.sha256(encode_policy(policy)).hexdigest()}"


def _row(finding: Finding, *, is_verified: bool) -> Row:
    name = finding.field.rpartition(".")[2]
    row = Row(finding.field, finding.expected, finding.got, finding.result)
    if name in _PLATFORM_STATE and not is_verified:
        return replace(row, got="unknown: not verified", result=Result.UNKNOWN)
    return row


def _print(row: Row) -> None:
    """A sign in colour on a terminal, a word elsewhere; both values unless they are the same."""
    if is_terminal():
        sign, colour = _SIGNS[row.result]
        start = click.style(sign, fg=colour)
    else:
        start = f"{row.result.value:<7}"
    if row.expected == row.got and len(row.got) <= _SAME_LINE:
        click.echo(f"{start}  {row.field}  {row.got}")
        return
    click.echo(f"{start}  {row.field}")
    click.echo(f"           expected  {row.expected}")
    click.echo(f"           got       {row.got}")
