"""Why a policy admits an identity or not, field by field: for people, never for deciding.

Rules: the fields, their order and their verdicts agree with `attestation.judging`: a match admits
at a time if and only if all of its findings are good. Which releases are endorsed and which
platforms enrolled is known to the ledger alone: where no ledger was asked, that is not good either,
but unknown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from attestation.conditions import (
    SGX_EQUALS,
    SGX_MASKED,
    SNP_EQUALS,
    TDX_EQUALS,
    TDX_MASKED,
    ReleaseMatch,
    SgxMatch,
    SnpMatch,
    TdxMatch,
    TeeMatch,
    count_endorsers,
    is_masked,
    is_release_met,
)
from attestation.fields import SgxFields, SnpFields, SnpTcb, TdxFields, TeeFields
from attestation.judging import FOREVER, Subject, has_unlisted_advisories, status_until
from attestation.policy import AnyOf, Match, Policy

_Row = tuple[str, str, str, bool | None]  # field, expected, got, whether met; None: unknown here
_TEE = {SgxMatch: ("sgx", SgxFields), TdxMatch: ("tdx", TdxFields), SnpMatch: ("snp", SnpFields)}
_UNKNOWN = "known to the ledger alone"
_MAX_WORDS = 5  # fields that are named where all would be too many


class Result(StrEnum):
    """How a field fared, in the words that people and machines read."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one field of one match fared; `field` is a path such as ``any[0].minimum_svn``."""

    field: str
    expected: str
    got: str
    ok: bool
    ledger_only: bool = False  # not ok, for want of what only the ledger can tell

    @property
    def result(self) -> Result:
        """`ok` and `ledger_only` in one word."""
        if self.ledger_only:
            return Result.UNKNOWN
        return Result.MET if self.ok else Result.NOT_MET


def explain(
    policy: Policy, subject: Subject, *, development: bool, now_s: int
) -> tuple[Finding, ...]:
    """Every field of every match, compared with `subject` at Unix time `now_s`."""
    return tuple(_explain(policy, subject, (development, now_s), ""))


def missing_words(findings: Iterable[Finding]) -> str:
    """Which fields are not met, and which the ledger alone knows; empty if all are met."""
    named: dict[Result, list[str]] = {Result.NOT_MET: [], Result.UNKNOWN: []}
    for one in findings:
        if not one.ok:
            named[one.result].append(one.field)
    words = {Result.NOT_MET: "not met", Result.UNKNOWN: _UNKNOWN}
    return "; ".join(
        f"{words[result]}: {', '.join(fields[:_MAX_WORDS])}{' …' * (len(fields) > _MAX_WORDS)}"
        for result, fields in named.items()
        if fields
    )


def _explain(
    policy: Policy, subject: Subject, when: tuple[bool, int], path: str
) -> Iterator[Finding]:
    if isinstance(policy, Match):
        prefix = f"{path}." if path else ""
        for name, expected, got, ok in _rows(policy, subject, when):
            yield Finding(prefix + name, expected, got, ok is True, ok is None)
        return
    word = "any" if isinstance(policy, AnyOf) else "all"
    start = f"{path}.{word}" if path else word
    for index, member in enumerate(policy.members):
        yield from _explain(member, subject, when, f"{start}[{index}]")


def _rows(match: Match, subject: Subject, when: tuple[bool, int]) -> Iterator[_Row]:
    development, now_s = when
    identity = subject.identity
    yield from _names(match, subject)
    if match.tee is not None:
        yield from _tee_rows(match.tee, identity.fields)
    yield from _status_rows(match, subject, now_s)
    allowed = match.allow_debug and development
    got = "yes" if identity.debug else "no"
    yield "debug", "any" if allowed else "no", got, allowed or not identity.debug
    if match.platform_ids:
        expected = f"one of the {len(match.platform_ids)} named"
        is_named = identity.platform_id in match.platform_ids
        yield "platform_id", expected, identity.platform_id.hex() or "none", is_named
    if match.enrolled:
        yield _enrolled_row(subject)


def _names(match: Match, subject: Subject) -> Iterator[_Row]:
    identity = subject.identity
    if match.measurement:
        same = match.measurement == identity.measurement
        yield "measurement", match.measurement.hex(), identity.measurement.hex(), same
    if match.signer:
        product, minimum = match.product_id, match.minimum_svn
        same = match.signer == identity.signer
        yield "signer", match.signer.hex(), identity.signer.hex() or "none", same
        is_product = product == identity.product_id
        yield "product_id", str(product), str(identity.product_id), is_product
        yield "minimum_svn", f">= {minimum}", str(identity.svn), identity.svn >= minimum
    if match.release is not None:
        yield _release_row(match.release, subject)


def _enrolled_row(subject: Subject) -> _Row:
    field, expected, platform = "enrolled", "by the members", subject.identity.platform_id.hex()
    if subject.facts.is_enrolled:
        return field, expected, f"{platform}, enrolled", True
    if not platform:
        return field, expected, "no platform id, never enrolled", False
    return field, expected, f"{platform}, {_UNKNOWN}", None


