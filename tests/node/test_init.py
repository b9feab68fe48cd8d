"""``sealedger node init``: a home is founded whole, or not at all, and nothing is written over."""

import asyncio
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from attestation.platforms.detect import PlatformPlaces
from attestation.platforms.software import SoftwarePlatform, create_platform
from attestation.platforms.software_files import TEES
from attestation.policy import AnyOf, encode_policy
from attestation.verify import read_facts
from enclave_client.network_file import NetworkFile
from ledger.format.genesis import decode_genesis
from ledger.format.trust import decode_trust
from node import first_home
from node.checks import check_files
from node.cli.node import CORE_MANIFEST
from node.config import NodeConfig
from node.first_home import STAGING, FirstHome, found_home
from node.home import Home
from node.rollback_lock import RollbackLock
from tests.support.command_line import Command
from tests.support.real_node import ANY_PORT

NOW_MS = 1_800_000_000_000


def chosen(home: Path, lock: Path | None = None) -> FirstHome:
    """What an operator might choose."""
    return FirstHome(home, "local", (), ANY_PORT, ANY_PORT, lock)


PLACES = PlatformPlaces(manifest=CORE_MANIFEST)


def everything(root: Path) -> dict[Path, bytes]:
    """Each file under a folder with its bytes; folders are empty."""
    return {path: path.read_bytes() if path.is_file() else b"" for path in root.rglob("*")}


async def test_a_new_home_is_sound(tmp_path: Path, command: Command) -> None:
    """What init makes passes the check of a start; nothing else is left beside it."""
    root = tmp_path / "deep" / "home"
    listen = ("--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0")
    said = await command("node", "init", "--home", str(root), *listen)
    assert (said.code, said.err) == (0, "")
    assert check_files(Home(root), CORE_MANIFEST, {}).problems == ()
    assert sorted(path.name for path in root.iterdir()) == [
        "data", "genesis.pb", "keys", "kms", "lock", "network.toml", "node.toml", "platform",
    ]  # fmt: skip
    assert root.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("tee", TEES)
async def test_each_kind_of_tee(tmp_path: Path, command: Command, tee: str) -> None:
    """Genesis admits exactly core and app as this kind, and holds collateral for it."""
    home, app = Home(tmp_path / "home"), tmp_path / "app.toml"
    (tmp_path / "app.py").write_text("print('app')\n")
    app.write_text('name = "app"\nsigner = "a"\nproduct_id = 1\nsvn = 1\nfiles = ["app.py"]\n')
    listen = ("--listen", ANY_PORT, "--http-listen", ANY_PORT)
    said = await command(
        "node", "init", "--home", str(home.root), *listen, "--tee", tee, "--app", f"a/b={app}"
    )
    assert (said.code, said.err) == (0, "")
    assert check_files(home, CORE_MANIFEST, {}).problems == ()
    genesis = decode_genesis(home.genesis.read_bytes())
    core = SoftwarePlatform.open(home.platform, CORE_MANIFEST).enclave
    assert core.tee == tee
    assert decode_trust(genesis.trust).core_policy == encode_policy(core.by_signer)
    enclave = SoftwarePlatform.open(home.platform, app).enclave
    assert genesis.collections[0].readers == encode_policy(AnyOf((enclave.by_code,)))
    (collateral,) = genesis.collateral
    assert read_facts(collateral).key.startswith(f"{tee}/")


async def test_a_platform_of_another_kind_is_not_taken(tmp_path: Path, command: Command) -> None:
    """A platform that is there already has to be of the chosen kind; the hint names its own."""
    home = Home(tmp_path / "home")
    create_platform(home.platform, int(time.time()), tee="tdx")
    before = everything(home.root)
    said = await command("node", "init", "--home", str(home.root))
    assert said.code != 0
    assert "--tee tdx" in said.err
    assert everything(home.root) == before
    listen = ("--listen", ANY_PORT, "--http-listen", ANY_PORT)
    said = await command("node", "init", "--home", str(home.root), *listen, "--tee", "tdx")
    assert said.code == 0


async def test_a_platform_whose_collateral_ended_is_not_taken(
    tmp_path: Path, command: Command
) -> None:
    """Nobody judges genesis' collateral again, so init does: what has ended founds nothing."""
    home = Home(tmp_path / "home")
    create_platform(home.platform, int(time.time()) - 366 * 24 * 3600)
    before = everything(home.root)
    said = await command("node", "init", "--home", str(home.root))
    assert said.code == 1
    assert "collateral-expired" in said.err
    assert "move this platform away" in said.err
    assert everything(home.root) == before


