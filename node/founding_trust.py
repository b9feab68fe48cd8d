"""What a new network believes: the roots, pins and collateral that its genesis names.

1. Collateral comes from files that the founder fetched: each file by itself, and all of AMD's
   certificates and revocation lists together.
2. Its root is a vendor's. A development network may have others, each given as a file of its own,
   so that a root never slips in with collateral; one that no collateral ends in is a mistake.
3. The signers of TCB documents are pinned as they stand in the collateral: a vendor's is known.
4. All of it is judged as a node judges it before genesis is written, at the founder's time and
   within the limits that the founder sets.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from attestation.collateral import (
    Collateral,
    DcapCollateral,
    SnpCollateral,
    encode_collateral,
)
from attestation.collateral_files import MAX_FILE_BYTES, canonical_chain, read_collateral_files
from attestation.dcap.certificates import load_certificate, spki_digest
from attestation.dcap.pem import decode_chain
from attestation.errors import AttestationError, CannotDecideError, DecisionFault, DecodeError
from attestation.platforms.software import SoftwareTrust
from attestation.rules import VerificationRules, load_root
from attestation.vendors import root_of, verify_production_trust
from attestation.verify import verify_collateral
from node.errors import ConfigError

_HINTS = {
    DecisionFault.COLLATERAL_NUMBER: "choose --tcb-floor and --tcb-ceiling around it, or give "
    "another edition",
    DecisionFault.COLLATERAL_EXPIRED: "fetch it again: it is valid for some weeks",
    DecisionFault.COLLATERAL_FROM_FUTURE: "look at this machine's clock",
    DecisionFault.COLLATERAL_NO_REVOCATIONS: "give AMD's revocation list of this line as well",
    DecisionFault.COLLATERAL_UNTRUSTED: "fetch it again, from the vendor's service or a PCCS",
}


@dataclass(frozen=True, slots=True)
class CollateralLimits:
    """Which collateral the network uses: any real number, none past its end, if nothing is said.

    Floor and ceiling are of tcbEvaluationDataNumber, which AMD's collateral does not have.
    """

    grace_s: int = 0  # how long it is used past its end, at most ledger.format.trust.MAX_GRACE_S
    tcb_floor: int = 1
    tcb_ceiling: int = 0  # 0: none


USUAL = CollateralLimits()


@dataclass(frozen=True, slots=True)
class FoundingTrust:
    """What genesis names; nothing of it is secret."""

    roots: tuple[bytes, ...]  # DER
    tcb_signer_pins: tuple[bytes, ...]  # SHA-256 of SubjectPublicKeyInfo
    collateral: tuple[bytes, ...]  # encoded, one for each kind of platform
    limits: CollateralLimits = USUAL

    @property
    def rules(self) -> VerificationRules:
        """What the first node will verify by."""
        return VerificationRules(
            roots=self.roots,
            tcb_signer_pins=self.tcb_signer_pins,
            evaluation_floor=self.limits.tcb_floor,
            evaluation_ceiling=self.limits.tcb_ceiling,
            grace_s=self.limits.grace_s,
        )

    def joined(self, other: "FoundingTrust") -> "FoundingTrust":
        """Both, each thing once, under the limits of this one."""
        return replace(
            self,
            roots=_once((*self.roots, *other.roots)),
            tcb_signer_pins=_once((*self.tcb_signer_pins, *other.tcb_signer_pins)),
            collateral=_once((*self.collateral, *other.collateral)),
        )


NOTHING = FoundingTrust((), (), ())
_FETCH = "sealedger collateral fetch KEY writes such a file"


def software_trust(trust: SoftwareTrust) -> FoundingTrust:
    """What a directory of the software platform brings into a development network."""
    return FoundingTrust((trust.root,), trust.tcb_signer_pins, (trust.collateral,))


def read_trust_files(collateral: Sequence[Path], roots: Sequence[Path]) -> FoundingTrust:
    """What files say (1 to 3 above); ConfigError names the file and what would be right."""
    given = {_read_root(path): path for path in roots}
    found = NOTHING
    for one in _read_collateral(collateral):
        found = found.joined(_trust_of(one, given))
    for root, path in given.items():
        if root not in found.roots:
            raise ConfigError(
                f"{path}: no collateral ends in this root",
                "give the collateral that is signed under it, or leave --root out",
            )
    return found


def verify_trust(trust: FoundingTrust, now_s: int) -> dict[str, bytes]:
    """Judge all collateral at Unix time `now_s` (4 above); it comes back by its keys.

    Raises ConfigError for what a node would refuse, and for two of one key.
    """
    found: dict[str, bytes] = {}
    for data in trust.collateral:
        try:
            facts = verify_collateral(data, trust.rules, now_s).facts
        except CannotDecideError as error:
            hint = _HINTS.get(DecisionFault(error.code), "")
            at = datetime.fromtimestamp(now_s, UTC).isoformat()
            raise ConfigError(f"collateral cannot be used at {at}: {error}", hint) from error
        if facts.key in found:
            raise ConfigError(f"collateral for {facts.key} twice", "give the newer one only")
        found[facts.key] = data
    return found


def _read_collateral(paths: Sequence[Path]) -> list[Collateral]:
    found: list[Collateral] = []
    parts: dict[Path, bytes] = {}
    for path in paths:
        data = _read(path, MAX_FILE_BYTES)
        one = _whole(path, data)
        if one is None:
            parts[path] = data
        else:
            found.append(one)
    if parts:
        named = ", ".join(map(str, parts))
        try:
            found.append(read_collateral_files(tuple(parts.values())))
        except DecodeError as error:
            hint = (
                "what sealedger collateral fetch --save wrote, a verifier's nine fields in JSON, "
                "or AMD's certificates and revocation list, of one product line only"
            )
            raise ConfigError(f"{named}: {error}", hint) from error
    return found


def _whole(path: Path, data: bytes) -> Collateral | None:
    """The collateral of one file, or None for what may be a part of AMD's."""
    try:
        one = read_collateral_files((data,))
    except DecodeError as error:
        if data.lstrip()[:1] == b"{":
            raise ConfigError(f"{path}: {error}", _FETCH) from error
        return None
    return None if isinstance(one, SnpCollateral) and not one.crl else one


