"""The state that genesis makes: parameters, collateral, platforms, collections, the policies
that admit.

What collateral says of itself is handed in (`attestation.verify.read_facts`): reading it takes
parsers that have no place among the rules.
"""

from attestation.collateral import CollateralFacts, collateral_digest
from attestation.errors import AttestationError
from attestation.policy import decode_policy
from ledger import keys
from ledger.errors import FormatError
from ledger.format.genesis import Genesis, Profile
from ledger.format.terms import CollectionTerms
from ledger.format.trust import decode_trust, trust_digest

from contracts.admission import admit_terms
from contracts.collateral import collateral_of, put_in_force
from contracts.enrolment import PlatformRecord, store_platform
from contracts.holdings import CollectionRecord, encode_collection
from contracts.records import Parameters, encode_parameters
from contracts.view import Changes

RULES_VERSION = 3


def parameters_of(genesis: Genesis) -> Parameters:
    """The rules' parameters as genesis sets them."""
    trust = decode_trust(genesis.trust)
    limits = genesis.limits
    return Parameters(
        trust_version=trust.version,
        epoch=trust.epoch,
        rules_version=trust.rules_version,
        rules_height=trust.rules_height,
        session_ms=limits.session_ms,
        skew_ms=limits.skew_ms,
        checkpoint_age_ms=limits.checkpoint_age_ms,
        receipt_age_ms=limits.receipt_age_ms,
        block_interval_ms=limits.block_interval_ms,
        value_bytes=limits.value_bytes,
        denials=limits.denials,
        owner_collections=limits.owner_collections,
        owner_bytes=limits.owner_bytes,
        identity_sessions=limits.identity_sessions,
        owner_releases=limits.owner_releases,
        grace_s=trust.grace_s,
        tcb_floor=trust.tcb_floor,
        tcb_ceiling=trust.tcb_ceiling,
        member_threshold=trust.member_threshold,
        trust_digest=trust_digest(genesis.trust),
        service_key=trust.service_key,
        is_development=genesis.profile is Profile.DEVELOPMENT,
        nodes=tuple(party.public_key for party in trust.cosigners),
        members=trust.members,
        auditors=genesis.auditors,
    )


def genesis_state(
    genesis: Genesis, facts: tuple[CollateralFacts, ...]
) -> dict[bytes, bytes | None]:
    """The first state; `facts` are those of genesis' collateral, in its order.

    Raises FormatError if a policy is not a valid one, or two collaterals are for the same key.
    """
    state = Changes(Nothing())
    state.put(keys.PARAMETERS, encode_parameters(parameters_of(genesis)))
    if len(facts) != len(genesis.collateral):
        raise FormatError("genesis: facts for other collateral than it holds")
    for data, one in zip(genesis.collateral, facts, strict=True):
        if collateral_of(state, one.key) is not None:
            raise FormatError(f"genesis: collateral for {one.key} twice")
        put_in_force(state, one, collateral_digest(data), 0)
    for platform_id in genesis.platforms:
        store_platform(state, platform_id, PlatformRecord(is_enrolled=True))
    for collection in genesis.collections:
        terms = CollectionTerms(collection.readers, collection.writers)
        for policy in (terms.readers, terms.writers):
            _verify_policy(collection.name, policy)
        admit_terms(state, terms)
        record = encode_collection(CollectionRecord(terms))
        state.put(keys.collection(collection.name), record)
    return state.writes


class Nothing:
    """The state before genesis."""

    def get(self, key: bytes) -> bytes | None:  # noqa: ARG002  (the port's signature)
        """None, whatever is asked."""
        return None


def _verify_policy(collection: str, policy: bytes) -> None:
    try:
        decode_policy(policy)
    except AttestationError as error:
        raise FormatError(f"genesis: collection {collection}: {error}") from error