async def test_lock_and_endpoint(tmp_path: Path, command: Command) -> None:
    """The lock goes where it is told, node.toml says so, and clients get the endpoint."""
    home, lock = Home(tmp_path / "home"), tmp_path / "elsewhere" / "rollback"
    places = ("--home", str(home.root), "--lock", str(lock))
    addresses = ("--listen", "0.0.0.0:0", "--http-listen", ANY_PORT)
    said = await command("node", "init", *places, *addresses, "--endpoint", "ledger.example:8700")
    assert (said.code, said.err) == (0, "")
    file = NetworkFile.load(home.network)
    assert file.endpoints == ("ledger.example:8700",)
    assert NodeConfig.load(home.config).ledger.lock == lock
    assert not home.lock.parent.exists()
    RollbackLock(lock, file.network_id).close()
    assert check_files(home, CORE_MANIFEST, {}).problems == ()


def fail(*_: object, **__: object) -> None:
    """An interrupt, which is no error of anybody's."""
    raise KeyboardInterrupt


def fail_at_last(directory: Path) -> None:
    """The same, once every file is in its place."""
    if (directory / "genesis.pb").exists():
        raise KeyboardInterrupt


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize(
    "step, how",
    [
        ("create_platform", fail),
        ("read_trust", fail),
        ("prove_core", fail),
        ("found_development_network", fail),
        ("_move", fail),
        ("_sync", fail),
        ("_sync", fail_at_last),
    ],
)
def test_what_fails_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    how: Callable[..., None],
    *,
    is_there: bool,
) -> None:
    """An interrupt at any step, the last included: the home is as before, and init works again."""
    home, lock = tmp_path / "home", tmp_path / "lock" / "rollback"
    if is_there:
        (home / "accounts").mkdir(parents=True)
        (home / "accounts" / "mine.json").write_text("kept")
    before = everything(tmp_path)
    monkeypatch.setattr(first_home, step, how)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(found_home(chosen(home, lock), PLACES, NOW_MS))
    left = everything(tmp_path)
    left.pop(lock.parent, None)
    assert left == before
    monkeypatch.undo()
    asyncio.run(found_home(chosen(home, lock), PLACES, NOW_MS))
    assert check_files(Home(home), CORE_MANIFEST, {}).problems == ()


async def test_no_folder_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library OS that renames files only (Gramine's ENOSYS for folders) can found a home."""
    rename = os.rename

    def files_only(source: str, target: str) -> None:
        # The software platform's folder, which no library OS needs, is made by a rename.
        if Path(source).is_dir() and not Path(source).name.startswith(".platform."):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        rename(source, target)

    monkeypatch.setattr("os.rename", files_only)
    home = Home(tmp_path / "home")
    await found_home(chosen(home.root), PLACES, NOW_MS)
    assert check_files(home, CORE_MANIFEST, {}).problems == ()
    secret = (home.node_key.parent, home.key_service.parent, home.lock.parent, home.root)
    assert [folder.stat().st_mode & 0o777 for folder in secret] == [0o700] * len(secret)


Place = Callable[[Home], Path]
IN_THE_WAY: dict[str, Place] = {
    "genesis": lambda home: home.genesis,
    "config": lambda home: home.config,
    "network": lambda home: home.network,
    "key": lambda home: home.node_key,
    "state": lambda home: home.key_service,
    "data": lambda home: home.data / "CURRENT",
    "lock": lambda home: home.lock,
    "other lock": lambda home: home.root.parent / "lock",
    "staging": lambda home: home.root / STAGING / "file",
}


@pytest.mark.parametrize("what", IN_THE_WAY)
async def test_nothing_is_written_over(tmp_path: Path, command: Command, what: str) -> None:
    """Any piece that stands there is kept, with everything else; the hint says what to do."""
    home = Home(tmp_path / "home")
    kept = IN_THE_WAY[what](home)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(b"kept")
    before = everything(tmp_path)
    lock = ("--lock", str(kept)) if what == "other lock" else ()
    said = await command("node", "init", "--home", str(home.root), *lock)
    assert said.code == 1
    assert "exists already" in said.err or "already holds a node" in said.err
    assert "\nhint: " in said.err
    assert everything(tmp_path) == before


async def test_a_home_founded_twice(tmp_path: Path, command: Command) -> None:
    """The second init of a home changes nothing."""
    home = tmp_path / "home"
    await found_home(chosen(home), PLACES, NOW_MS)
    before = everything(home)
    said = await command("node", "init", "--home", str(home))
    assert said.code == 1
    assert "already holds a node" in said.err
    assert everything(home) == before


@pytest.mark.parametrize(
    "wrong",
    [("--listen", "here"), ("--name", "a b"), ("--app", "no-manifest"), ("--app", "a=/none")],
)
async def test_wrong_choices_make_no_home(
    tmp_path: Path, command: Command, wrong: tuple[str, str]
) -> None:
    """A choice that cannot be is refused before anything is made."""
    said = await command("node", "init", "--home", str(tmp_path / "home"), *wrong)
    assert said.code == 1
    assert said.err.startswith("sealedger: error: ")
    assert not (tmp_path / "home").exists()