def _trust_of(collateral: Collateral, given: dict[bytes, Path]) -> FoundingTrust:
    try:
        root = root_of(collateral)
        pins = _signers(collateral)
        if root not in given:
            verify_production_trust((root,), pins)
    except AttestationError as error:
        hint = "a development network may believe another root: --root FILE"
        raise ConfigError(f"collateral that cannot be believed: {error}", hint) from error
    return FoundingTrust((root,), pins, (encode_collateral(collateral),))


def _signers(collateral: Collateral) -> tuple[bytes, ...]:
    """The pins of those who signed the TCB documents; none for SEV-SNP."""
    if not isinstance(collateral, DcapCollateral):
        return ()
    chains = (collateral.tcb_info_issuer_chain, collateral.qe_identity_issuer_chain)
    signers = (load_certificate(decode_chain(chain.encode(), 2)[0]) for chain in chains)
    return _once(map(spki_digest, signers))


def _read_root(path: Path) -> bytes:
    """A root as DER from PEM or DER; ConfigError."""
    data = _read(path, MAX_FILE_BYTES)
    try:
        if data.lstrip().startswith(b"-----"):
            (data,) = decode_chain(canonical_chain(data).encode(), 1)
        load_root(data)
    except AttestationError as error:
        raise ConfigError(
            f"{path}: not one root certificate, PEM or DER: {error}",
            "a file with the root alone, which signs itself; leave --root out for a vendor's",
        ) from error
    return data


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", "check the name") from error
    if not 0 < len(data) <= limit:
        said = f"{path}: {len(data)} bytes, expected 1 to {limit}"
        raise ConfigError(said, "is it the right file?")
    return data


def _once(items: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(items))
