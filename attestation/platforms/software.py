"""The `software` platform: a quoting enclave made of files. DEVELOPMENT ONLY.

Whoever can read its directory can quote any code, so it proves nothing to whoever does not trust
the machine. What it is for: it emits the same DCAP quotes and collateral as hardware, under its own
random root, so that the one verification path runs everywhere. Programs of one machine share one
directory; each opens it with the manifest of its own files.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import encode_collateral
from attestation.errors import PlatformError
from attestation.evidence import Evidence, EvidenceKind, encode_evidence
from attestation.handshake import REPORT_DATA_SIZE
from attestation.platforms.software_collateral import (
    CPU_SVN,
    FMSPC,
    PCE_SVN,
    CollateralOptions,
    make_collateral,
)
from attestation.platforms.software_der import PlatformNumbers
from attestation.platforms.software_files import (
    ATTESTATION_KEY,
    COLLATERAL,
    QE_PART,
    ROOT_CERTIFICATE,
    SEALING_KEY,
    TCB_SIGNER_CERTIFICATE,
    PlatformFiles,
    new_platform_files,
)
from attestation.platforms.software_manifest import measure, read_manifest
from attestation.platforms.software_pki import new_authority, new_key, signer_pin
from attestation.platforms.software_quote import EnclaveReport, make_qe_part, make_quote
from ledger.crypto.secret import Secret

QE_SIGNER = hashlib.sha256(b"sealedger software quoting enclave signer v1\n").digest()
SEALING_KEY_SIZE = 32
MAX_LABEL = 64

_SEALING_LABEL = b"sealedger/software-sealing/1\0"
_PPID_SIZE = 16


@dataclass(frozen=True, slots=True)
class SoftwareTrust:
    """What a development genesis takes from a platform directory. Nothing secret."""

    root: bytes  # DER
    tcb_signer_pin: bytes  # SHA-256 of its SubjectPublicKeyInfo
    collateral: bytes  # encoded


def create_platform(directory: Path, now_s: int, options: CollateralOptions | None = None) -> None:
    """Make a platform directory (mode 0700) with random keys and collateral from `now_s` on.

    `options` replaces the default collateral (UpToDate, one year). Raises PlatformError when the
    directory exists or cannot be written.
    """
    numbers = PlatformNumbers(
        ppid=os.urandom(_PPID_SIZE), fmspc=FMSPC, cpu_svn=CPU_SVN, pce_svn=PCE_SVN
    )
    authority = new_authority(numbers, now_s)
    attestation_key = new_key()
    with new_platform_files(directory) as files:
        files.write_authority(authority)
        files.write_key(ATTESTATION_KEY, attestation_key)
        files.write(SEALING_KEY, os.urandom(SEALING_KEY_SIZE))
        files.write(QE_PART, make_qe_part(authority, attestation_key, QE_SIGNER))
        _sign_collateral(files, options or CollateralOptions(issued_s=now_s))


def renew_collateral(directory: Path, options: CollateralOptions) -> bytes:
    """Sign new collateral, keep it in the directory and return its bytes; raises PlatformError."""
    return _sign_collateral(PlatformFiles(directory), options)


def _sign_collateral(files: PlatformFiles, options: CollateralOptions) -> bytes:
    data = encode_collateral(make_collateral(files.read_authority(), QE_SIGNER, options))
    files.write(COLLATERAL, data)
    return data


def read_trust(directory: Path) -> SoftwareTrust:
    """The public side of a platform directory; raises PlatformError."""
    files = PlatformFiles(directory)
    return SoftwareTrust(
        root=files.read_certificate(ROOT_CERTIFICATE).public_bytes(Encoding.DER),
        tcb_signer_pin=signer_pin(files.read_certificate(TCB_SIGNER_CERTIFICATE)),
        collateral=files.read(COLLATERAL),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareEnclave:
    """Who this program is, measured when the platform was opened."""

    measurement: bytes
    signer: bytes
    product_id: int
    svn: int


class SoftwarePlatform:
    """A `Platform` whose measurement is that of a manifest's files. See the module's warning."""

    name = "software"

    def __init__(
        self,
        enclave: SoftwareEnclave,
        attestation_key: ec.EllipticCurvePrivateKey,
        qe_part: bytes,
        sealing_root: Secret,
    ) -> None:
        """Keep the parts; use `open`."""
        self.enclave = enclave
        self._attestation_key = attestation_key
        self._qe_part = qe_part
        self._sealing_root = sealing_root

    @classmethod
    def open(cls, directory: Path, manifest_path: Path) -> "SoftwarePlatform":
        """Measure the manifest's files and load the quoting keys; raises PlatformError.

        Key files whose mode is wider than 0600 are refused.
        """
        files = PlatformFiles(directory)
        manifest = read_manifest(manifest_path)
        enclave = SoftwareEnclave(
            measurement=measure(manifest),
            signer=manifest.mr_signer,
            product_id=manifest.product_id,
            svn=manifest.svn,
        )
        sealing_root = Secret(files.read(SEALING_KEY))
        if len(sealing_root) != SEALING_KEY_SIZE:
            raise PlatformError(f"{directory / SEALING_KEY}: not {SEALING_KEY_SIZE} bytes")
        return cls(enclave, files.read_key(ATTESTATION_KEY), files.read(QE_PART), sealing_root)

    async def evidence(self, report_data: bytes) -> bytes:
        """Encoded evidence over 64 bytes of report data; raises PlatformError for another size."""
        if len(report_data) != REPORT_DATA_SIZE:
            raise PlatformError(f"report data: {len(report_data)} bytes, must be 64")
        report = EnclaveReport(
            mr_enclave=self.enclave.measurement,
            mr_signer=self.enclave.signer,
            product_id=self.enclave.product_id,
            svn=self.enclave.svn,
            report_data=report_data,
        )
        quote = make_quote(self._attestation_key, self._qe_part, report)
        return encode_evidence(Evidence(EvidenceKind.DCAP, quote))

    def sealing_key(self, label: bytes, *, svn: int | None = None) -> Secret:
        """A 32-byte key for `label`, this signer, product and security version (or an older one).

        Raises PlatformError for a label that is not 1-64 bytes or an SVN above the enclave's own.
        """
        version = self.enclave.svn if svn is None else svn
        if not 0 <= version <= self.enclave.svn:
            raise PlatformError(f"sealing key: SVN {version}, the enclave has {self.enclave.svn}")
        if not 0 < len(label) <= MAX_LABEL:
            raise PlatformError(f"sealing key: label of {len(label)} bytes, must be 1 to 64")
        info = b"".join(
            (
                _SEALING_LABEL,
                self.enclave.signer,
                self.enclave.product_id.to_bytes(2, "big"),
                version.to_bytes(2, "big"),
                label,
            )
        )
        kdf = HKDF(hashes.SHA256(), SEALING_KEY_SIZE, salt=None, info=info)
        return Secret(kdf.derive(self._sealing_root.reveal()))
