"""What ``sealedger node init`` does: fill a home so that it is founded whole or not at all.

1. Nothing that stands there is written over. A platform may be there already, accounts too.
2. On hardware the core proves itself, and gives sealing keys, before anything is written.
3. Everything is made in a folder of its own inside the home, which may be a mount point, and then
   moved file by file (Gramine renames no folders), genesis last: without it a home holds no node.
4. Whatever goes wrong, an interrupt included, what was made is removed again. Only a killed program
   leaves the folder behind, and the next one says so.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from attestation.platforms.detect import AUTO, SOFTWARE, PlatformPlaces, find_platforms
from attestation.platforms.platform import Platform
from attestation.platforms.software import SoftwarePlatform, create_platform, read_trust
from attestation.platforms.software_files import SGX
from enclave_client.network_file import NetworkFile
from ledger.format.genesis import Collection, Profile
from ledger.format.names import verify_name
from node.config import NodeConfig
from node.core_platform import open_core_platform
from node.errors import ConfigError
from node.founding import (
    UNGOVERNED,
    CorePlatform,
    FoundingPlan,
    Governance,
    found_development_network,
)
from node.founding_core import STRICT, Accepted, core_policy, prove_core
from node.founding_trust import (
    USUAL,
    CollateralLimits,
    FoundingTrust,
    read_trust_files,
    software_trust,
    verify_trust,
)
from node.home import Home, replace_file

STAGING = ".founding"


@dataclass(frozen=True, slots=True)
class PlatformChoice:
    """Where the core runs, and what the network believes beside that.

    `kind` is a platform's name, or `auto` for the TEE that is found. `tee` is what the software
    platform stands for; one that is there already has to be of it. `collateral` and `roots` are
    files, for the core's hardware and for that of clients; all of it has to be within `limits`.
    """

    kind: str = SOFTWARE
    tee: str = SGX
    collateral: tuple[Path, ...] = ()
    roots: tuple[Path, ...] = ()
    accepted: Accepted = STRICT
    limits: CollateralLimits = USUAL


@dataclass(frozen=True, slots=True)
class FirstHome:
    """What the operator chooses. `endpoint` is what clients connect to, if not where it listens."""

    home: Path
    name: str
    collections: tuple[Collection, ...]
    listen: str
    http_listen: str
    lock: Path | None = None
    endpoint: str | None = None
    platform: PlatformChoice = PlatformChoice()
    governance: Governance = UNGOVERNED


async def found_home(chosen: FirstHome, places: PlatformPlaces, now_ms: int) -> NetworkFile:
    """Found a development network of one node (1 to 4 above).

    `places` is where platforms are looked for, and the core's manifest on the software platform,
    whose directory is the home's own. Raises ConfigError if something is in the way or the core
    does not prove itself, PlatformError, and what founding raises.
    """
    home, now_s = Home(chosen.home), now_ms // 1000
    choice = replace(chosen.platform, kind=_kind(chosen.platform.kind, places))
    config = _config(chosen, choice.kind)
    name = verify_name(chosen.name)
    _verify_free(home, config)
    proven = None
    if choice.kind != SOFTWARE:
        opened = open_core_platform(choice.kind, places, Profile.DEVELOPMENT, {})
        proven = await _core(opened, _believed(choice), choice.accepted, now_s)
    with _building(home, config.ledger.lock) as staged:
        core = proven or await _software_core(home, staged, choice, places, now_s)
        plan = FoundingPlan(
            name=name,
            collections=chosen.collections,
            endpoint=chosen.endpoint or chosen.listen,
            governance=chosen.governance,
            lock=config.ledger.lock,
        )
        replace_file(staged.config, config.encode(), 0o644)
        return found_development_network(staged, plan, core, now_ms)


def _kind(chosen: str, places: PlatformPlaces) -> str:
    """The platform to found on; what is to be simulated has to be asked for by name."""
    if chosen != AUTO:
        return chosen
    found = [one for one in find_platforms(places) if one.name != SOFTWARE]
    for one in found:
        if one.is_found:
            return one.name
    why = "; ".join(f"{one.name}: {one.reason}" for one in found)
    raise ConfigError(f"no TEE found: {why}", "for trials without one: --platform software")


def _believed(choice: PlatformChoice) -> FoundingTrust:
    return replace(read_trust_files(choice.collateral, choice.roots), limits=choice.limits)


async def _core(
    platform: Platform, trust: FoundingTrust, accepted: Accepted, now_s: int
) -> CorePlatform:
    collateral = verify_trust(trust, now_s)
    identity = await prove_core(platform, collateral, trust.rules, now_s)
    policy = core_policy(identity, accepted, now_s)
    return CorePlatform(platform, trust, policy, identity.platform_id)


async def _software_core(
    home: Home, staged: Home, choice: PlatformChoice, places: PlatformPlaces, now_s: int
) -> CorePlatform:
    """The core on the home's software platform, which is made if there is none."""
    believed = _believed(choice)
    at = home.platform
    if not at.exists():
        at = staged.platform
        create_platform(at, now_s, tee=choice.tee)
    if places.manifest is None:
        raise ConfigError("the software platform needs the core's manifest")
    platform = SoftwarePlatform.open(at, places.manifest)
    found = platform.enclave.tee
    if found != choice.tee:
        hint = f"--tee {found}, or move the platform away"
        raise ConfigError(f"{at} stands for {found}, not for {choice.tee}", hint)
    own = replace(software_trust(read_trust(at)), limits=choice.limits)
    try:  # its number is looked at with the others', below: another platform has no better one
        verify_trust(replace(own, limits=CollateralLimits(choice.limits.grace_s)), now_s)
    except ConfigError as error:
        hint = "move this platform away, so that init makes another"
        raise ConfigError(f"{at}: {error}", hint) from error
    return await _core(platform, own.joined(believed), choice.accepted, now_s)


