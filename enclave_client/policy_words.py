"""A policy in words for people: whom it admits, and whatever is not the strict default.

Rules: one line, nothing left out: digests and ids in full. What a wallet shows of a policy is
another text, which the signature binds (`ledger.format.policy_text`).
"""

from collections.abc import Iterator

from attestation.conditions import (
    SGX_EQUALS,
    SGX_MASKED,
    SNP_EQUALS,
    TDX_EQUALS,
    TDX_MASKED,
    ReleaseMatch,
    SgxMatch,
    SnpMatch,
    TdxMatch,
    TeeMatch,
)
from attestation.fields import SnpTcb
from attestation.policy import AllOf, AnyOf, Match, Policy
from enclave_client.durations import encode_duration
from ledger.format.address import encode_address

# Admits no enclave: a measurement of zeros would be a preimage of them. What an owner writes who
# alone puts values into a collection; an empty list is no policy.
NOBODY = Match(measurement=bytes(32))

_ONLY_UP_TO_DATE = ("UpToDate",)


def policy_words(policy: Policy) -> str:
    """One line."""
    if policy == NOBODY:
        return "nobody"
    if isinstance(policy, Match):
        return ", ".join((*_names(policy), *_conditions(policy)))
    word = {AnyOf: "any", AllOf: "all"}[type(policy)]
    return f"{word} of ({'; '.join(map(policy_words, policy.members))})"


def tcb_words(tcb: SnpTcb) -> str:
    """The five numbers by their names."""
    boot_loader, tee, snp, microcode, fmc = tcb.parts
    words = f"boot loader {boot_loader}, TEE {tee}, SNP {snp}, microcode {microcode}"
    return f"{words}, FMC {fmc}" if fmc else words


def _names(match: Match) -> Iterator[str]:
    if match.measurement:
        yield f"measurement {match.measurement.hex()}"
    elif match.signer:
        yield f"signer {match.signer.hex()}"
        yield f"product {match.product_id}"
        yield f"SVN {match.minimum_svn} or newer"
    elif match.release is not None:
        yield _release(match.release)


def _release(match: ReleaseMatch) -> str:
    version = ".".join(map(str, match.minimum))
    auditors = " ".join(map(encode_address, match.auditors))
    return (
        f"release {match.name} {version} or newer endorsed by {match.threshold} "
        f"of {len(match.auditors)} auditors ({auditors})"
    )


def _conditions(match: Match) -> Iterator[str]:
    if match.tee is not None:
        yield from _tee(match.tee)
    if match.tcb_statuses != _ONLY_UP_TO_DATE:
        length = (
            f"for {encode_duration(match.grace_s * 1000)} after the date of its TCB level"
            if match.grace_s
            else "for ever"
        )
        passing = " and ".join(one for one in match.tcb_statuses if one not in _ONLY_UP_TO_DATE)
        yield f"TCB status {' or '.join(match.tcb_statuses)} ({passing} {length})"
    elif match.grace_s:
        yield f"grace {encode_duration(match.grace_s * 1000)} for no listed TCB status"
    if match.advisories:
        yield f"advisories allowed: {' '.join(match.advisories)}"
    if match.allow_debug:
        yield "debug allowed"
    if match.platform_ids:
        yield f"on platform {' or '.join(one.hex() for one in match.platform_ids)}"
    if match.enrolled:
        yield "on a platform that the members enrolled"


def _tee(match: TeeMatch) -> Iterator[str]:
    if isinstance(match, SgxMatch):
        yield "on SGX"
        yield from _equal(match, SGX_EQUALS)
        yield from _masked(match, SGX_MASKED)
        if match.minimum_config_svn:
            yield f"minimum_config_svn {match.minimum_config_svn}"
    elif isinstance(match, TdxMatch):
        yield "on TDX"
        yield from _equal(match, TDX_EQUALS)
        yield from _masked(match, TDX_MASKED)
    else:
        yield from _snp(match)


def _snp(match: SnpMatch) -> Iterator[str]:
    yield f"on SEV-SNP {' or '.join(match.products)}".rstrip()
    yield f"TCB not below ({tcb_words(match.minimum_tcb)})"
    if match.minimum_launch_tcb is not None:
        yield f"launched on a TCB not below ({tcb_words(match.minimum_launch_tcb)})"
    yield from _equal(match, SNP_EQUALS)
    if match.maximum_vmpl:
        yield f"VMPL 0 to {match.maximum_vmpl}"
    if match.allow_migration:
        yield "migration allowed"
    if match.allow_vlek:
        yield "VLEK allowed"
    if match.require_single_thread:
        yield "SMT forbidden"


def _equal(match: TeeMatch, names: dict[str, int]) -> Iterator[str]:
    for name in names:
        value = getattr(match, name)
        if value:
            yield f"{name} {value.hex()}"


def _masked(match: TeeMatch, names: dict[str, int]) -> Iterator[str]:
    for name in names:
        mask = getattr(match, f"{name}_mask")
        if mask:
            yield f"{name} {getattr(match, name).hex()} under mask {mask.hex()}"
