"""The network file: everything that a client or auditor pins about one network. Public, TOML.

Rules: frozen, unknown keys refused, bytes as hex (roots as PEM or base64 DER), every error names
the field and says what would be right. The network id pins genesis, and so everything that the
ledger itself says; roots, pins, floor and the key-service policy are what this client believes and
may be stricter than genesis. A network that is not for development believes hardware vendors only:
under a root of software anybody is any enclave. Not here: fetching anything.
"""

import base64
import binascii
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from attestation.errors import AttestationError
from attestation.policy import Policy, decode_policy, matches_of
from attestation.rules import VerificationRules
from attestation.vendors import verify_production_trust
from enclave_client.errors import NetworkFileError
from enclave_client.file_faults import first_fault
from enclave_client.policy_words import policy_words
from enclave_client.toml_files import decode_table
from ledger.errors import FormatError
from ledger.format.genesis import Genesis, decode_genesis, network_id
from ledger.format.trust import Party, TrustDocument, decode_trust, quorum_rule
from ledger.log.errors import LogError
from ledger.log.note import SignatureType, VerifierKey, decode_vkey, encode_vkey
from ledger.log.quorum import Cosigner, QuorumRule

MAX_FILE_BYTES = 256 * 1024
DEVELOPMENT_ORIGIN = "dev."
_HINT = "take network.toml from the home of a node that you trust"


