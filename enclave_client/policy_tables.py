"""A policy as the table of TOML that `policy_entries` reads: only what is not the default. Pure."""

from dataclasses import fields

from attestation.conditions import ReleaseMatch, SgxMatch, SnpMatch, TdxMatch, TeeMatch
from attestation.fields import SnpTcb
from attestation.policy import AllOf, AnyOf, Match, Policy
from enclave_client.durations import encode_duration
from ledger.format.address import encode_address

Table = dict[str, object]

_MASK = "_mask"
_NOTHING = Match()
_TEES: tuple[tuple[type[TeeMatch], str, TeeMatch], ...] = (
    (SgxMatch, "sgx", SgxMatch()),
    (TdxMatch, "tdx", TdxMatch()),
    (SnpMatch, "snp", SnpMatch(minimum_tcb=SnpTcb())),
)


def policy_table(policy: Policy) -> Table:
    """The table of a verified policy, conditions on a TEE last."""
    if isinstance(policy, AnyOf | AllOf):
        word = "any" if isinstance(policy, AnyOf) else "all"
        return {word: [policy_table(member) for member in policy.members]}
    table: Table = {}
    for field in fields(Match):
        name, value = field.name, getattr(policy, field.name)
        if value == getattr(_NOTHING, name) or name == "tee":
            continue
        if name == "grace_s":
            table["grace"] = encode_duration(value * 1000)
        else:
            table[name] = _release(value) if isinstance(value, ReleaseMatch) else _plain(value)
    if policy.tee is not None:
        word, conditions = _tee(policy.tee)
        table[word] = conditions
    return table


def _release(match: ReleaseMatch) -> Table:
    return {
        "name": match.name,
        "minimum": ".".join(map(str, match.minimum)),
        "auditors": list(map(encode_address, match.auditors)),
        "threshold": match.threshold,
    }


def _tee(match: TeeMatch) -> tuple[str, Table]:
    word, nothing = next((word, empty) for kind, word, empty in _TEES if isinstance(match, kind))
    table: Table = {}
    for field in fields(match):
        name, value = field.name, getattr(match, field.name)
        if name == "minimum_tcb":  # always said
            table[name] = _tcb(value)
        elif name.endswith(_MASK):
            if value:
                flags = name.removesuffix(_MASK)
                table[flags] = {"value": getattr(match, flags).hex(), "mask": value.hex()}
        elif value != getattr(nothing, name) and not hasattr(match, f"{name}{_MASK}"):
            table[name] = _tcb(value) if isinstance(value, SnpTcb) else _plain(value)
    return word, table


def _tcb(tcb: SnpTcb) -> Table:
    table: Table = {field.name: getattr(tcb, field.name) for field in fields(tcb)}
    if not tcb.fmc:
        del table["fmc"]
    return table


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
