"""Why no policy admits an enclave, in words for whoever presented its verified evidence.

Rules: it decides nothing, and is asked only when the rules have said NOT_ADMITTED. What a policy
asks is told of those matches alone that speak of this very code, so to whoever runs it; of the one
that misses least. A bounded number of policies is looked at: an answer costs under 3 ms.
"""

from collections.abc import Iterator
from itertools import islice

from attestation.explain import Finding, explain
from attestation.facts import decode_facts
from attestation.fields import TdxFields
from attestation.identity import Identity, encode_identity
from attestation.judging import Subject
from attestation.policy import Match, TdxMatch, decode_policy, matches_of
from attestation.verdict import decode_verdict
from contracts.admission import policies_of_code
from contracts.facts import facts_for
from contracts.registry import names_of_releases
from contracts.view import StateView

MAX_POLICIES = 4
MAX_MATCHES = 16
MAX_FINDINGS = 3
_MAX_VALUE = 100  # characters of what was expected, or came


def why_not_admitted(view: StateView, verdict: bytes, *, development: bool, now_s: int) -> str:
    """One line: what the nearest policy asks and what came, or that none speaks of the code.

    `verdict` is the block's on the evidence, `now_s` block time in Unix seconds.
    """
    identity = decode_verdict(verdict).identity
    nearest: tuple[Finding, ...] = ()
    for match, subject in islice(_spoken_of(view, identity), MAX_MATCHES):
        found = explain(match, subject, development=development, now_s=now_s)
        missed = tuple(one for one in found if not one.ok)
        if missed and (not nearest or len(missed) < len(nearest)):
            nearest = missed
    if not nearest:
        return f"no collection's policy names this code: {_code(identity)}"
    said = list(map(_words, nearest[:MAX_FINDINGS]))
    if len(nearest) > MAX_FINDINGS:
        said.append(f"and {len(nearest) - MAX_FINDINGS} more")
    return f"a policy names this code, and asks for more: {'; '.join(said)}"


def _spoken_of(view: StateView, identity: Identity) -> Iterator[tuple[Match, Subject]]:
    """Each match that speaks of the code, with what the ledger knows as far as its policy asks."""
    encoded = encode_identity(identity)
    releases = names_of_releases(view, encoded)
    for policy in islice(policies_of_code(view, encoded), MAX_POLICIES):
        subject = Subject(identity, decode_facts(facts_for(view, policy, encoded)))
        for match in matches_of(decode_policy(policy)):
            if _speaks_of(match, identity, releases):
                yield match, subject


def _speaks_of(match: Match, identity: Identity, releases: frozenset[str]) -> bool:
    if match.measurement:
        return match.measurement == identity.measurement
    if match.signer:
        named = (match.signer, match.product_id)
        return named == (identity.signer, identity.product_id)
    if match.release is not None:
        return match.release.name in releases
    tee, fields = match.tee, identity.fields
    if isinstance(tee, TdxMatch) and isinstance(fields, TdxFields):
        return tee.mr_td == fields.mr_td
    return False


def _words(missed: Finding) -> str:
    got = "no" if missed.ledger_only else _short(missed.got)  # here is the ledger: it does not
    return f"{missed.field}: expected {_short(missed.expected)}, got {got}"


def _code(identity: Identity) -> str:
    signer = f", signer {identity.signer.hex()}, product {identity.product_id}"
    return f"measurement {identity.measurement.hex()}{signer if identity.signer else ''}"


def _short(value: str) -> str:
    return value if len(value) <= _MAX_VALUE else f"{value[: _MAX_VALUE - 3]}..."