def _hex(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise ValueError("must be hex digits") from None


def _certificate(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        if value.lstrip().startswith("-----"):
            return ssl.PEM_cert_to_DER_cert(value.strip())
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("must be one certificate, PEM or base64 of its DER") from None


Hex = Annotated[bytes, BeforeValidator(_hex), PlainSerializer(bytes.hex)]
Hex32 = Annotated[Hex, Field(min_length=32, max_length=32)]
Certificate = Annotated[
    bytes,
    BeforeValidator(_certificate),
    PlainSerializer(lambda der: base64.b64encode(der).decode()),
    Field(min_length=1),
]
Endpoint = Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PartyEntry(_Model):
    """A cosigner or witness: key name, Ed25519 key (hex), who operates it."""

    name: str
    public_key: Hex32
    operator: str


class LogEntry(_Model):
    """Who must have signed a checkpoint."""

    vkey: str  # the log key: name (which is the origin), key id, key
    quorum: int
    cosigners: tuple[PartyEntry, ...]
    witness_quorum: int = 0
    witnesses: tuple[PartyEntry, ...] = ()


class AttestationEntry(_Model):
    """What evidence is verified by."""

    roots: Annotated[tuple[Certificate, ...], Field(min_length=1)]
    tcb_signer_pins: tuple[Hex32, ...]  # SHA-256 of the SPKI; Intel's quotes need one
    tcb_floor: int = Field(default=0, ge=0)  # lowest tcbEvaluationDataNumber


class KeyServiceEntry(_Model):
    """Which enclaves may be the key service: canonical policy bytes, and words for people."""

    policy: Hex
    about: str = ""


class NetworkFile(_Model):
    """A checked network file; every part of it can be used."""

    network_id: Hex32
    name: str
    profile: Literal["development", "single", "consortium"]
    endpoints: Annotated[tuple[Endpoint, ...], Field(min_length=1)]
    log: LogEntry
    attestation: AttestationEntry
    key_service: KeyServiceEntry

    @property
    def origin(self) -> str:
        """The log's origin, which is its key's name."""
        return decode_vkey(self.log.vkey).name

    @property
    def is_development(self) -> bool:
        """Whether host and operator can do everything on this network."""
        return self.profile == "development" or self.origin.startswith(DEVELOPMENT_ORIGIN)

    def rule(self) -> QuorumRule:
        """Who must have signed a checkpoint."""
        return QuorumRule(
            log_key=decode_vkey(self.log.vkey),
            cosigners=tuple(Cosigner(_key(one), one.operator) for one in self.log.cosigners),
            threshold=self.log.quorum,
            witnesses=tuple(map(_key, self.log.witnesses)),
            witness_threshold=self.log.witness_quorum,
        )

    def policy(self) -> Policy:
        """Which enclaves may be the key service."""
        return decode_policy(self.key_service.policy)

    def verification_rules(self, trust: TrustDocument) -> VerificationRules:
        """What evidence is judged by: our roots, pins and floor; ceiling and grace of `trust`."""
        return VerificationRules(
            roots=self.attestation.roots,
            tcb_signer_pins=self.attestation.tcb_signer_pins,
            evaluation_floor=max(self.attestation.tcb_floor, trust.tcb_floor),
            evaluation_ceiling=trust.tcb_ceiling,
            grace_s=trust.grace_s,
        )

    def verify_allowed(self, *, allow_development: bool) -> None:
        """Refuse a development network unless the caller said that it wants one."""
        if self.is_development and not allow_development:
            raise NetworkFileError(
                f"network {self.name} ({self.origin}) is a development network: whoever runs its "
                "machine can read every secret",
                "for trials pass allow_development=True; for real secrets use another network",
            )

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for field, build in (("log", self.rule), ("key_service.policy", self.policy)):
            try:
                build()
            except (LogError, AttestationError) as error:
                raise ValueError(f"{field}: {error}") from error
        _verify_asks_no_ledger(self.policy())
        if self.origin.startswith(DEVELOPMENT_ORIGIN) != (self.profile == "development"):
            raise ValueError(
                "profile: origins that start with `dev.` are those of development networks"
            )
        if not self.is_development:
            self._verify_vendors()
        return self

    def _verify_vendors(self) -> None:
        attestation = self.attestation
        try:
            verify_production_trust(attestation.roots, attestation.tcb_signer_pins)
        except AttestationError as error:
            raise ValueError(f"attestation: {error}") from error

    @classmethod
    def load(cls, path: Path) -> "NetworkFile":
        """Read and check a file of at most 256 KiB; NetworkFileError names the bad field."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise NetworkFileError(
                f"network file {path}: {error.strerror or 'cannot be read'}", _HINT
            ) from error
        if len(data) > MAX_FILE_BYTES:
            raise NetworkFileError(f"network file {path}: over {MAX_FILE_BYTES} bytes", _HINT)
        return cls.parse(data, str(path))

    @classmethod
    def parse(cls, data: bytes, source: str = "given") -> "NetworkFile":
        """The checked file of TOML bytes; NetworkFileError names the bad field."""
        try:
            table = decode_table(data)
        except ValueError as error:
            raise NetworkFileError(f"network file {source}: not TOML: {error}", _HINT) from error
        try:
            return cls.model_validate(table)
        except ValidationError as error:
            message = f"network file {source}: {first_fault(error)}"
            raise NetworkFileError(message, _HINT) from error

    def encode(self) -> bytes:
        """The TOML bytes; `parse` gives the same file back."""
        table: dict[str, Any] = self.model_dump(mode="json")
        return tomli_w.dumps(table).encode()

    def save(self, path: Path) -> None:
        """Write the file; NetworkFileError if it cannot be written."""
        try:
            path.write_bytes(self.encode())
        except OSError as error:
            raise NetworkFileError(
                f"network file {path}: {error.strerror or 'cannot be written'}"
            ) from error

    @classmethod
    def from_genesis(cls, genesis: bytes, endpoints: tuple[str, ...]) -> "NetworkFile":
        """What a node gives to clients of its own genesis; FormatError if it is none."""
        decoded = decode_genesis(genesis)
        trust = decode_trust(decoded.trust)
        try:
            return cls(
                network_id=network_id(genesis),
                name=decoded.name,
                profile=profile_name(decoded),
                endpoints=endpoints,
                log=_log_entry(trust),
                attestation=AttestationEntry(
                    roots=trust.roots,
                    tcb_signer_pins=trust.tcb_signer_pins,
                    tcb_floor=trust.tcb_floor,
                ),
                key_service=KeyServiceEntry(
                    policy=trust.core_policy, about=policy_words(decode_policy(trust.core_policy))
                ),
            )
        except (ValidationError, AttestationError) as error:
            raise FormatError(f"genesis: makes no network file: {error}") from error


def profile_name(genesis: Genesis) -> Literal["development", "single", "consortium"]:
    """The profile's word in the network file."""
    words: tuple[Literal["development", "single", "consortium"], ...] = (
        "development",
        "single",
        "consortium",
    )
    return words[genesis.profile - 1]


def _verify_asks_no_ledger(policy: Policy) -> None:
    """A client believes no ledger before its key service, so it could never admit one by that."""
    for match in matches_of(policy):
        if match.release is not None:
            what, right = "an endorsed release", "measurement, signer or tdx.mr_td"
        elif match.enrolled:
            what, right = "an enrolled platform", "platform_ids"
        else:
            continue
        raise ValueError(
            f"key_service.policy: asks for {what}, but a client believes no ledger before its key "
            f"service; name the key service by {right}"
        )


def _log_entry(trust: TrustDocument) -> LogEntry:
    return LogEntry(
        vkey=encode_vkey(quorum_rule(trust).log_key),
        quorum=trust.quorum,
        cosigners=tuple(map(_party_entry, trust.cosigners)),
        witness_quorum=trust.witness_quorum,
        witnesses=tuple(map(_party_entry, trust.witnesses)),
    )


def _party_entry(party: Party) -> PartyEntry:
    return PartyEntry(name=party.name, public_key=party.public_key, operator=party.operator)


def _key(entry: PartyEntry) -> VerifierKey:
    return VerifierKey(entry.name, SignatureType.COSIGNATURE, entry.public_key)