def _release_row(match: ReleaseMatch, subject: Subject) -> _Row:
    minimum = ".".join(map(str, match.minimum))
    endorsed = f"endorsed by {match.threshold} of {len(match.auditors)} auditors"
    expected = f"{match.name} >= {minimum}, {endorsed}"
    got = ", ".join(
        f"{one.name} {'.'.join(map(str, one.version))} (endorsed by {count_endorsers(match, one)})"
        for one in subject.facts.releases
    )
    is_met = is_release_met(match, subject.facts.releases)
    return "release", expected, got or _UNKNOWN, is_met if got else None


def _tee_rows(match: TeeMatch, fields: TeeFields) -> Iterator[_Row]:
    word, kind = _TEE[type(match)]
    if not isinstance(fields, kind):
        got = type(fields).__name__.removesuffix("Fields").lower()
        yield "tee", word, got, False
        return
    if isinstance(match, SnpMatch) and isinstance(fields, SnpFields):
        rows = _snp_rows(match, fields)
    elif isinstance(match, SgxMatch) and isinstance(fields, SgxFields):
        rows = _sgx_rows(match, fields)
    else:
        rows = _common_rows(match, fields, TDX_EQUALS, TDX_MASKED)
    for name, expected, got, ok in rows:
        yield f"{word}.{name}", expected, got, ok


def _common_rows(
    match: TeeMatch, fields: TeeFields, equals: dict[str, int], masked: dict[str, int]
) -> Iterator[_Row]:
    for name in equals:
        wanted, got = getattr(match, name), getattr(fields, name)
        if wanted:
            yield name, wanted.hex(), got.hex() or "none", wanted == got
    for name in masked:
        wanted, mask = getattr(match, name), getattr(match, f"{name}_mask")
        got = getattr(fields, name)
        if mask:
            expected = f"{wanted.hex()} under mask {mask.hex()}"
            yield name, expected, got.hex(), is_masked(got, wanted, mask)


def _sgx_rows(match: SgxMatch, fields: SgxFields) -> Iterator[_Row]:
    minimum, svn = match.minimum_config_svn, fields.config_svn
    if minimum:
        yield "minimum_config_svn", f">= {minimum}", str(svn), svn >= minimum
    yield from _common_rows(match, fields, SGX_EQUALS, SGX_MASKED)


def _snp_rows(match: SnpMatch, fields: SnpFields) -> Iterator[_Row]:
    yield _tcb_row("minimum_tcb", match.minimum_tcb, fields.reported_tcb)
    if match.minimum_launch_tcb is not None:
        yield _tcb_row("minimum_launch_tcb", match.minimum_launch_tcb, fields.launch_tcb)
    most = match.maximum_vmpl
    yield "maximum_vmpl", f"<= {most}", str(fields.vmpl), fields.vmpl <= most
    if match.products:
        expected = " or ".join(match.products)
        yield "products", expected, fields.product, fields.product in match.products
    flags = (
        ("migration", match.allow_migration, fields.allows_migration),
        ("vlek", match.allow_vlek, fields.is_vlek),
        ("smt", not match.require_single_thread, fields.allows_smt),
    )
    for name, is_allowed, got in flags:
        expected = "any" if is_allowed else "no"
        yield name, expected, "yes" if got else "no", is_allowed or not got
    yield from _common_rows(match, fields, SNP_EQUALS, {})


def _tcb_row(name: str, minimum: SnpTcb, got: SnpTcb) -> _Row:
    return name, f">= {_tcb(minimum)}", _tcb(got), got.is_at_least(minimum)


def _tcb(tcb: SnpTcb) -> str:
    names = ("boot loader", "TEE", "SNP", "microcode", "FMC")
    return ", ".join(f"{name} {part}" for name, part in zip(names, tcb.parts, strict=True))


def _status_rows(match: Match, subject: Subject, now_s: int) -> Iterator[_Row]:
    identity = subject.identity
    if identity.platform == "snp":
        if not isinstance(match.tee, SnpMatch):
            yield "snp.minimum_tcb", "given: SNP has no TCB status", "not given", False
        return
    status, wanted = identity.tcb_status, match.tcb_statuses
    yield "tcb_status", _join(wanted), status, status in wanted
    unlisted = has_unlisted_advisories(match, identity)
    allowed = _join(match.advisories) if match.advisories else "none, or UpToDate"
    yield "advisories", allowed, _join(identity.advisories), not unlisted
    if match.grace_s:
        until = status_until(match, identity) if status in wanted and not unlisted else FOREVER
        expected = f"UpToDate, or a TCB level of {_date(now_s - match.grace_s)} or later"
        got = _date(identity.tcb_date_s) if identity.tcb_date_s else "no date"
        yield "grace", expected, got, now_s < until


def _date(time_s: int) -> str:
    try:
        return datetime.fromtimestamp(max(0, time_s), UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):  # beyond the calendar
        return f"{time_s} s"


def _join(words: tuple[str, ...]) -> str:
    return ",".join(words) or "none"
