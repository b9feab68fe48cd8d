"""What is wrong with a TOML file that people write, in their words and not the checkers'.

Rules: only words for errors; nothing is decided here. Pure.
"""

from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from attestation.conditions import (
    SGX_EQUALS,
    SNP_EQUALS,
    TDX_EQUALS,
    SgxMatch,
    SnpMatch,
    TdxMatch,
)
from attestation.errors import AttestationError
from attestation.fields import MAX_VMPL, PRODUCTS
from attestation.identity import MAX_U16, TCB_STATUSES
from attestation.policy import MAX_DEPTH, AnyOf, Match, Policy, verify_policy

_WORDS = {
    "extra_forbidden": "there is no such field",
    "missing": "is missing",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "tuple_type": "must be a list",
    "string_type": "must be text",
    "bytes_type": "must be text of hex digits",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
}
_POLICY = "policy: "
_BAD = "policy: bad "
_FLAGS = "value and mask in {} hex digits, no bit of the value outside of the mask"
_TCB = "numbers from 0 to 255"
_DIGEST = "64 hex digits for SGX, 96 for TDX and SEV-SNP"
_OWN = frozenset(
    {
        "measurement",
        "signer",
        "product_id",
        "minimum_svn",
        "tcb_statuses",
        "advisories",
        "platform_ids",
    }
)
_TEES = {SgxMatch: "sgx", TdxMatch: "tdx", SnpMatch: "snp"}
_RIGHT = {
    "measurement": _DIGEST,
    "signer": _DIGEST,
    "product_id": "0 to 65535, and beside a signer only",
    "minimum_svn": "0 to 4294967295, and beside a signer only",
    "tcb_statuses": f"one or more of {', '.join(sorted(TCB_STATUSES))}",
    "advisories": "names such as INTEL-SA-00615, at most 64",
    "platform_ids": "32 hex digits for Intel, 128 for AMD, not all zero, at most 64 of them",
    "minimum_config_svn": f"0 to {MAX_U16}",
    "release minimum": "a version such as 1.2.0",
    "release name": "1 to 64 of A-Z a-z 0-9 . _ / -",
    "release auditors": "1 to 16 addresses",
    "release threshold": "1 to the number of auditors",
    "attributes": _FLAGS.format("32 (SGX) or 16 (TDX)"),
    "xfam": _FLAGS.format("16"),
    "minimum_tcb": _TCB,
    "minimum_launch_tcb": _TCB,
    "products": f"of {', '.join(PRODUCTS)}",
    "maximum_vmpl": f"0 to {MAX_VMPL}",
    **{
        name: f"{2 * size} hex digits"
        for sizes in (SGX_EQUALS, TDX_EQUALS, SNP_EQUALS)
        for name, size in sizes.items()
    },
}


def first_fault(error: ValidationError) -> str:
    """The first field that is wrong, and why."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = _place(first["loc"])
    said = _WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
    if first["type"] == "too_short":
        said = f"needs at least {first['ctx']['min_length']}"
    elif first["type"] == "too_long":
        said = f"takes at most {first['ctx']['max_length']}"
    return f"field {field}: {said}" if field else said


def policy_fault(error: AttestationError, policy: Policy, place: str = "") -> str:
    """Why a policy that was read from `place` of a file is none: where, and what would be right."""
    where, node, error = _first_fault(error, policy, place)
    said = str(error)
    name = said.removeprefix(_BAD).removesuffix("_mask") if said.startswith(_BAD) else ""
    if name in _RIGHT:
        field = _field(name, node)
        return f"field {f'{where}.' if where else ''}{field}: must be {_RIGHT[name]}"
    return f"field {where}: {said.removeprefix(_POLICY)}" if where else said


def _field(name: str, node: Policy) -> str:
    """How a file calls what a checker calls `name`, from the table of its match on."""
    tee = node.tee if isinstance(node, Match) else None
    if name in _OWN or name.startswith("release ") or tee is None:
        return name.replace(" ", ".")
    return f"{_TEES[type(tee)]}.{name}"


def _place(parts: Iterable[str | int]) -> str:
    """Where something stands in a file, as `policy_doubts` says it too: ``any[1].signer``."""
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in parts)[1:]


def _first_fault(
    error: AttestationError, policy: Policy, place: str
) -> tuple[str, Policy, AttestationError]:
    """The first match that is none even alone, or what is nested too deep; else the whole."""
    for where, level, node in _nodes(policy, place, 1):
        if level > MAX_DEPTH:
            return where, node, error
        if isinstance(node, Match):
            try:
                verify_policy(node)
            except AttestationError as fault:
                return where, node, fault
    return place, policy, error


def _nodes(node: Policy, place: str, level: int) -> Iterator[tuple[str, int, Policy]]:
    yield place, level, node
    if isinstance(node, Match):
        return
    word = "any" if isinstance(node, AnyOf) else "all"
    start = f"{place}.{word}" if place else word
    for index, member in enumerate(node.members):
        yield from _nodes(member, f"{start}[{index}]", level + 1)
