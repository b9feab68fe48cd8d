"""The manifest that says which files make up a software enclave, and its measurement.

Rules: a TOML file {name, product_id, svn, signer, files, root}. `root` is a directory relative to
the manifest's (default "."); each entry of `files` is a file, a directory (everything below it but
``__pycache__``) or a glob pattern, relative to root; one that matches nothing is an error. Links
are refused. The measurement is SHA-256 over ``sealedger software v1`` newline and, per file sorted
by path, ``<sha256 hex>  <path>`` newline: one changed byte changes it; where the TEE's own
measurements have 48 bytes (TDX, SEV-SNP), SHA-384 over the same. The signer is a bare name that
anybody may write: good for development, worth nothing elsewhere.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from attestation.errors import PlatformError

MAX_MANIFEST_BYTES = 64 * 1024
MAX_FILES = 20_000

_HEADER = b"sealedger software v1\n"
_SIGNER_HEADER = b"sealedger software signer v1\n"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}", re.ASCII)
_PATH = re.compile(r"[\x20-\x7e]{1,400}", re.ASCII)
_KEYS = {"name", "product_id", "svn", "signer", "files", "root"}
_MAX_U16 = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A software enclave as its manifest describes it; `base` is where its files lie."""

    name: str
    product_id: int
    svn: int
    signer: str
    files: tuple[str, ...]
    base: Path

    @property
    def mr_signer(self) -> bytes:
        """SHA-256 over a label and the signer's name."""
        return software_signer(self.signer)


def software_signer(name: str) -> bytes:
    """The MRSIGNER (32 bytes) of a software signer's name, to name it in a policy."""
    return hashlib.sha256(_SIGNER_HEADER + name.encode()).digest()


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest; raises PlatformError naming the first fault."""
    try:
        data = path.read_bytes()
        if len(data) > MAX_MANIFEST_BYTES:
            raise PlatformError(f"{path}: larger than {MAX_MANIFEST_BYTES} bytes")
        table = tomllib.loads(data.decode())
    except (OSError, ValueError, RecursionError) as error:
        raise PlatformError(f"{path}: not a readable manifest: {error}") from error
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise PlatformError(f"{path}: unknown key {unknown[0]}")
    return Manifest(
        name=_name(path, table, "name"),
        product_id=_number(path, table, "product_id"),
        svn=_number(path, table, "svn"),
        signer=_name(path, table, "signer"),
        files=_entries(path, table),
        base=path.parent / _relative(path, table.get("root", "."), may_climb=True),
    )


def software_id_key_digest(name: str) -> bytes:
    """The ID_KEY_DIGEST (48 bytes) of a software signer's name, to name it in a policy."""
    return hashlib.sha384(_SIGNER_HEADER + name.encode()).digest()


def measure(manifest: Manifest) -> bytes:
    """The MRENCLAVE (32 bytes) of the files as they are now; raises PlatformError."""
    return hashlib.sha256(_lines(manifest)).digest()


def measure_guest(manifest: Manifest) -> bytes:
    """The MRTD or MEASUREMENT (48 bytes) of the files as they are now; raises PlatformError."""
    return hashlib.sha384(_lines(manifest)).digest()


def _lines(manifest: Manifest) -> bytes:
    lines = [_HEADER]
    for name, file in _expand(manifest):
        try:
            content = file.read_bytes()
        except OSError as error:
            raise PlatformError(f"{name}: cannot be measured: {error}") from error
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())
    return b"".join(lines)


def _expand(manifest: Manifest) -> list[tuple[str, Path]]:
    found: dict[str, Path] = {}
    for entry in manifest.files:
        files = _matches(manifest.base, entry)
        if not files:
            raise PlatformError(f"{manifest.name}: {entry} matches no file")
        for file in files:
            name = file.relative_to(manifest.base).as_posix()
            if file.is_symlink() or not _PATH.fullmatch(name):
                raise PlatformError(f"{manifest.name}: {entry} matches a link or an odd name")
            found[name] = file
    if len(found) > MAX_FILES:
        raise PlatformError(f"{manifest.name}: {len(found)} files, at most {MAX_FILES}")
    return sorted(found.items(), key=lambda item: item[0].encode())


def _matches(base: Path, entry: str) -> list[Path]:
    whole = base / entry
    if whole.is_symlink() or whole.is_file():
        return [whole]
    paths = whole.rglob("*") if whole.is_dir() else base.glob(entry)
    return [
        path
        for path in paths
        if (path.is_symlink() or path.is_file())
        and "__pycache__" not in path.relative_to(base).parts
    ]


def _name(path: Path, table: dict[str, object], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise PlatformError(f"{path}: {key} must be 1-64 letters, digits, spaces or ._-")
    return value


def _number(path: Path, table: dict[str, object], key: str) -> int:
    value = table.get(key)
    if type(value) is not int or not 0 <= value <= _MAX_U16:
        raise PlatformError(f"{path}: {key} must be a number from 0 to {_MAX_U16}")
    return value


def _entries(path: Path, table: dict[str, object]) -> tuple[str, ...]:
    value = table.get("files")
    if not isinstance(value, list) or not value:
        raise PlatformError(f"{path}: files must be a list that is not empty")
    return tuple(_relative(path, entry, may_climb=False) for entry in value)


def _relative(path: Path, value: object, *, may_climb: bool) -> str:
    if not isinstance(value, str) or not _PATH.fullmatch(value) or Path(value).is_absolute():
        raise PlatformError(f"{path}: not a relative path: {value!r}")
    if not may_climb and ".." in Path(value).parts:
        raise PlatformError(f"{path}: {value} leaves the root")
    return value
