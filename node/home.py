"""Where a node keeps what: the paths of a home, and files written durably and privately.

Key material is mode 0600 and refused if it is wider; the rollback lock and the data live in
folders of their own so that a backup of one never brings the other along.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from kms.errors import KeyServiceStateError
from node.errors import ConfigError

DEFAULT_HOME = Path.home() / ".sealedger"


@dataclass(frozen=True, slots=True)
class Home:
    """A node's directory."""

    root: Path

    @property
    def config(self) -> Path:
        """The operator's settings."""
        return self.root / "node.toml"

    @property
    def network(self) -> Path:
        """What clients and auditors pin; public."""
        return self.root / "network.toml"

    @property
    def genesis(self) -> Path:
        """The genesis bytes."""
        return self.root / "genesis.pb"

    @property
    def node_key(self) -> Path:
        """The seed of the node's cosigning key."""
        return self.root / "keys" / "node.seed"

    @property
    def accounts(self) -> Path:
        """Keystore files of accounts (people's keys, not the node's)."""
        return self.root / "accounts"

    @property
    def platform(self) -> Path:
        """The software quoting enclave (development)."""
        return self.root / "platform"

    @property
    def key_service(self) -> Path:
        """The key service's sealed state."""
        return self.root / "kms" / "state.sealed"

    @property
    def data(self) -> Path:
        """The ledger's database."""
        return self.root / "data"

    @property
    def lock(self) -> Path:
        """The rollback lock."""
        return self.root / "lock" / "rollback"


class SealedFile:
    """kms.state.SealedState on a file: written beside, synced, renamed, directory synced."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self._path = path

    def load(self) -> bytes | None:
        """The blob, or None."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyServiceStateError(f"cannot read {self._path}: {error.strerror}") from error

    def save(self, blob: bytes) -> None:
        """Replace the blob durably."""
        try:
            replace_file(self._path, blob)
        except OSError as error:
            raise KeyServiceStateError(f"cannot write {self._path}: {error.strerror}") from error


def replace_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write `data` to `path` atomically and durably; OSError if that fails."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(file, "wb") as writer:
        writer.write(data)
        writer.flush()
        os.fsync(writer.fileno())
    beside.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read_private(path: Path) -> bytes:
    """Read a key file; ConfigError if it is missing or others may read it."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    if mode & 0o077:
        raise ConfigError(f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}")
    return data
