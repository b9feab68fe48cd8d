"""What is probably not meant in a policy that is valid: matches that admit nobody, or too many.

Rules: only hints for who writes a policy; nothing is decided by them. Pure.
"""

from collections.abc import Iterator

from attestation.conditions import SgxMatch, SnpMatch, TdxMatch
from attestation.policy import AllOf, AnyOf, Match, Policy
from enclave_client.policy_words import NOBODY

_SGX_DIGEST = 32
_OUT_OF_DATE = frozenset({"OutOfDate", "OutOfDateConfigurationNeeded"})


def policy_doubts(policy: Policy, path: str = "") -> tuple[str, ...]:
    """One sentence for each doubt, with the place of the match such as ``any[0]``."""
    if isinstance(policy, Match):
        where = f"{path}: " if path else ""
        return () if policy == NOBODY else tuple(where + one for one in _doubts(policy))
    word = "any" if isinstance(policy, AnyOf) else "all"
    start = f"{path}.{word}" if path else word
    found = [
        doubt
        for index, member in enumerate(policy.members)
        for doubt in policy_doubts(member, f"{start}[{index}]")
    ]
    if isinstance(policy, AllOf) and len(_measurements(policy)) > 1:
        found.append(f"{start}: no enclave has two measurements: this admits nobody")
    return tuple(found)


def _measurements(policy: AllOf) -> set[bytes]:
    matches = (one for one in policy.members if isinstance(one, Match))
    return {one.measurement for one in matches if one.measurement}


def _doubts(match: Match) -> Iterator[str]:
    yield from _other_tee(match)
    if match.signer and not match.minimum_svn and not isinstance(match.tee, TdxMatch):
        yield (
            "a signer without minimum_svn admits every build that it ever signed as this product, "
            "old ones with known faults too"
        )
    yield from _snp(match, match.tee) if isinstance(match.tee, SnpMatch) else _status(match)
    if isinstance(match.tee, TdxMatch) and not match.measurement and match.release is None:
        yield from _booted(match.tee)
    if match.allow_debug:
        yield (
            "allow_debug admits nobody: verification refuses every debug enclave, on development "
            "networks too"
        )


def _other_tee(match: Match) -> Iterator[str]:
    digest, tee = match.measurement or match.signer, match.tee
    is_long = len(digest) > _SGX_DIGEST
    if isinstance(tee, TdxMatch) and match.signer:
        yield "a TD has no signer: this admits nobody"
    elif digest and tee is not None and is_long == isinstance(tee, SgxMatch):
        yield "the digest is of another kind of TEE than the conditions: this admits nobody"
    elif is_long and tee is None:
        yield "this admits no SEV-SNP guest, for want of snp.minimum_tcb (for TDs write tdx = {})"


def _snp(match: Match, tee: SnpMatch) -> Iterator[str]:
    if match.tcb_statuses != ("UpToDate",) or match.advisories or match.grace_s:
        yield "SEV-SNP has no TCB status: tcb_statuses, advisories and grace are not looked at"
    if not any(tee.minimum_tcb.parts):
        yield "a minimum_tcb of zeros admits every firmware, however broken"
    elif len(tee.products) != 1:
        yield "TCB numbers of two product lines cannot be compared: name one in products"
    elif tee.products == ("Turin",) and not tee.minimum_tcb.fmc:
        yield "a minimum_tcb without fmc admits every FMC firmware of Turin"
    asked = "platform_ids" if match.platform_ids else "enrolled" if match.enrolled else ""
    if tee.allow_vlek and asked:
        yield f"a VLEK vouches for no chip: {asked} then rests on the cloud's word"


def _status(match: Match) -> Iterator[str]:
    if match.grace_s and match.tcb_statuses == ("UpToDate",):
        yield "grace has nothing to pass: list the status that may pass for so long"
    if not match.grace_s and _OUT_OF_DATE & set(match.tcb_statuses):
        yield "OutOfDate passes for ever: give it a grace"
    if match.advisories and match.tcb_statuses == ("UpToDate",):
        yield "with a list of advisories, UpToDate platforms that carry another one are refused"


def _booted(match: TdxMatch) -> Iterator[str]:
    if not (match.rtmr1 and match.rtmr2):
        yield "an MRTD is the firmware's alone: without rtmr1 and rtmr2 any kernel may run in it"
