"""The `software` platform: a quoting enclave made of files. DEVELOPMENT ONLY.

Whoever can read its directory can quote any code, so it proves nothing to whoever does not trust
the machine. What it is for: it emits the same quotes, reports and collateral as hardware, of the
kind of TEE that its directory was made for (SGX, TDX or SEV-SNP), under its own random root, so
that the one verification path runs everywhere. Programs of one machine share one directory; each
opens it with the manifest of its own files.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import Collateral, encode_collateral
from attestation.errors import PlatformError
from attestation.evidence import encode_evidence
from attestation.handshake import REPORT_DATA_SIZE
from attestation.platforms.software_collateral import (
    CPU_SVN,
    FMSPC,
    PCE_SVN,
    CollateralOptions,
    make_collateral,
)
from attestation.platforms.software_der import PlatformNumbers
from attestation.platforms.software_enclave import SoftwareEnclave, enclave_of
from attestation.platforms.software_files import (
    ARK_CERTIFICATE,
    ATTESTATION_KEY,
    CHIP_ID,
    COLLATERAL,
    QE_PART,
    ROOT_CERTIFICATE,
    SEALING_KEY,
    SGX,
    SNP,
    TCB_SIGNER_CERTIFICATE,
    TEE,
    TEES,
    PlatformFiles,
    new_platform_files,
)
from attestation.platforms.software_manifest import Manifest, read_manifest
from attestation.platforms.software_pki import new_authority, new_key, signer_pin
from attestation.platforms.software_quote import make_qe_part
from attestation.platforms.software_quoting import Quoting, open_quoting
from attestation.platforms.software_snp import TCB
from attestation.platforms.software_snp_pki import (
    LeafNumbers,
    make_snp_collateral,
    new_snp_authority,
)
from ledger.crypto.secret import Secret

QE_SIGNER = hashlib.sha256(b"sealedger software quoting enclave signer v1\n").digest()
SEALING_KEY_SIZE = 32
MAX_LABEL = 64

_SEALING_LABEL = b"sealedger/software-sealing/1\0"
_PPID_SIZE = 16
_CHIP_ID_SIZE = 64


@dataclass(frozen=True, slots=True)
class SoftwareTrust:
    """What a development genesis takes from a platform directory. Nothing secret."""

    tee: str
    root: bytes  # DER
    tcb_signer_pins: tuple[bytes, ...]  # SHA-256 of SubjectPublicKeyInfo; none for SEV-SNP
    collateral: bytes  # encoded


def create_platform(
    directory: Path, now_s: int, options: CollateralOptions | None = None, tee: str = SGX
) -> None:
    """Make a platform directory (mode 0700) with random keys and collateral from `now_s` on.

    `options` replaces the default collateral (UpToDate, one year); `tee` is ``sgx``, ``tdx`` or
    ``snp``. Raises PlatformError when the directory exists or cannot be written.
    """
    if tee not in TEES:
        raise PlatformError(f"{tee}: must be one of {', '.join(TEES)}")
    with new_platform_files(directory) as files:
        files.write(TEE, tee.encode())
        files.write(SEALING_KEY, os.urandom(SEALING_KEY_SIZE))
        if tee == SNP:
            _create_snp(files, now_s)
        else:
            _create_dcap(files, now_s)
        _sign_collateral(files, options or CollateralOptions(issued_s=now_s))


def _create_dcap(files: PlatformFiles, now_s: int) -> None:
    numbers = PlatformNumbers(
        ppid=os.urandom(_PPID_SIZE), fmspc=FMSPC, cpu_svn=CPU_SVN, pce_svn=PCE_SVN
    )
    authority, attestation_key = new_authority(numbers, now_s), new_key()
    files.write_authority(authority)
    files.write_key(ATTESTATION_KEY, attestation_key)
    files.write(QE_PART, make_qe_part(authority, attestation_key, QE_SIGNER))


def _create_snp(files: PlatformFiles, now_s: int) -> None:
    chip_id = os.urandom(_CHIP_ID_SIZE)
    files.write_snp_authority(new_snp_authority(LeafNumbers(tcb=TCB, chip_id=chip_id), now_s))
    files.write(CHIP_ID, chip_id)


def renew_collateral(directory: Path, options: CollateralOptions) -> bytes:
    """Sign new collateral, keep it in the directory and return its bytes; raises PlatformError."""
    return _sign_collateral(PlatformFiles(directory), options)


def _sign_collateral(files: PlatformFiles, options: CollateralOptions) -> bytes:
    tee = files.read_tee()
    collateral: Collateral
    if tee == SNP:
        collateral = make_snp_collateral(files.read_snp_authority(), options)
    else:
        collateral = make_collateral(files.read_authority(), QE_SIGNER, options, tee)
    data = encode_collateral(collateral)
    files.write(COLLATERAL, data)
    return data


def read_trust(directory: Path) -> SoftwareTrust:
    """The public side of a platform directory; raises PlatformError."""
    files = PlatformFiles(directory)
    tee = files.read_tee()
    root, pins = ARK_CERTIFICATE, tuple[bytes, ...]()
    if tee != SNP:
        root = ROOT_CERTIFICATE
        pins = (signer_pin(files.read_certificate(TCB_SIGNER_CERTIFICATE)),)
    return SoftwareTrust(
        tee=tee,
        root=files.read_certificate(root).public_bytes(Encoding.DER),
        tcb_signer_pins=pins,
        collateral=files.read(COLLATERAL),
    )


class SoftwarePlatform:
    """A `Platform` whose measurement is that of a manifest's files. See the module's warning."""

    name = "software"

    def __init__(
        self,
        enclave: SoftwareEnclave,
        manifest: Manifest,
        quoting: Quoting,
        sealing_root: Secret,
    ) -> None:
        """Keep the parts; use `open`."""
        self.enclave = enclave
        self._manifest = manifest
        self._quoting = quoting
        self._sealing_root = sealing_root

    @classmethod
    def open(cls, directory: Path, manifest_path: Path) -> "SoftwarePlatform":
        """Measure the manifest's files and load the quoting keys; raises PlatformError.

        Key files whose mode is wider than 0600 are refused.
        """
        files = PlatformFiles(directory)
        manifest = read_manifest(manifest_path)
        enclave = enclave_of(manifest, files.read_tee())
        sealing_root = Secret(files.read(SEALING_KEY))
        if len(sealing_root) != SEALING_KEY_SIZE:
            raise PlatformError(f"{directory / SEALING_KEY}: not {SEALING_KEY_SIZE} bytes")
        quoting = open_quoting(files, enclave, manifest.product_id)
        return cls(enclave, manifest, quoting, sealing_root)

    async def evidence(self, report_data: bytes) -> bytes:
        """Encoded evidence over 64 bytes of report data; raises PlatformError for another size."""
        if len(report_data) != REPORT_DATA_SIZE:
            raise PlatformError(f"report data: {len(report_data)} bytes, must be 64")
        return encode_evidence(self._quoting.evidence(report_data))

    def sealing_key(self, label: bytes, *, svn: int | None = None) -> Secret:
        """A 32-byte key for `label`, this signer, product and security version (or an older one).

        They are the manifest's, whatever the TEE: unlike the TDX and SEV-SNP of real machines, this
        platform always gives keys. Raises PlatformError for a label that is not 1-64 bytes or an
        SVN above the manifest's own.
        """
        manifest = self._manifest
        version = manifest.svn if svn is None else svn
        if not 0 <= version <= manifest.svn:
            raise PlatformError(f"sealing key: SVN {version}, the enclave has {manifest.svn}")
        if not 0 < len(label) <= MAX_LABEL:
            raise PlatformError(f"sealing key: label of {len(label)} bytes, must be 1 to 64")
        info = b"".join(
            (
                _SEALING_LABEL,
                manifest.mr_signer,
                manifest.product_id.to_bytes(2, "big"),
                version.to_bytes(2, "big"),
                label,
            )
        )
        kdf = HKDF(hashes.SHA256(), SEALING_KEY_SIZE, salt=None, info=info)
        return Secret(kdf.derive(self._sealing_root.reveal()))
