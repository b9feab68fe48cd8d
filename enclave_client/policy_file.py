"""The policy file: what an owner says about a collection, as TOML for people.

    ttl = "90d"                                  # default time to live; left out: for ever
    auditors = ["0x331b...0Ffb"]                 # accounts that may ask about the collection
    readers = "nobody"                           # or a table; both readers and writers are needed
    [writers]                                    # one kind of enclave:
    signer = "ab01..."                           #   measurement; or signer with the next two; or
    product_id = 1                               #   release = {name, minimum, auditors, threshold};
    minimum_svn = 3                              #   or the MRTD of a TD (tdx.mr_td)
    tcb_statuses = ["UpToDate"]                  #   and what else may be true of it,
    sgx = {family_id = "00..."}                  #   and of its TEE: sgx, tdx or snp
    any = [{measurement = "cd23..."}, {...}]     # or, in place of all that, any or all of several

A file may also be one policy alone: the content of such a table. docs/policies.md has whole ones.
Rules: strict: unknown keys are refused, every error names the field; bytes are hex. What is read
and written again is the same terms. Not here: what a policy means (`attestation.policy`).
"""

from pathlib import Path
from typing import Annotated, Self, TypeVar

import tomli_w
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from attestation.errors import AttestationError
from attestation.policy import Policy, decode_policy, encode_policy
from enclave_client.durations import encode_duration
from enclave_client.errors import PolicyFileError
from enclave_client.file_faults import first_fault, policy_fault
from enclave_client.policy_entries import Addresses, Duration, Model, PolicyEntry
from enclave_client.policy_tables import Table, policy_table
from enclave_client.policy_words import NOBODY
from enclave_client.toml_files import decode_table
from ledger.format.address import encode_address
from ledger.format.terms import MAX_AUDITORS, CollectionTerms

MAX_FILE_BYTES = 64 * 1024
PARTS = ("readers", "writers")  # the policies of a collection
_HINT = "docs/policies.md shows some; sealedger collection policy show NAME prints one"


def _who(value: object) -> object:
    if value == "nobody":
        return PolicyEntry(measurement=NOBODY.measurement)
    if not isinstance(value, dict):
        raise ValueError('must be a table, or "nobody"')  # noqa: TRY004  (what pydantic takes)
    return value


Who = Annotated[PolicyEntry, BeforeValidator(_who)]
Auditors = Annotated[Addresses, Field(max_length=MAX_AUDITORS)]
M = TypeVar("M", bound=Model)


class PolicyFile(Model):
    """A checked policy file."""

    readers: Who
    writers: Who
    auditors: Auditors = ()
    ttl: Duration = 0

    def terms(self) -> CollectionTerms:
        """The terms that an owner signs."""
        return CollectionTerms(
            encode_policy(self.readers.policy()),
            encode_policy(self.writers.policy()),
            self.auditors,
            self.ttl,
        )

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for field, entry in (("readers", self.readers), ("writers", self.writers)):
            policy = entry.policy()
            try:
                encode_policy(policy)
            except AttestationError as error:
                raise ValueError(policy_fault(error, policy, field)) from error
        return self


def read_policy_file(path: Path) -> CollectionTerms:
    """The terms of a file of at most 64 KiB; PolicyFileError names the bad field."""
    return decode_policy_file(_read(path), str(path))


def read_single_policy(path: Path, part: str = "") -> Policy:
    """The policy of a file of at most 64 KiB; PolicyFileError names the bad field.

    Of a collection's policy file `part` says which one is meant (one of PARTS); a file with one
    policy alone has no parts.
    """
    return decode_single_policy(_read(path), str(path), part=part)


def policies_of_file(path: Path) -> dict[str, Policy]:
    """The policies of a file, by the PARTS of a collection's, or one without a name."""
    data = _read(path)
    if any(name in _table(data, str(path)) for name in PARTS):
        return {part: decode_single_policy(data, str(path), part=part) for part in PARTS}
    return {"": decode_single_policy(data, str(path))}


def decode_policy_file(data: bytes, source: str = "given") -> CollectionTerms:
    """The terms of TOML bytes; PolicyFileError names the bad field."""
    return _checked(PolicyFile, _table(data, source), source).terms()


def decode_single_policy(data: bytes, source: str = "given", *, part: str = "") -> Policy:
    """The policy of TOML bytes, or a part of a collection's; PolicyFileError."""
    table = _table(data, source)
    is_collection = any(name in table for name in PARTS)
    if is_collection and part in PARTS:
        terms = _checked(PolicyFile, table, source).terms()
        return decode_policy(terms.readers if part == "readers" else terms.writers)
    if is_collection:
        raise PolicyFileError(
            f"policy file {source}: these are a collection's policies, not one",
            "say which: --part readers or --part writers",
        )
    if part:
        raise PolicyFileError(
            f"policy file {source}: this is one policy; it has no {part}", "leave the part out"
        )
    policy = _checked(PolicyEntry, table, source).policy()
    try:
        encode_policy(policy)
    except AttestationError as error:
        raise PolicyFileError(
            f"policy file {source}: {policy_fault(error, policy)}", _HINT
        ) from error
    return policy


def encode_policy_file(terms: CollectionTerms) -> bytes:
    """The TOML bytes; `decode_policy_file` gives the same terms back. AttestationError if none."""
    table: Table = {}
    if terms.ttl_ms:
        table["ttl"] = encode_duration(terms.ttl_ms)
    if terms.auditors:
        table["auditors"] = list(map(encode_address, terms.auditors))
    for part, encoded in (("readers", terms.readers), ("writers", terms.writers)):
        policy = decode_policy(encoded)
        table[part] = "nobody" if policy == NOBODY else policy_table(policy)
    return tomli_w.dumps(table).encode()


def encode_single_policy(policy: Policy) -> bytes:
    """The TOML bytes; `decode_single_policy` gives the same back. AttestationError if invalid."""
    encode_policy(policy)
    return tomli_w.dumps(policy_table(policy)).encode()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PolicyFileError(
            f"policy file {path}: {error.strerror or 'cannot be read'}", _HINT
        ) from error


def _table(data: bytes, source: str) -> dict[str, object]:
    if len(data) > MAX_FILE_BYTES:
        raise PolicyFileError(f"policy file {source}: over {MAX_FILE_BYTES} bytes", _HINT)
    try:
        return decode_table(data)
    except ValueError as error:
        raise PolicyFileError(f"policy file {source}: not TOML: {error}", _HINT) from error


def _checked(kind: type[M], table: dict[str, object], source: str) -> M:
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise PolicyFileError(f"policy file {source}: {first_fault(error)}", _HINT) from error
