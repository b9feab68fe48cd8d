"""The `gramine` platform: SGX under the Gramine library OS, through its files in /dev/attestation.

Rules (Gramine's documentation, "Attestation and Secret Provisioning"):
1. `attestation_type` says how quotes are made: `dcap`, or nothing that can be verified.
2. The 64 bytes of report data are written to `user_report_data`, then `quote` is read.
3. The files are of the process and do not order requests, so one lock of the process does.
4. `keys/_sgx_mrsigner` is the sealing key of 16 bytes. It is never used itself, only keys derived
   from it: an encrypted mount of the manifest may use it too.
Reading a quote takes milliseconds to seconds (the quoting enclave is outside): it runs in a thread.
"""

import asyncio
import os
import threading
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from attestation.errors import PlatformError
from attestation.evidence import MAX_QUOTE_BYTES, Evidence, EvidenceKind, encode_evidence
from attestation.platforms.bound import verify_quote_binds, verify_size
from ledger.crypto.secret import Secret

ROOT = Path("/dev/attestation")
TYPE = "attestation_type"
MAX_LABEL = 64

_USER_REPORT_DATA = "user_report_data"
_QUOTE = "quote"
_SEALING_ROOT = "keys/_sgx_mrsigner"
_SEALING_ROOT_SIZE = 16
_SEALING_LABEL = b"sealedger/gramine-sealing/1\0"
_SEALING_KEY_SIZE = 32
_MAX_TYPE_BYTES = 64
_QUOTE_HINT = ": does AESM run on the host, and does it reach a provisioning cache (PCCS)?"

_TYPE_HINT = ": only a process that gramine-sgx runs has it"

_DEVICE = threading.Lock()  # rule 3: the device is one for the process, however often it is opened


def read_type(root: Path) -> str:
    """What kind of attestation the manifest chose; raises PlatformError if that cannot be read."""
    return _read(root / TYPE, _MAX_TYPE_BYTES, _TYPE_HINT).decode("ascii", "replace").strip()


def verify_type(kind: str) -> None:
    """PlatformError unless it is `dcap`, with what to do about any other."""
    if kind == "dcap":
        return
    if kind == "epid":
        raise PlatformError(
            "this manifest asks for EPID attestation, which Intel ended in April 2025: write "
            'sgx.remote_attestation = "dcap" and sign it anew (docs/attestation.md)'
        )
    if kind == "none":
        raise PlatformError(
            "this manifest asks for no remote attestation: write "
            'sgx.remote_attestation = "dcap" and sign it anew (docs/deploy/sgx-gramine.md)'
        )
    raise PlatformError(f"attestation type {kind[:16]!r}, expected dcap")


class GraminePlatform:
    """A `Platform` of a process that runs under Gramine. Made by `open`."""

    name = "gramine"

    def __init__(self, root: Path) -> None:
        """Keep the root; use `open`."""
        self._root = root

    @classmethod
    def open(cls, root: Path = ROOT) -> "GraminePlatform":
        """Check that quotes can be had; raises PlatformError with what to change."""
        verify_type(read_type(root))
        return cls(root)

    async def evidence(self, report_data: bytes) -> bytes:
        """Encoded evidence: an SGX quote over 64 bytes of report data; raises PlatformError."""
        verify_size(report_data)
        quote = await asyncio.to_thread(self._quote, report_data)
        return encode_evidence(Evidence(EvidenceKind.DCAP, quote))

    def sealing_key(self, label: bytes, *, svn: int | None = None) -> Secret:
        """A 32-byte key for `label` (1-64 bytes), derived from the enclave's MRSIGNER sealing key.

        That key is bound to this processor, MRSIGNER, product id, the enclave's own security
        version, the processor's security version, and whether debugging is allowed: it changes with
        a microcode update and with a higher `sgx.isvsvn`. Gramine gives only the key of the own
        version, so any `svn` raises PlatformError, as do a bad label and a key that is not there.
        """
        if svn is not None:
            raise PlatformError(
                "Gramine gives the sealing key of the enclave's own security version only, none of "
                "an older one"
            )
        if not 0 < len(label) <= MAX_LABEL:
            raise PlatformError(f"sealing key: label of {len(label)} bytes, must be 1 to 64")
        root = Secret(_read(self._root / _SEALING_ROOT, _SEALING_ROOT_SIZE))
        if len(root) != _SEALING_ROOT_SIZE:
            raise PlatformError(
                f"{self._root / _SEALING_ROOT}: {len(root)} bytes, expected {_SEALING_ROOT_SIZE}: "
                "there is no such key outside of SGX"
            )
        kdf = HKDF(hashes.SHA256(), _SEALING_KEY_SIZE, salt=None, info=_SEALING_LABEL + label)
        return Secret(kdf.derive(root.reveal()))

    def _quote(self, report_data: bytes) -> bytes:
        with _DEVICE:
            _write(self._root / _USER_REPORT_DATA, report_data)
            quote = _read(self._root / _QUOTE, MAX_QUOTE_BYTES, _QUOTE_HINT)
        verify_quote_binds(quote, report_data)
        return quote


def _read(path: Path, limit: int, hint: str = "") -> bytes:
    """All of a pseudo-file, opened once; PlatformError if it cannot be read, or holds more."""
    data = bytearray()
    try:
        with path.open("rb", buffering=0) as file:
            while len(data) <= limit:
                part = file.read(limit + 1 - len(data))
                if not part:
                    return bytes(data)
                data += part
    except OSError as error:
        raise PlatformError(f"{path}: {error.strerror}{hint}") from error
    raise PlatformError(f"{path}: more than {limit} bytes")


def _write(path: Path, data: bytes) -> None:
    """Write a pseudo-file in one piece: a second write would replace the first."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            written = os.write(descriptor, data)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise PlatformError(f"{path}: {error.strerror}") from error
    if written != len(data):
        raise PlatformError(f"{path}: took {written} of {len(data)} bytes")
