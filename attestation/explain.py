"""Why a policy admits an identity or not, field by field: for people, never for deciding.

Rules: the fields, their order and their verdicts agree with `attestation.policy.is_admitted`.
"""

from dataclasses import dataclass

from attestation.identity import Identity
from attestation.policy import AnyOf, Match, Policy, has_unlisted_advisories


@dataclass(frozen=True, slots=True)
class Finding:
    """How one field of one match fared; `field` is a path such as ``any[0].minimum_svn``."""

    field: str
    expected: str
    got: str
    ok: bool


def explain(policy: Policy, identity: Identity, *, development: bool) -> tuple[Finding, ...]:
    """Every field of every match, compared with `identity`: for people, not for deciding."""
    return tuple(_explain(policy, identity, development, ""))


def _explain(policy: Policy, identity: Identity, development: bool, path: str) -> list[Finding]:
    if isinstance(policy, Match):
        prefix = f"{path}." if path else ""
        return [
            Finding(prefix + name, expected, got, ok)
            for name, expected, got, ok in _rows(policy, identity, development)
        ]
    word = "any" if isinstance(policy, AnyOf) else "all"
    start = f"{path}.{word}" if path else word
    return [
        finding
        for index, member in enumerate(policy.members)
        for finding in _explain(member, identity, development, f"{start}[{index}]")
    ]


def _rows(match: Match, identity: Identity, development: bool) -> list[tuple[str, str, str, bool]]:
    if match.measurement:
        same = match.measurement == identity.measurement
        rows = [("measurement", match.measurement.hex(), identity.measurement.hex(), same)]
    else:
        product, minimum = match.product_id, match.minimum_svn
        same = match.signer == identity.signer
        is_product = product == identity.product_id
        rows = [
            ("signer", match.signer.hex(), identity.signer.hex() or "none", same),
            ("product_id", str(product), str(identity.product_id), is_product),
            ("minimum_svn", f">= {minimum}", str(identity.svn), identity.svn >= minimum),
        ]
    status = identity.tcb_status
    unlisted = has_unlisted_advisories(match, identity)
    debug_allowed = match.allow_debug and development
    wanted_debug = "any" if debug_allowed else "no"
    rows += [
        ("tcb_status", _join(match.tcb_statuses), status, status in match.tcb_statuses),
        (
            "advisories",
            _join(match.advisories) if match.advisories else "none, or UpToDate",
            _join(identity.advisories),
            not unlisted,
        ),
        (
            "debug",
            wanted_debug,
            "yes" if identity.debug else "no",
            debug_allowed or not identity.debug,
        ),
    ]
    if match.platform_ids:
        enrolled = f"one of {len(match.platform_ids)} enrolled"
        is_enrolled = identity.platform_id in match.platform_ids
        rows.append(("platform_id", enrolled, identity.platform_id.hex() or "none", is_enrolled))
    return rows


def _join(words: tuple[str, ...]) -> str:
    return ",".join(words) or "none"
