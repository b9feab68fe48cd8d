"""What one kind of TEE says of an enclave beyond the fields that all share: values and codecs.

Rules: sizes are those of the vendors' report structures (docs/spec/attestation.md lists them);
`*_of_message` checks them and raises DecodeError; nothing here judges.
"""

from dataclasses import dataclass

from attestation.errors import DecodeError
from sealedger.v1 import attestation_pb2 as pb

PRODUCTS = ("Genoa", "Milan", "Turin")  # the product lines of AMD that have a root here
MAX_VMPL = 3

_MAX_U16 = 0xFFFF
_MAX_BYTE = 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class SgxFields:
    """An SGX enclave report's other fields (Intel SDM volume 3D, REPORT structure)."""

    attributes: bytes = bytes(16)  # flags, XFRM
    config_id: bytes = bytes(64)
    config_svn: int = 0  # 16 bits
    ext_product_id: bytes = bytes(16)
    family_id: bytes = bytes(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class TdxFields:
    """A TD report's fields (Intel TDX module specification, TDREPORT); digests of 48 bytes."""

    mr_td: bytes = bytes(48)
    rtmr0: bytes = bytes(48)
    rtmr1: bytes = bytes(48)
    rtmr2: bytes = bytes(48)
    rtmr3: bytes = bytes(48)
    mr_config_id: bytes = bytes(48)
    mr_owner: bytes = bytes(48)
    mr_owner_config: bytes = bytes(48)
    attributes: bytes = bytes(8)
    xfam: bytes = bytes(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpTcb:
    """Security versions of an AMD platform's firmware, 0-255 each; `fmc` on Turin and later."""

    boot_loader: int = 0
    tee: int = 0
    snp: int = 0
    microcode: int = 0
    fmc: int = 0

    @property
    def parts(self) -> tuple[int, int, int, int, int]:
        """The five numbers, in the order of the fields."""
        return (self.boot_loader, self.tee, self.snp, self.microcode, self.fmc)

    def is_at_least(self, minimum: "SnpTcb") -> bool:
        """Whether no part is below `minimum`'s: the parts are independent of one another."""
        return all(a >= b for a, b in zip(self.parts, minimum.parts, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpFields:
    """A SEV-SNP attestation report's fields (AMD 56860, ATTESTATION_REPORT)."""

    host_data: bytes = bytes(32)  # chosen by the host
    family_id: bytes = bytes(16)
    image_id: bytes = bytes(16)
    author_key_digest: bytes = b""  # 48 bytes where an author key signed the id key
    guest_policy: int = 0  # 64 bits
    platform_info: int = 0  # 64 bits
    vmpl: int = 0
    reported_tcb: SnpTcb = SnpTcb()
    launch_tcb: SnpTcb = SnpTcb()
    product: str = "Milan"  # one of PRODUCTS
    is_vlek: bool = False  # signed by the cloud's key, which names no chip

    @property
    def allows_smt(self) -> bool:
        """Whether the guest runs beside siblings on its cores (guest policy bit 16)."""
        return bool(self.guest_policy & 1 << 16)

    @property
    def allows_migration(self) -> bool:
        """Whether a migration agent may take the guest elsewhere (guest policy bit 18)."""
        return bool(self.guest_policy & 1 << 18)

    @property
    def allows_debug(self) -> bool:
        """Whether the host may read the guest's memory (guest policy bit 19)."""
        return bool(self.guest_policy & 1 << 19)


TeeFields = SgxFields | TdxFields | SnpFields

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


def verify_fields(fields: TeeFields) -> None:
    """Check sizes and ranges; raises DecodeError naming the first bad field."""
    for name, is_good in _checks(fields):
        if not is_good:
            raise DecodeError(f"identity: bad {name}")


def _checks(fields: TeeFields) -> tuple[tuple[str, bool], ...]:
    if isinstance(fields, SgxFields):
        return (
            ("attributes", len(fields.attributes) == 16),
            ("config_id", len(fields.config_id) == 64),
            ("config_svn", 0 <= fields.config_svn <= _MAX_U16),
            ("ext_product_id", len(fields.ext_product_id) == 16),
            ("family_id", len(fields.family_id) == 16),
        )
    if isinstance(fields, TdxFields):
        digests = ((name, len(getattr(fields, name)) == 48) for name in _TDX_DIGESTS)
        flags = ((name, len(getattr(fields, name)) == 8) for name in ("attributes", "xfam"))
        return (*digests, *flags)
    return (
        ("host_data", len(fields.host_data) == 32),
        ("family_id", len(fields.family_id) == 16),
        ("image_id", len(fields.image_id) == 16),
        ("author_key_digest", len(fields.author_key_digest) in (0, 48)),
        ("guest_policy", 0 <= fields.guest_policy < 2**64),
        ("platform_info", 0 <= fields.platform_info < 2**64),
        ("vmpl", 0 <= fields.vmpl <= MAX_VMPL),
        ("reported_tcb", is_tcb(fields.reported_tcb)),
        ("launch_tcb", is_tcb(fields.launch_tcb)),
        ("product", fields.product in PRODUCTS),
    )


def is_tcb(tcb: SnpTcb) -> bool:
    """Whether every part is a byte."""
    return all(0 <= part <= _MAX_BYTE for part in tcb.parts)


def tcb_message(tcb: SnpTcb) -> pb.SnpTcb:
    """The message of checked security versions."""
    return pb.SnpTcb(
        boot_loader=tcb.boot_loader,
        tee=tcb.tee,
        snp=tcb.snp,
        microcode=tcb.microcode,
        fmc=tcb.fmc,
    )


def tcb_of_message(message: pb.SnpTcb) -> SnpTcb:
    """The security versions of a message; not checked yet."""
    return SnpTcb(
        boot_loader=message.boot_loader,
        tee=message.tee,
        snp=message.snp,
        microcode=message.microcode,
        fmc=message.fmc,
    )


def fields_message(fields: TeeFields) -> pb.SgxFields | pb.TdxFields | pb.SnpFields:
    """The message of checked fields."""
    if isinstance(fields, SgxFields):
        return pb.SgxFields(
            attributes=fields.attributes,
            config_id=fields.config_id,
            config_svn=fields.config_svn,
            ext_product_id=fields.ext_product_id,
            family_id=fields.family_id,
        )
    if isinstance(fields, TdxFields):
        return pb.TdxFields(
            mr_td=fields.mr_td,
            rtmr0=fields.rtmr0,
            rtmr1=fields.rtmr1,
            rtmr2=fields.rtmr2,
            rtmr3=fields.rtmr3,
            mr_config_id=fields.mr_config_id,
            mr_owner=fields.mr_owner,
            mr_owner_config=fields.mr_owner_config,
            attributes=fields.attributes,
            xfam=fields.xfam,
        )
    return pb.SnpFields(
        host_data=fields.host_data,
        family_id=fields.family_id,
        image_id=fields.image_id,
        author_key_digest=fields.author_key_digest,
        guest_policy=fields.guest_policy,
        platform_info=fields.platform_info,
        vmpl=fields.vmpl,
        reported_tcb=tcb_message(fields.reported_tcb),
        launch_tcb=tcb_message(fields.launch_tcb),
        product=fields.product,
        is_vlek=fields.is_vlek,
    )


def fields_of_message(message: pb.EnclaveIdentity) -> TeeFields:
    """The fields that stand in an identity's message, unchecked; DecodeError if there are none."""
    match message.WhichOneof("fields"):
        case "sgx":
            return _sgx(message.sgx)
        case "tdx":
            return _tdx(message.tdx)
        case "snp":
            return _snp(message.snp)
        case _:
            raise DecodeError("identity: no fields of its platform")


def _sgx(message: pb.SgxFields) -> SgxFields:
    return SgxFields(
        attributes=message.attributes,
        config_id=message.config_id,
        config_svn=message.config_svn,
        ext_product_id=message.ext_product_id,
        family_id=message.family_id,
    )


def _tdx(message: pb.TdxFields) -> TdxFields:
    return TdxFields(
        mr_td=message.mr_td,
        rtmr0=message.rtmr0,
        rtmr1=message.rtmr1,
        rtmr2=message.rtmr2,
        rtmr3=message.rtmr3,
        mr_config_id=message.mr_config_id,
        mr_owner=message.mr_owner,
        mr_owner_config=message.mr_owner_config,
        attributes=message.attributes,
        xfam=message.xfam,
    )


def _snp(message: pb.SnpFields) -> SnpFields:
    if not message.HasField("reported_tcb") or not message.HasField("launch_tcb"):
        raise DecodeError("identity: no TCB")
    return SnpFields(
        host_data=message.host_data,
        family_id=message.family_id,
        image_id=message.image_id,
        author_key_digest=message.author_key_digest,
        guest_policy=message.guest_policy,
        platform_info=message.platform_info,
        vmpl=message.vmpl,
        reported_tcb=tcb_of_message(message.reported_tcb),
        launch_tcb=tcb_of_message(message.launch_tcb),
        product=message.product,
        is_vlek=message.is_vlek,
    )
