"""A platform of one test process: a machine with a secret, and enclaves with security versions.

Its evidence is a readable stand-in for a quote (kind DCAP, never verified as one); its sealing keys
keep the promises of the Platform port: by label and version, never for a newer one.
"""

import hashlib
import hmac

from attestation.errors import PlatformError
from attestation.evidence import Evidence, EvidenceKind, encode_evidence
from kms.errors import KeyServiceStateError
from ledger.crypto.secret import Secret


class SmallPlatform:
    """A platform on the machine that `machine` names; can be told to fail."""

    name = "small"

    def __init__(self, machine: str = "machine one", svn: int = 1) -> None:
        self.svn = svn
        self.report_data: list[bytes] = []
        self.is_broken = False
        self._secret = hashlib.sha256(machine.encode()).digest()

    async def evidence(self, report_data: bytes) -> bytes:
        if self.is_broken:
            raise PlatformError("the test platform was told to fail")
        if len(report_data) != 64:
            raise AssertionError(f"report data has {len(report_data)} bytes")
        self.report_data.append(report_data)
        return encode_evidence(Evidence(EvidenceKind.DCAP, b"test quote\0" + report_data))

    def sealing_key(self, label: bytes, *, svn: int | None = None) -> Secret:
        if not 1 <= len(label) <= 64:
            raise AssertionError(f"a label has {len(label)} bytes")
        version = self.svn if svn is None else svn
        if version > self.svn or self.is_broken:
            raise PlatformError("no sealing key of a newer version")
        message = version.to_bytes(2, "big") + label
        return Secret(hmac.digest(self._secret, message, "sha256"))


class MemoryState:
    """A sealed-state store in memory that keeps every blob and can fail before or after saving."""

    def __init__(self) -> None:
        self.blobs: list[bytes] = []
        self.fail_before = False
        self.fail_after = False

    def load(self) -> bytes | None:
        return self.blobs[-1] if self.blobs else None

    def save(self, blob: bytes) -> None:
        if blob in self.blobs:
            raise AssertionError("one blob is saved twice: its salt is not fresh")
        if self.fail_before:
            raise KeyServiceStateError("the test disk failed before writing")
        self.blobs.append(blob)
        if self.fail_after:
            raise KeyServiceStateError("the test disk failed after writing")
