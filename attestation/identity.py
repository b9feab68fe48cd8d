"""Who an enclave is: the fields of a verified quote that policies judge, in one canonical form.

Rules: an `Identity` is made by `attestation.verify` or decoded from bytes that a verdict carried;
both go through the same checks. `measurement` is MRENCLAVE for SGX (32 bytes), the digest of all
measured registers for TDX (48 bytes, docs/spec/attestation.md), MEASUREMENT for SEV-SNP (48 bytes).
`signer` is MRSIGNER for SGX and ID_KEY_DIGEST for SNP; an empty one can be named by no policy. What
one TEE alone says stands in `fields`. Judging is `attestation.policy`.
"""

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise

from attestation.errors import DecodeError
from attestation.fields import (
    SgxFields,
    SnpFields,
    TdxFields,
    TeeFields,
    fields_message,
    fields_of_message,
    verify_fields,
)
from attestation.wire import decode_message, encode_message
from sealedger.v1 import attestation_pb2 as pb

MAX_IDENTITY_BYTES = 3072
MAX_ADVISORIES = 64
MAX_PLATFORM_ID = 64
MAX_U16 = 0xFFFF
MAX_U32 = 0xFFFFFFFF
MAX_TIME_S = 2**40

NOT_RATED = "NotRated"  # SEV-SNP: the vendor publishes no status for a TCB
UNKNOWN = "unknown"  # nobody judged the platform yet: no verified identity, and no policy, says so

TCB_STATUSES = frozenset(
    {
        "UpToDate",
        "SWHardeningNeeded",
        "ConfigurationNeeded",
        "ConfigurationAndSWHardeningNeeded",
        "OutOfDate",
        "OutOfDateConfigurationNeeded",
        "TDRelaunchAdvised",
        "TDRelaunchAdvisedConfigurationNeeded",
    }
)

_DIGEST_SIZES = (32, 48)
_PLATFORM_CODES = {
    "sgx": pb.TEE_PLATFORM_SGX,
    "tdx": pb.TEE_PLATFORM_TDX,
    "snp": pb.TEE_PLATFORM_SNP,
}
_FIELDS = {"sgx": SgxFields, "tdx": TdxFields, "snp": SnpFields}
_PLATFORM_NAMES = {code: name for name, code in _PLATFORM_CODES.items()}
_ADVISORY = re.compile(r"[A-Za-z0-9-]{1,32}", re.ASCII)
_IDENTITY_LABEL = b"sealedger/identity/1\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An enclave as its verified quote describes it. Unchecked until encoded or verified."""

    platform: str  # "sgx", "tdx" or "snp"
    measurement: bytes  # 32 bytes (SGX) or 48
    signer: bytes = b""  # 32 or 48 bytes, or empty
    product_id: int = 0
    svn: int = 0
    debug: bool = False
    tcb_status: str = "UpToDate"  # one of TCB_STATUSES; NOT_RATED for SNP
    tcb_date_s: int = 0  # Unix time of the platform's TCB level; 0 where there is none
    advisories: tuple[str, ...] = ()  # sorted, no repeats
    platform_id: bytes = b""  # PPID of an Intel platform, CHIP_ID of an AMD one, or empty
    fmspc: bytes = b""  # 6 bytes on Intel platforms, else empty
    fields: TeeFields


def verify_identity(identity: Identity) -> None:
    """Check the sizes and ranges of every field; raises DecodeError naming the first bad one."""
    checks = (
        ("platform", identity.platform in _PLATFORM_CODES),
        ("fields", type(identity.fields) is _FIELDS.get(identity.platform)),
        ("measurement", len(identity.measurement) == (32 if identity.platform == "sgx" else 48)),
        ("signer", not identity.signer or len(identity.signer) in _DIGEST_SIZES),
        ("product_id", 0 <= identity.product_id <= MAX_U16),
        ("svn", 0 <= identity.svn <= MAX_U32),
        ("tcb_status", identity.tcb_status in _statuses(identity)),
        ("tcb_date", 0 <= identity.tcb_date_s <= MAX_TIME_S),
        ("advisories", is_advisory_list(identity.advisories)),
        ("platform_id", len(identity.platform_id) <= MAX_PLATFORM_ID),
        ("fmspc", len(identity.fmspc) in (0, 6)),
    )
    for name, is_good in checks:
        if not is_good:
            raise DecodeError(f"identity: bad {name}")
    verify_fields(identity.fields)


def _statuses(identity: Identity) -> frozenset[str]:
    return frozenset({NOT_RATED}) if identity.platform == "snp" else TCB_STATUSES


def is_advisory_list(advisories: tuple[str, ...]) -> bool:
    """Whether these are at most 64 advisory names of 1-32 characters, sorted without repeats."""
    return (
        len(advisories) <= MAX_ADVISORIES
        and all(_ADVISORY.fullmatch(name) for name in advisories)
        and all(a < b for a, b in pairwise(advisories))
    )


def identity_message(identity: Identity) -> pb.EnclaveIdentity:
    """The checked message of an identity, for codecs that embed it; raises DecodeError."""
    verify_identity(identity)
    message = pb.EnclaveIdentity(
        platform=_PLATFORM_CODES[identity.platform],
        measurement=identity.measurement,
        signer=identity.signer,
        product_id=identity.product_id,
        svn=identity.svn,
        debug=identity.debug,
        tcb_status=identity.tcb_status,
        advisories=identity.advisories,
        platform_id=identity.platform_id,
        fmspc=identity.fmspc,
        tcb_date_s=identity.tcb_date_s,
    )
    getattr(message, identity.platform).CopyFrom(fields_message(identity.fields))
    return message


def identity_of_message(message: pb.EnclaveIdentity) -> Identity:
    """The checked identity of a message that was decoded strictly; raises DecodeError."""
    identity = Identity(
        platform=_PLATFORM_NAMES.get(message.platform, ""),
        measurement=message.measurement,
        signer=message.signer,
        product_id=message.product_id,
        svn=message.svn,
        debug=message.debug,
        tcb_status=message.tcb_status,
        advisories=tuple(message.advisories),
        platform_id=message.platform_id,
        fmspc=message.fmspc,
        tcb_date_s=message.tcb_date_s,
        fields=fields_of_message(message),
    )
    verify_identity(identity)
    return identity


def encode_identity(identity: Identity) -> bytes:
    """The canonical bytes, at most 3,072; raises DecodeError for a field outside its range."""
    return encode_message(identity_message(identity), MAX_IDENTITY_BYTES)


def decode_identity(data: bytes) -> Identity:
    """The identity of canonical bytes; raises DecodeError for anything else."""
    return identity_of_message(decode_message(pb.EnclaveIdentity, data, MAX_IDENTITY_BYTES))


def identity_digest(encoded: bytes) -> bytes:
    """SHA-256 over the label ``sealedger/identity/1`` NUL and the canonical identity bytes."""
    return hashlib.sha256(_IDENTITY_LABEL + encoded).digest()
