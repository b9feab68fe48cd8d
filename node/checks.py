"""Looks at a home before the node starts, and finds every problem at once; nothing is changed.

1. node.toml: each setting, with its line.
2. genesis.pb and network.toml belong together; the node's key is one of the network's cosigners.
3. Nobody else can read a key or write a folder; the platform opens with its manifest, may be used
   by this network, and gives sealing keys.
4. The key service's state, the ledger and the rollback lock are there.
5. The addresses are free, unless this home's node runs and has them.
Not here: whether data, lock and key service agree (node.app, when they open), the ledger (fsck).
"""

import os
import socket
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from attestation.errors import AttestationError, PlatformError
from attestation.platforms.detect import SOFTWARE
from attestation.platforms.ias import VARIABLES, verify_no_ias
from enclave_client.errors import SealedgerClientError
from kms.errors import KmsError
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret
from ledger.errors import LedgerError
from ledger.format.genesis import Profile, network_id
from ledger.format.trust import TrustDocument, decode_trust
from node.belongs import own_network_file, own_party
from node.config import NodeConfig, PlatformConfig, line_in_file, read_config
from node.core_platform import core_places, open_core_platform
from node.errors import ConfigError, LockHeldError, NodeError
from node.founding import known_genesis, read_genesis
from node.home import Home, SealedFile, read_private
from node.problems import Problem
from node.rollback_lock import RollbackLock

_OURS = (AttestationError, KmsError, LedgerError, NodeError, SealedgerClientError, OSError)
_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class HomeCheck:
    """The settings (defaults if they cannot be used), what is wrong, and whether a node runs."""

    config: NodeConfig
    problems: tuple[Problem, ...]
    is_running: bool


@dataclass(frozen=True, slots=True)
class _Genesis:
    data: bytes
    profile: Profile
    trust: TrustDocument


def check_files(home: Home, default_manifest: Path, environment: Mapping[str, str]) -> HomeCheck:
    """Check a home (1 to 5 above); `default_manifest` is the core's own. Raises nothing.

    `environment` is the process's, read at the edge: settings of an ended service are a problem.
    """
    config, problems = read_config(home.config)
    if not home.config.exists() and not home.genesis.exists():
        return HomeCheck(config, problems, is_running=False)
    found = [*problems, *_environment(environment)]
    genesis = _genesis(home, found)
    if genesis is not None:
        found += _belonging(home, genesis)
    found += _modes(home)
    found += _stored(home)
    is_running = False
    if not problems:  # what the settings name is known
        # Without a genesis nothing is known to be forbidden; it will be checked when that is back.
        profile = Profile.DEVELOPMENT if genesis is None else genesis.profile
        found += _platform(home, config.platform, default_manifest, profile)
        if genesis is not None:
            is_running, held = _lock(config.ledger.lock or home.lock, genesis.data)
            found += held
        if not is_running:
            found += _addresses(home.config, config)
    return HomeCheck(config, tuple(_once(found)), is_running)


def _genesis(home: Home, found: list[Problem]) -> _Genesis | None:
    made: list[_Genesis] = []

    def read() -> None:
        data = read_genesis(home.genesis)
        decoded = known_genesis(data)
        made.append(_Genesis(data, decoded.profile, decode_trust(decoded.trust)))

    found += _tried(home.genesis, read, "bring back the genesis file of this network")
    return made[0] if made else None


def _belonging(home: Home, genesis: _Genesis) -> Iterator[Problem]:
    def node_key() -> None:
        seed = Secret(read_private(home.node_key))
        if len(seed) != _SEED_BYTES:
            raise ConfigError(f"{home.node_key} is no key: {len(seed)} bytes, must be 32")
        own_party(genesis.trust, SigningKey(seed).public)

    fix = "bring back the keys directory of this node"
    yield from _tried(home.node_key, node_key, fix)
    fix = "bring back the network file that was made with this genesis"
    yield from _tried(home.network, lambda: own_network_file(home, genesis.data), fix)


def _modes(home: Home) -> Iterator[Problem]:
    """Key files that others can read, and folders that everybody can write."""
    secret = (home.node_key.parent, home.platform, home.key_service.parent)
    for folder in (home.root, home.data, *secret):
        mode = _mode(folder)
        if mode & stat.S_IWOTH:
            said = f"{folder} can be written by everybody (mode {mode:04o})"
            yield Problem(str(folder), said, f"chmod o-w {folder}")
    for folder in secret:
        for file in sorted(folder.glob("*")):
            mode = _mode(file)
            if mode & (stat.S_IRWXG | stat.S_IRWXO) and file.is_file():
                said = f"{file} can be read by others (mode {mode:04o})"
                yield Problem(str(file), said, f"chmod 600 {file}")


