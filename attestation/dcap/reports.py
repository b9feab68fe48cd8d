"""Report bodies inside a quote: an SGX enclave report, a TD report. Offsets, all little endian.

Rules: Intel's public structures, as docs/spec/attestation.md lists them. The caller has checked the
sizes; nothing here can fail. Which values are acceptable is for the verifier and for policies.
"""

import hashlib
from dataclasses import dataclass

SGX_REPORT_SIZE = 384
TD_REPORT_SIZES = {2: 584, 3: 648, 4: 885}  # by body type of a version 5 quote
TD10_SIZE = TD_REPORT_SIZES[2]

_SGX_DEBUG = 0x02
_TD_DEBUG = 0x01
_TD_LABEL = b"sealedger/tdx-measurement/1\0"


@dataclass(frozen=True, slots=True)
class SgxReport:
    """The fields of an SGX enclave report (384 bytes) that are judged or shown."""

    mr_enclave: bytes  # 32
    mr_signer: bytes  # 32
    attributes: bytes  # 16
    product_id: int
    svn: int
    config_id: bytes  # 64
    config_svn: int
    ext_product_id: bytes  # 16
    family_id: bytes  # 16
    report_data: bytes  # 64

    @property
    def debug(self) -> bool:
        """Whether the host may read the enclave's memory (ATTRIBUTES.DEBUG)."""
        return bool(self.attributes[0] & _SGX_DEBUG)


@dataclass(frozen=True, slots=True)
class TdReport:
    """The fields of a TD report (584, 648 or 885 bytes) that are judged or shown."""

    mr_td: bytes  # 48
    rtmrs: tuple[bytes, bytes, bytes, bytes]  # 48 each
    mr_config_id: bytes  # 48
    mr_owner: bytes  # 48
    mr_owner_config: bytes  # 48
    attributes: bytes  # 8
    xfam: bytes  # 8
    report_data: bytes  # 64

    @property
    def debug(self) -> bool:
        """Whether the host may read the TD's memory (TDATTRIBUTES bit 0)."""
        return bool(self.attributes[0] & _TD_DEBUG)

    @property
    def measurement(self) -> bytes:
        """SHA-384 over a label and everything that tells this TD's code and configuration.

        MRTD alone covers only the firmware: what it booted stands in the RTMRs, and MRCONFIGID,
        MROWNER and MROWNERCONFIG are chosen by the host.
        """
        registers = (
            self.mr_td,
            *self.rtmrs,
            self.mr_config_id,
            self.mr_owner,
            self.mr_owner_config,
        )
        return hashlib.sha384(_TD_LABEL + b"".join(registers)).digest()


Report = SgxReport | TdReport


def parse_sgx_report(body: bytes) -> SgxReport:
    """Read an enclave report of exactly 384 bytes."""
    return SgxReport(
        mr_enclave=body[64:96],
        mr_signer=body[128:160],
        attributes=body[48:64],
        product_id=int.from_bytes(body[256:258], "little"),
        svn=int.from_bytes(body[258:260], "little"),
        config_id=body[192:256],
        config_svn=int.from_bytes(body[260:262], "little"),
        ext_product_id=body[32:48],
        family_id=body[304:320],
        report_data=body[320:384],
    )


def parse_td_report(body: bytes) -> TdReport:
    """Read a TD report of at least 584 bytes; what versions 1.5 append is not needed here."""
    return TdReport(
        mr_td=body[136:184],
        rtmrs=(body[328:376], body[376:424], body[424:472], body[472:520]),
        mr_config_id=body[184:232],
        mr_owner=body[232:280],
        mr_owner_config=body[280:328],
        attributes=body[120:128],
        xfam=body[128:136],
        report_data=body[520:584],
    )
