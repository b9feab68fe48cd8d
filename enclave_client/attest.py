"""Judging a node's Hello: is the one at the other end this network's key service? Pure.

1. TLS: the answer speaks of the certificate that TLS showed us (not when `proxied`).
2. Network: SHA-256 of its genesis is the pinned network id.
3. Trust document: genesis names exactly the pinned log key, cosigners, witnesses and thresholds,
   and the pinned profile; outside of development it believes hardware vendors only.
4. Checkpoint: both checkpoints are certified by the pinned rule and cosigned within 15 minutes.
5. Evidence: it verifies with collateral that the ledger put in force (`collateral`), under the
   pinned roots, pins and floor.
6. Identity: the pinned key-service policy admits it.
7. Report data: it binds this network, trust document, service key and checkpoint, and no other.
8. Signature: the service key signed our nonce, the TLS key, the evidence and the checkpoint.
Only then is anything sent that could be a secret's. Not here: our own evidence (`session`).
"""

import hashlib
import hmac
from dataclasses import dataclass

from attestation.errors import AttestationError, CannotDecideError
from attestation.explain import explain
from attestation.handshake import (
    KEY_SERVICE_LABEL,
    NO_SERVICE_KEY,
    ReportBinding,
    evidence_digest,
    hello_transcript,
    report_data,
    verify_report_data,
)
from attestation.identity import Identity
from attestation.judging import Subject, is_admitted
from attestation.renewal import renewal_words
from attestation.rules import VerificationRules
from attestation.vendors import verify_production_trust
from attestation.verdict import Verdict
from attestation.verify import collateral_key, verify
from enclave_client.checkpoints import CheckpointBook
from enclave_client.collateral import (
    CollateralFloor,
    collateral_for,
    verify_current,
    verify_offered,
)
from enclave_client.errors import AttestationFailedError, Check, LogForkedError, ReceiptInvalidError
from enclave_client.network_file import NetworkFile, profile_name
from enclave_client.wire import HelloAnswer
from ledger.crypto import ed25519
from ledger.errors import FormatError
from ledger.format.genesis import Genesis, decode_genesis, network_id
from ledger.format.trust import TrustDocument, decode_trust, quorum_rule, trust_digest
from ledger.log.checkpoint import Checkpoint

MAX_CHECKPOINT_AGE_S = 15 * 60
MAX_SKEW_S = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What we asked with: 32 random bytes, the TLS key's digest (None when proxied), our clock."""

    nonce: bytes
    spki_digest: bytes | None
    now_s: int


@dataclass(frozen=True, slots=True)
class Peer:
    """A node that proved itself, and what its genesis says."""

    genesis: Genesis
    trust: TrustDocument
    trust_digest: bytes
    identity: Identity
    latest: Checkpoint  # recent and certified: what our own evidence names


def verify_hello(
    answer: HelloAnswer,
    asked: Asked,
    network: NetworkFile,
    book: CheckpointBook,
    floor: CollateralFloor,
) -> Peer:
    """The proven peer (1 to 8 above); AttestationFailedError names the step that failed."""
    _verify_tls(answer, asked)  # 1
    genesis, trust = _genesis(answer.genesis, network)  # 2
    _verify_trust(genesis, trust, network)  # 3
    evidenced = _checkpoint(answer.checkpoint, asked, book)  # 4
    latest = _checkpoint(answer.latest_checkpoint, asked, book)
    if answer.collateral is not None:  # 5
        verify_offered(answer.collateral, network, book)
    rules = network.verification_rules(trust)
    verdict = _verdict(answer, genesis, rules, asked, floor)
    _verify_identity(verdict.identity, network, asked)  # 6
    digest = trust_digest(genesis.trust)
    binding = ReportBinding(
        network_id=network.network_id,
        trust_digest=digest,
        own_keys=(trust.service_key,),
        peer_service_key=NO_SERVICE_KEY,
        size=evidenced.size,
        root=evidenced.root,
    )
    _verify_report_data(verdict, binding)  # 7
    _verify_signature(answer, asked, network.network_id, trust.service_key)  # 8
    return Peer(genesis, trust, digest, verdict.identity, latest)


def _verify_tls(answer: HelloAnswer, asked: Asked) -> None:
    if asked.spki_digest is None:
        return
    if not hmac.compare_digest(answer.tls_spki_digest, asked.spki_digest):
        raise AttestationFailedError(
            Check.TLS,
            "the node speaks of another TLS key than the one at this endpoint",
            "someone stands between; if that is a proxy of yours, connect with proxied=True",
        )


def _genesis(data: bytes, network: NetworkFile) -> tuple[Genesis, TrustDocument]:
    if network_id(data) != network.network_id:
        raise AttestationFailedError(
            Check.NETWORK,
            "the node is of another network than the network file pins",
            "check the endpoint, or take the network file of the network that you mean",
        )
    try:
        genesis = decode_genesis(data)
        return genesis, decode_trust(genesis.trust)
    except FormatError as error:
        raise AttestationFailedError(Check.NETWORK, f"genesis does not decode: {error}") from error


