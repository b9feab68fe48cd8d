"""What ``sealedger node init`` does: fill a home so that it is founded whole or not at all.

1. Nothing that stands there is written over. A platform may be there already, accounts too.
2. Everything is made in a folder of its own inside the home, which may be a mount point, and then
   moved, genesis last: without it a home holds no node.
3. Whatever goes wrong, an interrupt included, what was made is removed again. Only a killed program
   leaves the folder behind, and the next one says so.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from attestation.errors import AttestationError
from attestation.platforms.software import (
    SoftwarePlatform,
    SoftwareTrust,
    create_platform,
    read_trust,
)
from attestation.platforms.software_files import SGX
from attestation.rules import VerificationRules
from attestation.verify import verify_collateral
from enclave_client.network_file import NetworkFile
from ledger.format.genesis import Collection
from ledger.format.names import verify_name
from node.config import NodeConfig
from node.errors import ConfigError
from node.founding import CorePlatform, FoundingPlan, found_development_network
from node.home import Home, replace_file

STAGING = ".founding"


@dataclass(frozen=True, slots=True)
class FirstHome:
    """What the operator chooses. `endpoint` is what clients connect to, if not where it listens.

    `tee` is the kind of TEE that the software platform stands for; one that is there already has
    to be of it.
    """

    home: Path
    name: str
    collections: tuple[Collection, ...]
    listen: str
    http_listen: str
    lock: Path | None = None
    endpoint: str | None = None
    tee: str = SGX


def found_home(chosen: FirstHome, core_manifest: Path, now_ms: int) -> NetworkFile:
    """Found a development network of one node (1 to 3 above).

    Raises ConfigError if something is in the way, and what founding raises.
    """
    home = Home(chosen.home)
    config = _config(chosen)
    name = verify_name(chosen.name)
    _verify_free(home, config)
    with _building(home, config.ledger.lock) as staged:
        if home.platform.exists():
            platform_at = home.platform
        else:
            platform_at = staged.platform
            create_platform(platform_at, now_ms // 1000, tee=chosen.tee)
        platform = SoftwarePlatform.open(platform_at, core_manifest)
        _verify_tee(platform_at, platform.enclave.tee, chosen.tee)
        plan = FoundingPlan(
            name=name,
            collections=chosen.collections,
            endpoint=chosen.endpoint or chosen.listen,
            lock=config.ledger.lock,
        )
        replace_file(staged.config, config.encode(), 0o644)
        trust = read_trust(platform_at)
        _verify_collateral(platform_at, trust, now_ms // 1000)
        core = CorePlatform(platform, trust, platform.enclave.by_signer)
        return found_development_network(staged, plan, core, now_ms)


def _verify_tee(platform: Path, found: str, chosen: str) -> None:
    if found != chosen:
        hint = f"--tee {found}, or move the platform away"
        raise ConfigError(f"{platform} stands for {found}, not for {chosen}", hint)


def _verify_collateral(platform: Path, trust: SoftwareTrust, now_s: int) -> None:
    """What genesis holds is in force from the first entry on: nobody judges it again."""
    rules = VerificationRules(roots=(trust.root,), tcb_signer_pins=trust.tcb_signer_pins)
    try:
        verify_collateral(trust.collateral, rules, now_s)
    except AttestationError as error:
        raise ConfigError(
            f"{platform}: its collateral cannot be used: {error}",
            "move this platform away, so that init makes another",
        ) from error


def _config(chosen: FirstHome) -> NodeConfig:
    settings: dict[str, object] = {
        "grpc": {"listen": chosen.listen},
        "http": {"listen": chosen.http_listen},
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
                source.rename(target)
                moved.append(target)
        _sync(home.root)
    except BaseException:
        _remove([*moved, *([] if lock is None else [lock])])
        raise
    finally:
        _remove([staging])
        if is_new and not any(home.root.iterdir()):
            home.root.rmdir()


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
