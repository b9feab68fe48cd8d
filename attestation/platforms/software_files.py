"""The software platform's directory: what lies in it, and with which modes. Development only.

Rules: the directory is made with mode 0700 and files with 0600; a file that others may touch
or that is no regular file is refused before it is read. Layout, all DER unless said:
  tee              one word: sgx, tdx or snp   sealing.key   32 random bytes
  collateral.pb    encoded collateral
and for SGX and TDX
  root.key pck-ca.key tcb-signer.key pck.key   PKCS 8: sign certificates and collateral
  root.crt pck-ca.crt tcb-signer.crt pck.crt   certificates
  attestation.key  PKCS 8: signs quotes        qe.bin        the constant part of a quote
for SEV-SNP
  ark.key ask.key  PKCS 8: sign certificates and collateral
  ark.crt ask.crt vcek.crt                     certificates
  vcek.key         PKCS 8: signs reports       chip.id       64 random bytes
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from attestation.errors import PlatformError
from attestation.platforms.software_pki import Authority
from attestation.platforms.software_snp_pki import SnpAuthority

SGX, TDX, SNP = "sgx", "tdx", "snp"
TEES = (SGX, TDX, SNP)

TEE = "tee"
ATTESTATION_KEY = "attestation.key"
SEALING_KEY = "sealing.key"
QE_PART = "qe.bin"
COLLATERAL = "collateral.pb"
ROOT_CERTIFICATE = "root.crt"
TCB_SIGNER_CERTIFICATE = "tcb-signer.crt"
ARK_CERTIFICATE = "ark.crt"
VCEK_CERTIFICATE = "vcek.crt"
VCEK_KEY = "vcek.key"
CHIP_ID = "chip.id"

MAX_FILE_BYTES = 2 * 1024 * 1024

_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@contextmanager
def new_platform_files(directory: Path) -> Iterator["PlatformFiles"]:
    """Fill a directory that does not exist yet: it appears whole on success, or not at all.

    Raises PlatformError when it exists or cannot be made.
    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    except OSError as error:
        raise PlatformError(f"{directory}: cannot be created: {error}") from error
    try:
        yield PlatformFiles(staging)
        if directory.exists():
            raise PlatformError(f"{directory}: exists already")
        staging.rename(directory)
    except OSError as error:
        raise PlatformError(f"{directory}: cannot be created: {error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


class PlatformFiles:
    """Reads and writes the files of one platform directory."""

    def __init__(self, directory: Path) -> None:
        """Remember the directory; nothing is opened."""
        self._directory = directory

    def read(self, name: str) -> bytes:
        """The content of a file of mode 0600 or narrower; raises PlatformError."""
        path = self._directory / name
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise PlatformError(f"{path}: cannot be opened: {error.strerror}") from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):  # a folder can be opened, but is no file to Python
                raise PlatformError(f"{path}: not a regular file")
            if status.st_mode & _OPEN_TO_OTHERS:
                mode = stat.S_IMODE(status.st_mode)
                raise PlatformError(f"{path}: mode {mode:04o}, must be 0600: others can touch it")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(MAX_FILE_BYTES + 1)
        finally:
            os.close(descriptor)
        if len(data) > MAX_FILE_BYTES:
            raise PlatformError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        return data

    def write(self, name: str, data: bytes) -> None:
        """Put a file of mode 0600 in place, whole or not at all; raises PlatformError."""
        path = self._directory / name
        temporary = path.with_name(f"{name}.new")
        try:
            temporary.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            raise PlatformError(f"{path}: cannot be written: {error}") from error

    def read_tee(self) -> str:
        """Which kind of TEE the directory stands for; raises PlatformError."""
        tee = self.read(TEE).decode(errors="replace").strip()
        if tee not in TEES:
            raise PlatformError(f"{self._directory / TEE}: must be one of {', '.join(TEES)}")
        return tee

    def read_key(self, name: str) -> ec.EllipticCurvePrivateKey:
        """A private key on a curve; raises PlatformError without showing the file's content."""
        key = self._private_key(name)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise PlatformError(f"{self._directory / name}: not an elliptic-curve key")
        return key

    def read_rsa_key(self, name: str) -> rsa.RSAPrivateKey:
        """An RSA private key; raises PlatformError without showing the file's content."""
        key = self._private_key(name)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise PlatformError(f"{self._directory / name}: not an RSA key")
        return key

    def _private_key(self, name: str) -> PrivateKeyTypes:
        try:
            return load_der_private_key(self.read(name), password=None)
        except (ValueError, TypeError) as error:
            raise PlatformError(f"{self._directory / name}: not a private key") from error

    def write_key(self, name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
        """Write a private key as PKCS 8; raises PlatformError."""
        self.write(name, key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))

    def read_certificate(self, name: str) -> x509.Certificate:
        """A certificate; raises PlatformError."""
        try:
            return x509.load_der_x509_certificate(self.read(name))
        except ValueError as error:
            raise PlatformError(f"{self._directory / name}: not a certificate") from error

    def write_certificate(self, name: str, certificate: x509.Certificate) -> None:
        """Write a certificate as DER; raises PlatformError."""
        self.write(name, certificate.public_bytes(Encoding.DER))

    def read_authority(self) -> Authority:
        """All signing keys and certificates; raises PlatformError."""
        return Authority(
            root_key=self.read_key("root.key"),
            pck_ca_key=self.read_key("pck-ca.key"),
            tcb_signer_key=self.read_key("tcb-signer.key"),
            pck_key=self.read_key("pck.key"),
            root=self.read_certificate(ROOT_CERTIFICATE),
            pck_ca=self.read_certificate("pck-ca.crt"),
            tcb_signer=self.read_certificate(TCB_SIGNER_CERTIFICATE),
            pck=self.read_certificate("pck.crt"),
        )

    def write_authority(self, authority: Authority) -> None:
        """Write all signing keys and certificates; raises PlatformError."""
        self.write_key("root.key", authority.root_key)
        self.write_key("pck-ca.key", authority.pck_ca_key)
        self.write_key("tcb-signer.key", authority.tcb_signer_key)
        self.write_key("pck.key", authority.pck_key)
        for name, certificate in (
            (ROOT_CERTIFICATE, authority.root),
            ("pck-ca.crt", authority.pck_ca),
            (TCB_SIGNER_CERTIFICATE, authority.tcb_signer),
            ("pck.crt", authority.pck),
        ):
            self.write_certificate(name, certificate)

    def read_snp_authority(self) -> SnpAuthority:
        """All signing keys and certificates; raises PlatformError."""
        return SnpAuthority(
            ark_key=self.read_rsa_key("ark.key"),
            ask_key=self.read_rsa_key("ask.key"),
            vcek_key=self.read_key(VCEK_KEY),
            ark=self.read_certificate(ARK_CERTIFICATE),
            ask=self.read_certificate("ask.crt"),
            vcek=self.read_certificate(VCEK_CERTIFICATE),
        )

    def write_snp_authority(self, authority: SnpAuthority) -> None:
        """Write all signing keys and certificates; raises PlatformError."""
        self.write_key("ark.key", authority.ark_key)
        self.write_key("ask.key", authority.ask_key)
        self.write_key(VCEK_KEY, authority.vcek_key)
        self.write_certificate(ARK_CERTIFICATE, authority.ark)
        self.write_certificate("ask.crt", authority.ask)
        self.write_certificate(VCEK_CERTIFICATE, authority.vcek)
