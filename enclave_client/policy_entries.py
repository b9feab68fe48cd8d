"""One node of a policy as people write it, in a table of TOML, and back. Pure.

Rules: strict: unknown keys are refused and every error names its field; bytes are hex and never
empty; what is left out is not looked at. Flags are compared under a mask, so both are written; a
TCB says each of its numbers, because one that is left out would be one that nobody checks. Not
here: files (`policy_file`), what a policy means (`attestation.judging`).
"""

from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from attestation.conditions import ReleaseMatch, SgxMatch, SnpMatch, TdxMatch, TeeMatch
from attestation.fields import SnpTcb
from attestation.policy import AllOf, AnyOf, Match, Policy
from enclave_client.durations import decode_duration
from enclave_client.errors import InvalidRequestError
from enclave_client.network_file import Hex
from ledger.errors import FormatError
from ledger.format.address import decode_address
from ledger.format.releases import parse_version

_SECOND_MS = 1000


def sorted_once(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """The items in their order; ValueError if one stands there twice."""
    if len(set(items)) != len(items):
        raise ValueError("says the same twice")
    return tuple(sorted(items))


def _address(value: object) -> object:
    try:
        return decode_address(value) if isinstance(value, str) else value
    except FormatError as error:
        raise ValueError(str(error)) from error


def _version(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('must be text, such as "1.2.0"')  # noqa: TRY004  (what pydantic takes)
    try:
        found = parse_version(value)
    except FormatError as error:
        raise ValueError(str(error)) from error
    return found.major, found.minor, found.patch


def duration_ms(value: object) -> object:
    """The milliseconds of a text such as ``90d``; ValueError says what would be right."""
    if not isinstance(value, str):
        raise ValueError('must be text, such as "90d"')  # noqa: TRY004  (the same)
    try:
        return decode_duration(value)
    except InvalidRequestError as error:
        raise ValueError(f"{error.message}: {error.hint}") from error


def _whole_seconds(length_ms: int) -> int:
    if length_ms % _SECOND_MS:
        raise ValueError("must be whole seconds")
    return length_ms // _SECOND_MS


Bytes = Annotated[Hex, Field(min_length=1)]
Texts = Annotated[tuple[StrictStr, ...], AfterValidator(sorted_once)]
Digests = Annotated[tuple[Bytes, ...], AfterValidator(sorted_once)]
Address = Annotated[bytes, BeforeValidator(_address)]
Addresses = Annotated[tuple[Address, ...], AfterValidator(sorted_once)]
Version = Annotated[tuple[int, int, int], BeforeValidator(_version)]
Duration = Annotated[int, BeforeValidator(duration_ms)]
Grace = Annotated[Duration, AfterValidator(_whole_seconds)]


class Model(BaseModel):
    """A table without unknown keys, whose errors repeat no input."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class FlagsEntry(Model):
    """Flags that are compared under a mask."""

    value: Bytes
    mask: Bytes


class TcbEntry(Model):
    """The security versions of an AMD platform; ``fmc`` exists from Turin on."""

    boot_loader: StrictInt
    tee: StrictInt
    snp: StrictInt
    microcode: StrictInt
    fmc: StrictInt = 0


class _TeeEntry(Model):
    def conditions(self) -> dict[str, Any]:
        """The fields of the condition: flags in two, a TCB as attestation's."""
        said: dict[str, Any] = {}
        for name in self.model_fields_set:
            value = getattr(self, name)
            if isinstance(value, FlagsEntry):
                said |= {name: value.value, f"{name}_mask": value.mask}
            else:
                said[name] = SnpTcb(**dict(value)) if isinstance(value, TcbEntry) else value
        return said


class SgxEntry(_TeeEntry):
    """Conditions on an SGX enclave."""

    config_id: Bytes = b""
    minimum_config_svn: StrictInt = 0
    ext_product_id: Bytes = b""
    family_id: Bytes = b""
    attributes: FlagsEntry | None = None


class TdxEntry(_TeeEntry):
    """Conditions on a TD."""

    mr_td: Bytes = b""
    rtmr0: Bytes = b""
    rtmr1: Bytes = b""
    rtmr2: Bytes = b""
    rtmr3: Bytes = b""
    mr_config_id: Bytes = b""
    mr_owner: Bytes = b""
    mr_owner_config: Bytes = b""
    attributes: FlagsEntry | None = None
    xfam: FlagsEntry | None = None


class SnpEntry(_TeeEntry):
    """Conditions on a SEV-SNP guest."""

    minimum_tcb: TcbEntry
    minimum_launch_tcb: TcbEntry | None = None
    host_data: Bytes = b""
    family_id: Bytes = b""
    image_id: Bytes = b""
    author_key_digest: Bytes = b""
    maximum_vmpl: StrictInt = 0
    products: Texts = ()
    allow_migration: StrictBool = False
    allow_vlek: StrictBool = False
    require_single_thread: StrictBool = False


class ReleaseEntry(Model):
    """Any release of a name from a version on, endorsed by enough of these auditors."""

    name: StrictStr
    minimum: Version
    auditors: Addresses
    threshold: StrictInt


class PolicyEntry(Model):
    """One node of a policy: a kind of enclave, or any or all of several nodes."""

    any: Annotated[tuple["PolicyEntry", ...], Field(min_length=1)] | None = None
    all: Annotated[tuple["PolicyEntry", ...], Field(min_length=1)] | None = None
    measurement: Bytes = b""
    signer: Bytes = b""
    product_id: StrictInt = 0
    minimum_svn: StrictInt = 0
    release: ReleaseEntry | None = None
    tcb_statuses: Texts = ("UpToDate",)
    advisories: Texts = ()
    grace: Grace = 0
    allow_debug: StrictBool = False
    platform_ids: Digests = ()
    enrolled: StrictBool = False
    sgx: SgxEntry | None = None
    tdx: TdxEntry | None = None
    snp: SnpEntry | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        lists = self.model_fields_set & {"any", "all"}
        if lists and len(self.model_fields_set) > 1:
            raise ValueError(f"{min(lists)} stands alone in its table")
        if not lists:
            self._verify_match()
        return self

    def _verify_match(self) -> None:
        named = self.model_fields_set & {"measurement", "signer", "release"}
        is_td = self.tdx is not None and bool(self.tdx.mr_td)
        if len(named) > 1 or not (named or is_td):
            raise ValueError(
                "needs exactly one of measurement, signer, release, tdx.mr_td, any and all"
            )
        if len(self.model_fields_set & {"sgx", "tdx", "snp"}) > 1:
            raise ValueError("sgx, tdx and snp exclude one another: write any of several")

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
            release=None if self.release is None else ReleaseMatch(**dict(self.release)),
            tcb_statuses=self.tcb_statuses,
            advisories=self.advisories,
            grace_s=self.grace,
            allow_debug=self.allow_debug,
            platform_ids=self.platform_ids,
            enrolled=self.enrolled,
            tee=self._tee(),
        )

    def _tee(self) -> TeeMatch | None:
        if self.sgx is not None:
            return SgxMatch(**self.sgx.conditions())
        if self.tdx is not None:
            return TdxMatch(**self.tdx.conditions())
        return None if self.snp is None else SnpMatch(**self.snp.conditions())
