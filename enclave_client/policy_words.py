"""A policy in words for people: whom it admits, and whatever is not the strict default.

What a wallet shows of a policy is another text, which the signature binds
(`ledger.format.policy_text`).
"""

from attestation.policy import AllOf, AnyOf, Match, Policy

# Admits no enclave: a measurement of zeros would be a preimage of them. What an owner writes who
# alone puts values into a collection; an empty list is no policy.
NOBODY = Match(measurement=bytes(32))


def policy_words(policy: Policy) -> str:
    """One line."""
    if policy == NOBODY:
        return "nobody"
    if isinstance(policy, Match):
        return ", ".join((_name(policy), *_conditions(policy)))
    word = {AnyOf: "any", AllOf: "all"}[type(policy)]
    return f"{word} of ({'; '.join(map(policy_words, policy.members))})"


def _name(match: Match) -> str:
    if match.measurement:
        return f"measurement {match.measurement.hex()}"
    return (
        f"signer {match.signer.hex()}, product {match.product_id}, SVN {match.minimum_svn} or newer"
    )


def _conditions(match: Match) -> list[str]:
    words = []
    if match.tcb_statuses != ("UpToDate",):
        words.append(f"TCB status {' or '.join(match.tcb_statuses)}")
    if match.advisories:
        words.append(f"advisories allowed: {' '.join(match.advisories)}")
    if match.allow_debug:
        words.append("debug allowed")
    if match.platform_ids:
        words.append(f"on platform {' or '.join(one.hex() for one in match.platform_ids)}")
    return words
