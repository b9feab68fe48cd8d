"""The founding core's own evidence: judged like a stranger's, and made into the core policy.

1. The platform makes evidence over 64 random bytes.
2. The collateral for it is among what genesis will hold; the verifier accepts it with that.
3. The policy that clients will pin is read off the verified identity: this signer's product from
   this version on (SGX), this code (TDX), this code on a processor of this line with firmware that
   is not older (SEV-SNP).
4. The identity passes that policy now: a platform whose TCB is not UpToDate, or which advisories
   speak of, is admitted only where the founder says so.
Whatever fails, fails before anything is founded on it.
"""

import asyncio
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass

from attestation.conditions import SnpMatch
from attestation.errors import AttestationError, EvidenceError, EvidenceFault
from attestation.explain import explain
from attestation.fields import SnpFields
from attestation.handshake import REPORT_DATA_SIZE
from attestation.identity import NOT_RATED, Identity
from attestation.judging import Subject, is_admitted
from attestation.platforms.platform import Platform
from attestation.policy import Match, verify_policy
from attestation.rules import VerificationRules
from attestation.verdict import Verdict
from attestation.verify import collateral_key, verify
from node.errors import ConfigError

_UP_TO_DATE = "UpToDate"
_HINTS = {
    EvidenceFault.DEBUG: "build and sign the enclave without debugging (sgx.debug = false)",
    EvidenceFault.UNKNOWN_ROOT: "give the collateral of the vendor that made this machine",
    EvidenceFault.NO_TCB_LEVEL: "update the machine's microcode and firmware",
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the founder accepts of the core's platforms, beyond UpToDate without advisories."""

    tcb_statuses: tuple[str, ...] = ()
    advisories: tuple[str, ...] = ()


STRICT = Accepted()


async def prove_core(
    platform: Platform,
    collateral: Mapping[str, bytes],
    rules: VerificationRules,
    now_s: int,
) -> Identity:
    """Who this program is, by its own evidence (1 and 2 above); `collateral` is verified.

    Raises PlatformError if there is no evidence, ConfigError if it is refused.
    """
    asked = os.urandom(REPORT_DATA_SIZE)
    evidence = await platform.evidence(asked)
    verdict = await asyncio.to_thread(_verify, evidence, collateral, rules, now_s)
    if not hmac.compare_digest(verdict.report_data, asked):
        raise ConfigError("this platform's evidence is over other report data than was asked for")
    return verdict.identity


def core_policy(identity: Identity, accepted: Accepted, now_s: int) -> Match:
    """The policy that admits this core and its successors (3 and 4 above); else ConfigError."""
    policy = _match(identity, accepted)
    try:
        verify_policy(policy)
    except AttestationError as error:
        hint = "--tcb-status and --advisory take the words of the vendor's TCB documents"
        raise ConfigError(f"no core policy can be made: {error}", hint) from error
    if not is_admitted(policy, identity, development=True, now_s=now_s):
        found = explain(policy, Subject(identity), development=True, now_s=now_s)
        said = "; ".join(
            f"{one.field}: expected {one.expected}, got {one.got}" for one in found if not one.ok
        )
        raise ConfigError(
            f"this machine does not pass the strict core policy: {said}", _ask(identity)
        )
    return policy


def _verify(
    evidence: bytes, collateral: Mapping[str, bytes], rules: VerificationRules, now_s: int
) -> Verdict:
    try:
        key = collateral_key(evidence)
        if key not in collateral:
            raise ConfigError(
                f"no collateral for this platform: it is {key}, given are "
                f"{', '.join(collateral) or 'none'}",
                f"fetch the collateral of {key} and give it with --collateral FILE",
            )
        return verify(evidence, collateral[key], rules, now_s)
    except AttestationError as error:
        hint = _HINTS.get(EvidenceFault(error.code), "") if isinstance(error, EvidenceError) else ""
        raise ConfigError(f"this platform's own evidence is refused: {error}", hint) from error


def _match(identity: Identity, accepted: Accepted) -> Match:
    if isinstance(identity.fields, SnpFields):
        # The numbers of one product line say nothing about another one's firmware.
        fields = identity.fields
        minimum = SnpMatch(minimum_tcb=fields.reported_tcb, products=(fields.product,))
        return Match(measurement=identity.measurement, tee=minimum)
    statuses = tuple(sorted({_UP_TO_DATE, *accepted.tcb_statuses}))
    advisories = tuple(sorted(set(accepted.advisories)))
    if identity.platform == "sgx":
        return Match(
            signer=identity.signer,
            product_id=identity.product_id,
            minimum_svn=identity.svn,
            tcb_statuses=statuses,
            advisories=advisories,
        )
    return Match(measurement=identity.measurement, tcb_statuses=statuses, advisories=advisories)


def _ask(identity: Identity) -> str:
    """What to type to accept the platform as it is."""
    if identity.tcb_status == NOT_RATED:
        return "change how this guest is launched"
    words = [f"--tcb-status {identity.tcb_status}"] * (identity.tcb_status != _UP_TO_DATE)
    words += [f"--advisory {name}" for name in identity.advisories]
    return f"update the machine; or, if you have read what that means: {' '.join(words)}"
