"""What a policy's match may ask of one kind of TEE, and of the ledger's releases. Pure.

Rules: what is empty (or None) is not looked at; a condition on one TEE admits no other TEE. Masked
flags are met when ``flags & mask == value``; a value has no bit outside its mask. An AMD report
comes with no judgement of its TCB, so `SnpMatch` always says how old it may be.
"""

from dataclasses import dataclass
from itertools import pairwise

from attestation.errors import DecodeError
from attestation.fields import (
    MAX_VMPL,
    PRODUCTS,
    SgxFields,
    SnpFields,
    SnpTcb,
    TdxFields,
    TeeFields,
    is_tcb,
)
from attestation.releases import MAX_RELEASE_NAME, EndorsedRelease, Version, is_version
from ledger.format.names import is_name

MAX_AUDITORS = 16

_MAX_U16 = 0xFFFF
_ADDRESS_BYTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SgxMatch:
    """Conditions on `SgxFields`; sizes as there."""

    config_id: bytes = b""
    minimum_config_svn: int = 0
    ext_product_id: bytes = b""
    family_id: bytes = b""
    attributes: bytes = b""  # with the next, 16 bytes each
    attributes_mask: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class TdxMatch:
    """Conditions on `TdxFields`; sizes as there."""

    mr_td: bytes = b""
    rtmr0: bytes = b""
    rtmr1: bytes = b""
    rtmr2: bytes = b""
    rtmr3: bytes = b""
    mr_config_id: bytes = b""
    mr_owner: bytes = b""
    mr_owner_config: bytes = b""
    attributes: bytes = b""  # with the next, 8 bytes each
    attributes_mask: bytes = b""
    xfam: bytes = b""  # with the next, 8 bytes each
    xfam_mask: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpMatch:
    """Conditions on `SnpFields`; sizes as there."""

    minimum_tcb: SnpTcb
    minimum_launch_tcb: SnpTcb | None = None
    host_data: bytes = b""
    family_id: bytes = b""
    image_id: bytes = b""
    author_key_digest: bytes = b""
    maximum_vmpl: int = 0  # the report was asked for at this privilege level or a higher one
    products: tuple[str, ...] = ()  # sorted; empty: any
    allow_migration: bool = False
    allow_vlek: bool = False  # the cloud's key vouches for the firmware, and names no chip
    require_single_thread: bool = False


TeeMatch = SgxMatch | TdxMatch | SnpMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseMatch:
    """Any release `name` of `minimum` or newer that `threshold` of `auditors` endorsed."""

    name: str
    minimum: Version  # (major, minor, patch)
    auditors: tuple[bytes, ...]  # 1 to 16 addresses of 20 bytes, sorted
    threshold: int


_TDX_DIGESTS = (
    "mr_td",
    "rtmr0",
    "rtmr1",
    "rtmr2",
    "rtmr3",
    "mr_config_id",
    "mr_owner",
    "mr_owner_config",
)
# field of the condition -> size of what it is compared with, by equality
SGX_EQUALS = {"config_id": 64, "ext_product_id": 16, "family_id": 16}
TDX_EQUALS = dict.fromkeys(_TDX_DIGESTS, 48)
SNP_EQUALS = {"host_data": 32, "family_id": 16, "image_id": 16, "author_key_digest": 48}
# masked flags: field -> size
SGX_MASKED = {"attributes": 16}
TDX_MASKED = {"attributes": 8, "xfam": 8}


def verify_tee_match(match: TeeMatch) -> None:
    """Check sizes and ranges; raises DecodeError naming the first bad field."""
    if isinstance(match, SgxMatch):
        _verify_sizes(match, SGX_EQUALS, SGX_MASKED)
        _verify("minimum_config_svn", 0 <= match.minimum_config_svn <= _MAX_U16)
    elif isinstance(match, TdxMatch):
        _verify_sizes(match, TDX_EQUALS, TDX_MASKED)
    else:
        _verify_sizes(match, SNP_EQUALS, {})
        _verify("minimum_tcb", is_tcb(match.minimum_tcb))
        launch = match.minimum_launch_tcb
        _verify("minimum_launch_tcb", launch is None or is_tcb(launch))
        _verify("maximum_vmpl", 0 <= match.maximum_vmpl <= MAX_VMPL)
        _verify("products", all(product in PRODUCTS for product in match.products))
        _verify("products", all(a < b for a, b in pairwise(match.products)))


