"""A judgement of evidence, in JSON for machines and in rows of words for people.

JSON: bytes are hex, times Unix seconds. `identity` is there exactly if the evidence was verified
(and is its certificate's); what unverified evidence says of itself stands under `claimed`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from attestation.explain import Finding, Result
from attestation.identity import NOT_RATED, UNKNOWN, Identity
from attestation.judgement import Judgement, Question, Reason, Window
from node.cli.words import time_words

Fields = dict[str, object]
Row = tuple[str, str]

_BITS = ("guest_policy", "platform_info")


def judgement_fields(judgement: Judgement, question: Question) -> Fields:
    """The whole answer for machines."""
    verdict, window = judgement.verdict, judgement.collateral
    return {
        "kind": judgement.kind.value,
        "form": judgement.form or None,
        "verdict": judgement.decision.value,
        "at": question.now_s,
        "status": verdict.status if verdict else None,
        "advisories": list(verdict.advisories) if verdict else [],
        "identity": identity_fields(verdict.identity) if verdict else None,
        "claimed": identity_fields(judgement.claimed) if judgement.claimed else None,
        "report_data": verdict.report_data.hex() if verdict else None,
        "quote_digest": verdict.quote_digest.hex() if verdict else None,
        "collateral": _plain(asdict(window)) if window else None,
        "root": _root(question),
        "revocation": _revocation(judgement),
        "policy": _policy(judgement),
        "reasons": [asdict(one) for one in judgement.reasons],
    }


def identity_fields(identity: Identity) -> Fields:
    """All that an identity says; what its TEE alone says stands under the TEE's name."""
    fields = _plain(asdict(identity))
    fields[identity.platform] = fields.pop("fields")
    return fields


def judgement_rows(judgement: Judgement, question: Question) -> Iterator[Row]:
    """The whole answer for people."""
    yield "verdict", judgement.decision.value
    yield "kind", f"{judgement.kind}{', ' if judgement.form else ''}{judgement.form}"
    yield "judged as of", time_words(question.now_s * 1000)
    for number, reason in enumerate(judgement.reasons, 1):
        yield from _reason_rows(reason, f" {number}" if number > 1 else "")
    verdict = judgement.verdict
    if verdict is not None:
        yield from _identity_rows(verdict.identity, "")
        yield "report data", verdict.report_data.hex()
        yield "quote digest", verdict.quote_digest.hex()
    elif judgement.claimed is not None:
        yield from _identity_rows(judgement.claimed, "claimed ")
    if judgement.collateral is not None:
        yield _window_label(judgement), _window_words(judgement.collateral)
    yield "root", _root_words(question)
    yield "revocation", _revocation_words(judgement)
    if verdict is not None and judgement.findings is None:
        yield "policy", "none was asked: this is genuine; whether it is good enough, --policy says"
    for finding in judgement.findings or ():
        yield f"policy {finding.field}", _finding_words(finding)


def _identity_rows(identity: Identity, prefix: str) -> Iterator[Row]:
    fields = identity_fields(identity)
    own = fields.pop(identity.platform)
    date_s = identity.tcb_date_s
    fields["tcb_date_s"] = time_words(date_s * 1000) if date_s else ""
    for name, value in (*fields.items(), *(own.items() if isinstance(own, dict) else ())):
        words = hex(value) if name in _BITS and isinstance(value, int) else _words(value)
        if words and not (name == "tcb_status" and words == UNKNOWN):
            yield f"{prefix}{_label(name)}", words


def _label(name: str) -> str:
    return name.removesuffix("_s").replace("_", " ")


def _words(value: object) -> str:
    """A field for people; nothing where it says nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{_label(name)} {one}" for name, one in value.items())
    if value == NOT_RATED:
        return f"{NOT_RATED}: AMD publishes no status; look at the TCB"
    text = str(value)
    return "zero" if len(text) >= 32 and not text.strip("0") else text


def _reason_rows(reason: Reason, number: str) -> Iterator[Row]:
    yield f"reason{number}", reason.check
    for name in ("expected", "got", "mend"):
        text = getattr(reason, name)
        if text:
            yield f"{name}{number}", text


def _window_label(judgement: Judgement) -> str:
    return "chain" if judgement.is_by_chain else "collateral"


def _window_words(window: Window) -> str:
    parts = [window.key]
    if window.number:
        parts.append(f"number {window.number}")
    if window.valid_until_s:
        start, end = (time_words(one * 1000) for one in (window.valid_from_s, window.valid_until_s))
        parts.append(f"{start} to {end}")
    return ", ".join(parts)


def _finding_words(finding: Finding) -> str:
    mark = {Result.NOT_MET: "NOT MET"}.get(finding.result, finding.result.value)
    return f"{mark}: expected {finding.expected}, got {finding.got}"


def _policy(judgement: Judgement) -> Fields | None:
    if judgement.findings is None:
        return None
    return {
        "admitted": judgement.is_admitted,
        "findings": [_finding(one) for one in judgement.findings],
    }


def _finding(finding: Finding) -> Fields:
    """`ok` says whether it is met; `result` tells what is not from what the ledger alone knows."""
    return {
        "field": finding.field,
        "expected": finding.expected,
        "got": finding.got,
        "ok": finding.ok,
        "result": finding.result.value,
    }


def _root(question: Question) -> str:
    return "pinned" if question.root is None else "given"


def _root_words(question: Question) -> str:
    if question.root is None:
        return "pinned: Intel, AMD"
    digest = hashlib.sha256(question.root).hexdigest()
    return f"given: {digest}; who signs TCB documents is the collateral's own word"


def _revocation_words(judgement: Judgement) -> str:
    words = _revocation(judgement)
    is_unlisted = judgement.verdict is not None and not judgement.checks_revocation
    return f"{words}: no revocation list was given (--collateral)" if is_unlisted else words


def _revocation(judgement: Judgement) -> str:
    return "checked" if judgement.checks_revocation else "not checked"


def _plain(values: Mapping[str, object]) -> Fields:
    return {name: _plain_value(one) for name, one in values.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return _plain(value)
    return list(value) if isinstance(value, tuple) else value
