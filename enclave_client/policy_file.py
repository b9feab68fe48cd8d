"""The policy file: what an owner says about a collection, as TOML for people.

    ttl = "90d"                                  # default time to live; left out: for ever
    auditors = ["0x331b...0Ffb"]                 # accounts that may ask about the collection
    readers = "nobody"                           # or a table; both readers and writers are needed
    [writers]                                    # one kind of enclave:
    signer = "ab01..."                           #   measurement, or signer with the next two
    product_id = 1
    minimum_svn = 3
    tcb_statuses = ["UpToDate"]                  #   and what else may be true of it
    any = [{measurement = "cd23..."}, {...}]     # or, in place of all that, any or all of several

Rules: strict: unknown keys are refused, every error names the field; bytes are hex. What is read
and written again is the same terms. Not here: what a policy means (`attestation.policy`).
"""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from attestation.errors import AttestationError
from attestation.policy import AllOf, AnyOf, Match, Policy, decode_policy, encode_policy
from enclave_client.durations import decode_duration, encode_duration
from enclave_client.errors import InvalidRequestError, PolicyFileError
from enclave_client.network_file import Hex
from enclave_client.policy_words import NOBODY
from ledger.errors import FormatError
from ledger.format.address import decode_address, encode_address
from ledger.format.terms import MAX_AUDITORS, CollectionTerms

MAX_FILE_BYTES = 64 * 1024
_HINT = "docs/quickstart.md shows one; sealedger collection policy show NAME prints one"


def _sorted(items: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(items)) != len(items):
        raise ValueError("says the same twice")
    return tuple(sorted(items))


def _who(value: object) -> object:
    if value == "nobody":
        return PolicyEntry(measurement=NOBODY.measurement)
    if not isinstance(value, dict):
        raise ValueError('must be a table, or "nobody"')  # noqa: TRY004  (what pydantic takes)
    return value


def _address(value: object) -> object:
    try:
        return decode_address(value) if isinstance(value, str) else value
    except FormatError as error:
        raise ValueError(str(error)) from error


def _duration(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('must be text, such as "90d"')  # noqa: TRY004  (the same)
    try:
        return decode_duration(value)
    except InvalidRequestError as error:
        raise ValueError(f"{error.message}: {error.hint}") from error


Texts = Annotated[tuple[StrictStr, ...], AfterValidator(_sorted)]
Digests = Annotated[tuple[Hex, ...], AfterValidator(_sorted)]
Address = Annotated[bytes, BeforeValidator(_address)]
Auditors = Annotated[tuple[Address, ...], Field(max_length=MAX_AUDITORS), AfterValidator(_sorted)]
Duration = Annotated[int, BeforeValidator(_duration)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class PolicyEntry(_Model):
    """One node of a policy: a kind of enclave, or any or all of several nodes."""

    any: Annotated[tuple["PolicyEntry", ...], Field(min_length=1)] | None = None
    all: Annotated[tuple["PolicyEntry", ...], Field(min_length=1)] | None = None
    measurement: Hex = b""
    signer: Hex = b""
    product_id: StrictInt = 0
    minimum_svn: StrictInt = 0
    tcb_statuses: Texts = ("UpToDate",)
    advisories: Texts = ()
    allow_debug: StrictBool = False
    platform_ids: Digests = ()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        lists = self.model_fields_set & {"any", "all"}
        if lists and len(self.model_fields_set) > 1:
            raise ValueError(f"{min(lists)} stands alone in its table")
        if not lists and bool(self.measurement) == bool(self.signer):
            raise ValueError("needs exactly one of measurement, signer, any and all")
        return self

    def policy(self) -> Policy:
        """The same as attestation's; not verified yet."""
        for kind, members in ((AnyOf, self.any), (AllOf, self.all)):
            if members is not None:
                return kind(tuple(one.policy() for one in members))
        return Match(
            measurement=self.measurement,
            signer=self.signer,
            product_id=self.product_id,
            minimum_svn=self.minimum_svn,
            tcb_statuses=self.tcb_statuses,
            advisories=self.advisories,
            allow_debug=self.allow_debug,
            platform_ids=self.platform_ids,
        )


Who = Annotated[PolicyEntry, BeforeValidator(_who)]


class PolicyFile(_Model):
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
            try:
                encode_policy(entry.policy())
            except AttestationError as error:
                raise ValueError(f"{field}: {error}") from error
        return self


def read_policy_file(path: Path) -> CollectionTerms:
    """The terms of a file of at most 64 KiB; PolicyFileError names the bad field."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PolicyFileError(
            f"policy file {path}: {error.strerror or 'cannot be read'}", _HINT
        ) from error
    return decode_policy_file(data, str(path))


def decode_policy_file(data: bytes, source: str = "given") -> CollectionTerms:
    """The terms of TOML bytes; PolicyFileError names the bad field."""
    if len(data) > MAX_FILE_BYTES:
        raise PolicyFileError(f"policy file {source}: over {MAX_FILE_BYTES} bytes", _HINT)
    try:
        table = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise PolicyFileError(f"policy file {source}: not TOML: {error}", _HINT) from error
    try:
        return PolicyFile.model_validate(table).terms()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        where = f"field {field}: " if field else ""
        message = first["msg"].removeprefix("Value error, ")
        raise PolicyFileError(f"policy file {source}: {where}{message}", _HINT) from error


def encode_policy_file(terms: CollectionTerms) -> bytes:
    """The TOML bytes; `decode_policy_file` gives the same terms back. AttestationError if none."""
    table: dict[str, object] = {}
    if terms.ttl_ms:
        table["ttl"] = encode_duration(terms.ttl_ms)
    if terms.auditors:
        table["auditors"] = list(map(encode_address, terms.auditors))
    table["readers"] = _table(decode_policy(terms.readers))
    table["writers"] = _table(decode_policy(terms.writers))
    return tomli_w.dumps(table).encode()


def _table(policy: Policy) -> object:
    if policy == NOBODY:
        return "nobody"
    return _entry(policy).model_dump(mode="json", exclude_unset=True)


def _entry(policy: Policy) -> PolicyEntry:
    if isinstance(policy, AnyOf):
        return PolicyEntry(any=tuple(map(_entry, policy.members)))
    if isinstance(policy, AllOf):
        return PolicyEntry(all=tuple(map(_entry, policy.members)))
    standard = Match()
    names = (field.name for field in fields(Match))
    said = {name: getattr(policy, name) for name in names}
    return PolicyEntry(**{k: v for k, v in said.items() if v != getattr(standard, k)})