def _config(chosen: FirstHome, platform: str) -> NodeConfig:
    settings: dict[str, object] = {
        "grpc": {"listen": chosen.listen},
        "http": {"listen": chosen.http_listen},
        "platform": {"kind": platform},
    }
    if chosen.lock is not None:
        settings["ledger"] = {"lock": chosen.lock.absolute()}
    return NodeConfig.check(
        settings, f"--listen {chosen.listen} --http-listen {chosen.http_listen}"
    )


def _pieces(home: Home) -> tuple[Path, ...]:
    """What init makes, in the order in which it is moved into place; genesis is the last."""
    folders = (home.node_key.parent, home.key_service.parent, home.data, home.lock.parent)
    return (home.platform, *folders, home.config, home.network, home.genesis)


def _verify_free(home: Home, config: NodeConfig) -> None:
    if home.genesis.exists():
        raise ConfigError(f"{home.root} already holds a node", "choose another --home")
    ours = [piece for piece in _pieces(home) if piece != home.platform]
    if config.ledger.lock is not None:
        ours.append(config.ledger.lock)
    for piece in ours:
        if piece.exists() or piece.is_symlink():
            hint = "init writes nothing over: move it away, or choose another place"
            raise ConfigError(f"{piece} exists already", hint)


@contextmanager
def _building(home: Home, lock: Path | None) -> Iterator[Home]:
    """A home to fill; on success its pieces stand in `home`, on failure nothing does."""
    is_new = not home.root.exists()
    staging = home.root / STAGING
    try:
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        staging.mkdir(mode=0o700)
    except FileExistsError as error:
        hint = f"an init runs, or was killed: if none runs, remove {staging} and begin again"
        raise ConfigError(f"{staging} exists already", hint) from error
    moved: list[Path] = []
    try:
        staged = Home(staging)
        yield staged
        for source, target in zip(_pieces(staged), _pieces(home), strict=True):
            if source.exists():
                moved.append(target)
                _move(source, target)
        _sync(home.root)
    except BaseException:
        _remove([*moved, *([] if lock is None else [lock])])
        raise
    finally:
        _remove([staging])
        if is_new and not any(home.root.iterdir()):
            home.root.rmdir()


def _move(source: Path, target: Path) -> None:
    """Move a file, or a folder by making it anew and moving what is in it; durable on return."""
    if not source.is_dir():
        source.rename(target)
        return
    target.mkdir(mode=stat.S_IMODE(source.stat().st_mode))
    for inner in sorted(source.iterdir()):
        _move(inner, target / inner.name)
    _sync(target)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