def verify_release_match(match: ReleaseMatch) -> None:
    """Check the name, version and auditors; raises DecodeError naming the first bad field."""
    _verify("release name", len(match.name) <= MAX_RELEASE_NAME and is_name(match.name))
    _verify("release minimum", is_version(match.minimum))
    _verify("release auditors", 0 < len(match.auditors) <= MAX_AUDITORS)
    _verify("release auditors", all(len(one) == _ADDRESS_BYTES for one in match.auditors))
    _verify("release auditors", all(a < b for a, b in pairwise(match.auditors)))
    _verify("release threshold", 1 <= match.threshold <= len(match.auditors))


def is_tee_met(match: TeeMatch, fields: TeeFields) -> bool:
    """Whether the fields are of this condition's TEE and meet all of it."""
    if isinstance(match, SgxMatch):
        return (
            isinstance(fields, SgxFields)
            and fields.config_svn >= match.minimum_config_svn
            and _are_equal(match, fields, SGX_EQUALS)
            and _are_masked(match, fields, SGX_MASKED)
        )
    if isinstance(match, TdxMatch):
        return (
            isinstance(fields, TdxFields)
            and _are_equal(match, fields, TDX_EQUALS)
            and _are_masked(match, fields, TDX_MASKED)
        )
    return isinstance(fields, SnpFields) and _is_snp_met(match, fields)


def _is_snp_met(match: SnpMatch, fields: SnpFields) -> bool:
    launch = match.minimum_launch_tcb
    return (
        fields.reported_tcb.is_at_least(match.minimum_tcb)
        and (launch is None or fields.launch_tcb.is_at_least(launch))
        and fields.vmpl <= match.maximum_vmpl
        and (not match.products or fields.product in match.products)
        and (match.allow_migration or not fields.allows_migration)
        and (match.allow_vlek or not fields.is_vlek)
        and not (match.require_single_thread and fields.allows_smt)
        and _are_equal(match, fields, SNP_EQUALS)
    )


def is_release_met(match: ReleaseMatch, releases: tuple[EndorsedRelease, ...]) -> bool:
    """Whether one of the releases with an enclave's measurement is such a release."""
    return any(
        release.name == match.name
        and release.version >= match.minimum
        and count_endorsers(match, release) >= match.threshold
        for release in releases
    )


def count_endorsers(match: ReleaseMatch, release: EndorsedRelease) -> int:
    """How many of the named auditors endorsed the release."""
    return sum(auditor in release.endorsers for auditor in match.auditors)


def is_masked(flags: bytes, value: bytes, mask: bytes) -> bool:
    """Whether ``flags & mask == value``; all of one size."""
    both = int.from_bytes(flags, "big") & int.from_bytes(mask, "big")
    return both == int.from_bytes(value, "big")


def _are_equal(match: TeeMatch, fields: TeeFields, names: dict[str, int]) -> bool:
    return all(getattr(match, name) in (b"", getattr(fields, name)) for name in names)


def _are_masked(match: TeeMatch, fields: TeeFields, names: dict[str, int]) -> bool:
    return all(
        is_masked(getattr(fields, name), getattr(match, name), getattr(match, f"{name}_mask"))
        for name in names
        if getattr(match, f"{name}_mask")
    )


def _verify_sizes(match: TeeMatch, equals: dict[str, int], masked: dict[str, int]) -> None:
    for name, size in equals.items():
        _verify(name, len(getattr(match, name)) in (0, size))
    for name, size in masked.items():
        value, mask = getattr(match, name), getattr(match, f"{name}_mask")
        _verify(name, len(value) == len(mask) and len(value) in (0, size))
        _verify(f"{name}_mask", not mask or any(mask))
        _verify(name, is_masked(value, value, mask) if mask else True)


def _verify(name: str, is_good: bool) -> None:
    if not is_good:
        raise DecodeError(f"policy: bad {name}")
