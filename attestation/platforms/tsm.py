"""The `tsm` platform: TDX and SEV-SNP guests, through configfs-tsm of Linux 6.7 and newer.

Rules (Documentation/ABI/testing/configfs-tsm-report; `tsm_files` says how the files behave):
1. Each request has a directory of its own with a random name, which is removed whatever happens.
2. `generation` is read before and after; between them lies exactly one write, ours.
3. `inblob` gets exactly 64 bytes: both drivers refuse any other size, and only when it is read.
4. `provider` says what `outblob` is: `tdx_guest` a DCAP quote, `sev_guest` a SEV-SNP report, whose
   certificate comes from `auxblob`, or from the one given if the host hands out none.
5. The privilege level is left as the kernel chose it. Padding of a TDX quote stays: verifiers cut.
6. EBUSY alone is tried again: a TDX quote that is under way for somebody else blocks the device.
There is no sealing key: neither TDX nor configfs-tsm has one.
"""

import asyncio
import errno
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Never

from attestation.errors import PlatformError
from attestation.evidence import MAX_QUOTE_BYTES, Evidence, EvidenceKind, encode_evidence
from attestation.platforms.bound import verify_quote_binds, verify_size
from attestation.platforms.sealing import no_sealing_key
from attestation.platforms.tsm_certificates import MAX_TABLE_BYTES
from attestation.platforms.tsm_files import ConfigfsFiles, ReportFiles
from attestation.platforms.tsm_snp import snp_evidence

REPORTS = Path("/sys/kernel/config/tsm/report")
TDX_PROVIDER = "tdx_guest"
SNP_PROVIDER = "sev_guest"

# Between five attempts: 1.5 s in all, longer than a quote takes and shorter than a client waits. No
# retry library is in the project, and a straight loop needs none.
PAUSES_S = (0.1, 0.2, 0.4, 0.8)

_MAX_TEXT_BYTES = 4096
_ONLY_ROOT = "only root may ask the kernel for evidence: run this program as root of the guest"
_HINTS = {
    errno.EBUSY: "another quote is under way on this machine and does not end; ask again later",
    errno.EINVAL: "the driver refused the request; for SEV-SNP, does the guest run at the "
    "privilege level (VMPL) that its kernel thinks it has?",
    errno.EFBIG: "the evidence is larger than this kernel hands out: update the guest's kernel",
    errno.EIO: "the host did not answer: for TDX, does its quote generation service run? for "
    "SEV-SNP, is the certificate table that it hands out too large?",
    errno.ETIMEDOUT: "the host did not answer in time: does its quote generation service run?",
    errno.ENXIO: "no TEE driver is loaded: modprobe tdx_guest or sev-guest",
    errno.ENOENT: "no configfs-tsm: Linux 6.7 or newer, modprobe tdx_guest or sev-guest, "
    "mount configfs",
    errno.EACCES: _ONLY_ROOT,
    errno.EPERM: _ONLY_ROOT,
    errno.ENOTTY: "the guest's key for talking to the security processor is disabled: restart it",
}


class _BusyError(PlatformError):
    """The device has another quote under way."""


@dataclass(frozen=True, slots=True)
class _Answer:
    provider: str
    blob: bytes
    table: bytes


class TsmPlatform:
    """A `Platform` of a process in a TDX or SEV-SNP guest. Made by `open`."""

    name = "tsm"

    def __init__(
        self,
        files: ReportFiles,
        certificate: bytes = b"",
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Keep the parts: `certificate` is DER or empty, `pause` waits seconds in a thread."""
        self._files = files
        self._certificate = certificate
        self._pause = pause

    @classmethod
    def open(cls, root: Path = REPORTS, certificate: bytes = b"") -> "TsmPlatform":
        """Check that configfs-tsm is there; raises PlatformError with what to do.

        `certificate` (DER) is used for SEV-SNP reports if the host hands out none.
        """
        if not root.is_dir():
            raise PlatformError(f"{root} is missing: {_HINTS[errno.ENOENT]}")
        return cls(ConfigfsFiles(root), certificate)

    async def evidence(self, report_data: bytes) -> bytes:
        """Encoded evidence over 64 bytes of report data: a TDX quote or SEV-SNP report.

        Raises PlatformError; where the host gives no certificate, it says what to fetch.
        """
        verify_size(report_data)
        answer = await asyncio.to_thread(self._ask_often, report_data)
        if answer.provider == TDX_PROVIDER:
            verify_quote_binds(answer.blob, report_data)
            return encode_evidence(Evidence(EvidenceKind.DCAP, answer.blob))
        given = self._certificate
        return encode_evidence(snp_evidence(answer.blob, answer.table, given, report_data))

    def sealing_key(self, label: bytes, *, svn: int | None = None) -> Never:  # noqa: ARG002  (the port's)
        """There is none: raises NoSealingKeyError."""
        raise no_sealing_key("tsm (TDX, SEV-SNP)")

    def _ask_often(self, report_data: bytes) -> _Answer:
        for pause_s in PAUSES_S:
            with suppress(_BusyError):
                return self._ask(report_data)
            self._pause(pause_s)
        return self._ask(report_data)

    def _ask(self, report_data: bytes) -> _Answer:
        request = f"sealedger-{secrets.token_hex(8)}"
        try:
            self._files.make(request)
            try:
                return self._answer(request, report_data)
            finally:
                with suppress(
                    OSError
                ):  # what went wrong before tells more than a request left over
                    self._files.remove(request)
        except OSError as error:
            raise _platform_error(error) from error

    def _answer(self, request: str, report_data: bytes) -> _Answer:
        provider = self._text(request, "provider")
        if provider not in (TDX_PROVIDER, SNP_PROVIDER):
            raise PlatformError(f"evidence of {provider[:32]!r} cannot be verified by this version")
        before = self._generation(request)
        self._files.write(request, "inblob", report_data)
        blob = self._blob(request, "outblob", MAX_QUOTE_BYTES)
        table = self._table(request) if provider == SNP_PROVIDER else b""
        writes = self._generation(request) - before
        if writes != 1:
            raise PlatformError(
                f"{writes} writes to our own request, expected 1: the kernel did not take ours, or "
                "another program interferes; the evidence is not used"
            )
        return _Answer(provider, blob, table)

    def _table(self, request: str) -> bytes:
        try:
            return self._blob(request, "auxblob", MAX_TABLE_BYTES)
        except FileNotFoundError:  # optional in the kernel's interface
            return b""

    def _text(self, request: str, attribute: str) -> str:
        data = self._blob(request, attribute, _MAX_TEXT_BYTES)
        return data.decode("ascii", "replace").strip()

    def _generation(self, request: str) -> int:
        text = self._text(request, "generation")
        if not (text.isascii() and text.isdigit()):
            raise PlatformError("configfs-tsm: a generation that is no number")
        return int(text)

    def _blob(self, request: str, attribute: str, limit: int) -> bytes:
        data = self._files.read(request, attribute, limit)
        if len(data) > limit:
            raise PlatformError(f"configfs-tsm: {attribute} has more than {limit} bytes")
        return data


def _platform_error(error: OSError) -> PlatformError:
    hint = _HINTS.get(error.errno or 0, "the guest's kernel log says more")
    kind = _BusyError if error.errno == errno.EBUSY else PlatformError
    return kind(f"configfs-tsm: {error.strerror}: {hint}")
