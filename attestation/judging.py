"""Whether a policy admits an enclave, and until when. Pure, and asked for each use of a session.

Rules:
1. Only an UpToDate platform passes unless the match lists other statuses; a status that comes with
   advisories passes only if each one is listed.
2. A match with `grace_s` lets another status than UpToDate pass only that long after the date of
   the platform's TCB level: then a known fault must have been mended.
3. A SEV-SNP guest has no status; it is admitted only by a match that says how old its TCB may be.
4. Debug enclaves pass only if the match allows them and the caller says that the network's profile
   is development.
5. A release match, and one that asks for an enrolled platform, ask what the ledger knows
   (`Subject.facts`); who knows nothing is refused.
The answer of a match holds until a time, so that it can be kept and compared with the clock.
"""

from dataclasses import dataclass

from attestation.conditions import SnpMatch, is_release_met, is_tee_met
from attestation.facts import NOTHING_KNOWN, Facts
from attestation.identity import NOT_RATED, Identity
from attestation.policy import AnyOf, Match, Policy

FOREVER = 2**63 - 1
NEVER = 0

_UP_TO_DATE = "UpToDate"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is judged: a verified identity, and what the ledger knows of it."""

    identity: Identity
    facts: Facts = NOTHING_KNOWN


def admitted_until(policy: Policy, subject: Subject, *, development: bool) -> int:
    """The Unix second before which a verified policy admits the subject: NEVER to FOREVER."""
    if isinstance(policy, Match):
        return _until(policy, subject, development)
    ends = [admitted_until(one, subject, development=development) for one in policy.members]
    if not ends:
        return NEVER
    return max(ends) if isinstance(policy, AnyOf) else min(ends)


def is_admitted(policy: Policy, identity: Identity, *, development: bool, now_s: int) -> bool:
    """Whether a verified policy admits an identity at Unix time `now_s`, away from the ledger."""
    return now_s < admitted_until(policy, Subject(identity), development=development)


def is_named(match: Match, subject: Subject) -> bool:
    """Whether the match speaks of this code, whatever else it asks."""
    identity = subject.identity
    if match.release is not None:
        return is_release_met(match.release, subject.facts.releases)
    if match.measurement:
        return match.measurement == identity.measurement
    if match.signer:
        return (
            match.signer == identity.signer
            and match.product_id == identity.product_id
            and identity.svn >= match.minimum_svn
        )
    return match.tee is not None  # by its MRTD, which is_tee_met compares


def has_unlisted_advisories(match: Match, identity: Identity) -> bool:
    """Whether the identity carries an advisory that this match does not tolerate."""
    if not identity.advisories or (identity.tcb_status == _UP_TO_DATE and not match.advisories):
        return False
    return any(name not in match.advisories for name in identity.advisories)


def status_until(match: Match, identity: Identity) -> int:
    """Until when the platform's status passes (1 to 3 above)."""
    if identity.tcb_status == NOT_RATED:
        return FOREVER if isinstance(match.tee, SnpMatch) else NEVER
    if identity.tcb_status not in match.tcb_statuses or has_unlisted_advisories(match, identity):
        return NEVER
    if identity.tcb_status == _UP_TO_DATE or not match.grace_s:
        return FOREVER
    return identity.tcb_date_s + match.grace_s if identity.tcb_date_s else NEVER


def _until(match: Match, subject: Subject, development: bool) -> int:
    identity = subject.identity
    is_met = (
        is_named(match, subject)
        and (match.tee is None or is_tee_met(match.tee, identity.fields))
        and (not identity.debug or (match.allow_debug and development))
        and (not match.platform_ids or identity.platform_id in match.platform_ids)
        and (not match.enrolled or subject.facts.is_enrolled)
    )
    return status_until(match, identity) if is_met else NEVER