def _environment(environment: Mapping[str, str]) -> Iterator[Problem]:
    try:
        verify_no_ias(environment)
    except PlatformError as error:
        yield Problem("environment", str(error), f"unset {' and '.join(VARIABLES)}")


def _platform(
    home: Home, config: PlatformConfig, default_manifest: Path, profile: Profile
) -> Iterator[Problem]:
    places = core_places(home, config, default_manifest)
    try:
        open_core_platform(config.kind, places, profile, {})
    except PlatformError as error:
        said = str(error)
        if "must be 0600" in said:
            return  # the modes tell of it
        if config.kind != SOFTWARE:
            yield _kind_problem(home, error)
        elif said.startswith(f"{home.platform}/"):
            yield _problem(home.platform, error, "bring back the platform directory")
        else:
            manifest = config.manifest or default_manifest
            yield _problem(manifest, error, "bring back the program's files")
    except ConfigError as error:
        yield _kind_problem(home, error)


def _kind_problem(home: Home, error: Exception) -> Problem:
    """What is wrong with the kind of platform that node.toml chooses."""
    found = _problem(home.config, error, "sealedger platform show says what this machine has")
    line = line_in_file(home.config, ("platform", "kind"))
    return replace(found, line=line, field="platform.kind")


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0


def _stored(home: Home) -> Iterator[Problem]:
    def state() -> None:
        if not SealedFile(home.key_service).load():
            raise ConfigError(f"{home.key_service} is missing")

    fix = "put the key service's state back: without it every secret is lost"
    yield from _tried(home.key_service, state, fix)
    if not (home.data / "CURRENT").is_file():
        said = f"no ledger in the data directory {home.data}"
        yield Problem(str(home.data), said, "bring the newest data back, all of the directory")
    elif not os.access(home.data, os.R_OK | os.W_OK | os.X_OK):
        said = f"{home.data} cannot be written by this user"
        yield Problem(str(home.data), said, f"give it to the user that the node runs as: {_user()}")


def _user() -> str:
    return f"uid {os.geteuid()}"


def _lock(path: Path, genesis: bytes) -> tuple[bool, list[Problem]]:
    try:
        # Held for a moment: a node that starts just then is refused, and may be started again.
        RollbackLock(path, network_id(genesis)).close()
    except LockHeldError:
        return True, []
    except _OURS as error:
        return False, [_problem(path, error, "bring the newest rollback lock back")]
    return False, []


def _addresses(file: Path, config: NodeConfig) -> Iterator[Problem]:
    listens = {"grpc": config.grpc.listen, "http": config.http.listen}
    for table, address in listens.items():
        line = line_in_file(file, (table, "listen"))
        field = f"{table}.listen"
        if not is_free(address):
            change = f"change {field} in node.toml"
            if table == "grpc":
                change += " and the endpoint in network.toml"
            fix = f"another program has it, or it is not this machine's: stop that, or {change}"
            said = f"cannot listen on {address}"
            yield Problem(str(file), said, fix, line, field)
    if len(set(listens.values())) == 1 and not config.grpc.listen.endswith(":0"):
        said = f"{file}: grpc.listen and http.listen are the same address"
        line = line_in_file(file, ("http", "listen"))
        yield Problem(str(file), said, "give HTTP another port", line, "http.listen")


def is_free(address: str) -> bool:
    """Whether a program may listen at host:port now; port 0 always."""
    host, _, port = address.rpartition(":")
    try:
        places = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        for family, kind, protocol, _, place in places:
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(place)
    except (OSError, OverflowError, UnicodeError):
        return False
    return True


def _tried(file: Path, check: Callable[[], object], fix: str) -> list[Problem]:
    try:
        check()
    except _OURS as error:
        return [_problem(file, error, fix)]
    return []


def _problem(file: Path, error: Exception, fix: str) -> Problem:
    said = getattr(error, "message", str(error))
    message = said if str(file.parent) in said else f"{file}: {said}"
    return Problem(str(file), message, getattr(error, "hint", "") or fix)


def _once(found: list[Problem]) -> Iterator[Problem]:
    """Without what two checks found: one problem for each file and fix."""
    seen: set[tuple[str, str]] = set()
    for problem in found:
        key = (problem.file, problem.fix)
        if key not in seen:
            seen.add(key)
            yield problem