def _verify_trust(genesis: Genesis, trust: TrustDocument, network: NetworkFile) -> None:
    ours, theirs = network.rule(), quorum_rule(trust)
    pairs = {
        "profile": (network.profile, profile_name(genesis)),
        "log key": (ours.log_key, theirs.log_key),
        "cosigners": (set(ours.cosigners), set(theirs.cosigners)),
        "quorum": (ours.threshold, theirs.threshold),
        "witnesses": (set(ours.witnesses), set(theirs.witnesses)),
        "witness quorum": (ours.witness_threshold, theirs.witness_threshold),
    }
    for field, (pinned, shown) in pairs.items():
        if pinned != shown:
            raise AttestationFailedError(
                Check.TRUST_DOCUMENT,
                f"its {field} is not the one that the network file pins",
                "the network file was changed or is out of date: take a new one from an operator",
            )
    if network.is_development:
        return
    try:
        verify_production_trust(trust.roots, trust.tcb_signer_pins)
    except AttestationError as error:
        raise AttestationFailedError(
            Check.TRUST_DOCUMENT,
            f"it believes others than the vendors of hardware: {error}",
            "whoever holds such a root can pretend to be any enclave: do not use this network",
        ) from error


def _checkpoint(note: bytes, asked: Asked, book: CheckpointBook) -> Checkpoint:
    try:
        certified = book.verify(note)
    except LogForkedError:
        raise
    except ReceiptInvalidError as error:
        raise AttestationFailedError(Check.CHECKPOINT, error.message, error.hint) from error
    age_s = asked.now_s - certified.time_s
    if not -MAX_SKEW_S <= age_s <= MAX_CHECKPOINT_AGE_S + MAX_SKEW_S:
        raise AttestationFailedError(
            Check.CHECKPOINT,
            f"its checkpoint was cosigned {age_s} seconds ago by this clock, at most "
            f"{MAX_CHECKPOINT_AGE_S} allowed",
            "the node shows an old log or stands still, or this machine's clock is wrong",
        )
    return certified.checkpoint


def _verdict(
    answer: HelloAnswer,
    genesis: Genesis,
    rules: VerificationRules,
    asked: Asked,
    floor: CollateralFloor,
) -> Verdict:
    evidence, known = answer.evidence, genesis.collateral
    key = ""
    try:
        key = collateral_key(evidence)
        collateral = collateral_for(key, known, answer.collateral, rules.roots)
        facts = verify_current(key, collateral, known, rules, asked.now_s)
        floor.verify(facts)
        verdict = verify(evidence, collateral, rules, asked.now_s)
    except CannotDecideError as error:
        raise AttestationFailedError(
            Check.EVIDENCE,
            f"it cannot be judged: {error}",
            "the network's collateral is out of date or the network file's floor is above it"
            + (f": {renewal_words(key, rules.roots)}" if key else ""),
        ) from error
    except AttestationError as error:
        raise AttestationFailedError(
            Check.EVIDENCE, str(error), "the node's quote does not come from a believed platform"
        ) from error
    floor.raise_to(facts)
    return verdict


def _verify_identity(identity: Identity, network: NetworkFile, asked: Asked) -> None:
    policy, development, now_s = network.policy(), network.is_development, asked.now_s
    if not is_admitted(policy, identity, development=development, now_s=now_s):
        wrong = next(
            (
                f"{finding.field}: expected {finding.expected}, got {finding.got}"
                for finding in explain(
                    policy, Subject(identity), development=development, now_s=now_s
                )
                if not finding.ok
            ),
            "nothing matches",
        )
        raise AttestationFailedError(
            Check.IDENTITY,
            f"the enclave is not one that the network file admits ({wrong})",
            "the node runs other code; a new version needs a network file that names it",
        )


def _verify_report_data(verdict: Verdict, binding: ReportBinding) -> None:
    try:
        verify_report_data(verdict.report_data, report_data(KEY_SERVICE_LABEL, binding))
    except AttestationError as error:
        raise AttestationFailedError(
            Check.REPORT_DATA,
            "the quote was made for another network, trust document, service key or checkpoint",
            "right code in the wrong place: do not use this endpoint",
        ) from error


def _verify_signature(
    answer: HelloAnswer, asked: Asked, network: bytes, service_key: bytes
) -> None:
    try:
        transcript = hello_transcript(
            network_id=network,
            client_nonce=asked.nonce,
            tls_spki_digest=answer.tls_spki_digest,
            evidence_digest=evidence_digest(answer.evidence),
            checkpoint_digest=hashlib.sha256(answer.checkpoint).digest(),
        )
    except AttestationError as error:
        raise AttestationFailedError(Check.SIGNATURE, str(error)) from error
    if not ed25519.is_valid(service_key, answer.signature, transcript):
        raise AttestationFailedError(
            Check.SIGNATURE,
            "the answer is not signed by the attested service key for this call",
            "someone repeats or changes another node's answers",
        )
