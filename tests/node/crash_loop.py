"""Kills a real node again and again while real clients write, then compares with what was said.

    python -m tests.node.crash_loop --seconds 600 --seed 7

1. Clients put versions of their own names, half of them only onto the version that they know, and
   read them back; they stay alive over every crash and send the same bytes again.
2. The node is killed with SIGKILL at random moments: under load, or while it starts.
3. After each kill fsck must find a clean ledger; after the last one the node starts again.
4. Every acknowledged put is there, under its version, with its value, at the entry that its receipt
   names, and once: versions are dense, and a version that nobody was told of is a put whose client
   was told "unknown", at most once.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from enclave_client.client import SecretClient
from enclave_client.errors import NotFoundError, OutcomeUnknownError, UnavailableError
from ledger import keys
from ledger.leveldb import LevelDB
from node.fsck_home import check_home
from tests.support.real_node import NodeProcess, RealNetwork, client_of, found

CLIENTS = 2
NAMES = 48  # per client, one writer each
LOAD_S = (0.05, 1.5)
START_S = (0.0, 2.5)
KILLED_WHILE_STARTING = 0.25


@dataclass(slots=True)
class History:
    """What one writer was told of its name."""

    name: str
    conditional: bool
    known: dict[int, bytes] = field(default_factory=dict)  # acknowledged: version -> value
    leaves: dict[int, bytes] = field(default_factory=dict)  # entry -> leaf, from the receipts
    unknown: list[bytes] = field(default_factory=list)  # sent, and no answer came
    current: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did."""

    kills: int
    kills_while_starting: int
    acknowledged: int
    unknown: int
    reads: int
    entries: int


@dataclass(slots=True)
class CrashLoop:
    """One run over one network."""

    network: RealNetwork
    random: random.Random
    histories: list[History] = field(default_factory=list)
    reads: int = 0
    kills: int = 0
    kills_while_starting: int = 0
    is_over: bool = False

    async def run(self, seconds: float) -> Result:
        """Load and kill for `seconds`, then compare; AssertionError if anything is lost."""
        node = NodeProcess(self.network)
        await node.start()
        clients = [client_of(node.file, self.network.app("app")) for _ in range(CLIENTS)]
        try:
            for client in clients:
                await client.open()
            writers = [
                asyncio.create_task(self._write(client, self._history(number, name)))
                for number, client in enumerate(clients)
                for name in range(NAMES)
            ]
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                await self._crash(node, writers)
            self.is_over = True
            await asyncio.gather(*writers)
            await self._compare_values(clients[0])
        finally:
            self.is_over = True
            for client in clients:
                await client.close()
            await node.stop()
        entries = self._fsck()
        self._compare_entries()
        return Result(
            self.kills,
            self.kills_while_starting,
            sum(len(one.known) for one in self.histories),
            sum(len(one.unknown) for one in self.histories),
            self.reads,
            entries,
        )

    def _history(self, number: int, name: int) -> History:
        history = History(f"client-{number}/name-{name:03d}", conditional=name % 2 == 0)
        self.histories.append(history)
        return history

    async def _crash(self, node: NodeProcess, writers: list[asyncio.Task[None]]) -> None:
        """Kill the node under load, check what it left, and start it again."""
        await asyncio.sleep(self.random.uniform(*LOAD_S))
        failed = [task for task in writers if task.done() and task.exception()]
        assert not failed, failed[0].exception()
        node.kill()
        await node.ended()
        self.kills += 1
        await asyncio.to_thread(self._fsck)
        while self.random.random() < KILLED_WHILE_STARTING:
            starting = asyncio.create_task(node.start())
            await asyncio.wait({starting}, timeout=self.random.uniform(*START_S))
            node.kill()
            await asyncio.gather(starting, return_exceptions=True)
            await node.ended()
            self.kills_while_starting += 1
            await asyncio.to_thread(self._fsck)
        await node.start()

    def _fsck(self) -> int:
        home = self.network.home
        done = check_home(home, home.lock, renew_lock=False)
        assert done.report.is_clean, [str(one) for one in done.report.findings]
        return done.report.head.size

    async def _write(self, client: SecretClient, history: History) -> None:
        while not self.is_over:
            value = history.name.encode() + b" " + os.urandom(24)
            expected = history.current if history.conditional else None
            try:
                stored = await client.put(history.name, value, if_version=expected)
            except OutcomeUnknownError:
                history.unknown.append(value)
                history.current = await self._current(client, history)
                continue
            except UnavailableError:
                continue
            assert stored.version not in history.known, f"{stored.version} was told twice"
            history.known[stored.version] = value
            history.leaves[stored.receipt.entry.index] = stored.receipt.entry.leaf
            lost = stored.version - history.current - 1
            assert 0 <= lost <= len(history.unknown), "a version stands that nobody wrote"
            history.current = stored.version
            await self._read(client, history)

    async def _read(self, client: SecretClient, history: History) -> None:
        try:
            got = await client.get(history.name)
        except UnavailableError:
            return
        assert got.value == history.known[got.version], "another value came back"
        self.reads += 1

    async def _current(self, client: SecretClient, history: History) -> int:
        while True:
            try:
                return (await client.get(history.name)).version
            except NotFoundError:
                return 0
            except UnavailableError:
                continue

    async def _compare_values(self, client: SecretClient) -> None:
        await asyncio.gather(*(self._compare(client, one) for one in self.histories))

    @staticmethod
    async def _compare(client: SecretClient, history: History) -> None:
        if not history.known:
            return
        versions = range(1, (await client.get(history.name)).version + 1)
        got = await asyncio.gather(*(client.get(history.name, one) for one in versions))
        values = {one.version: one.value for one in got}
        assert list(values) == list(versions), "versions are not dense"
        told = {version: values.get(version) for version in history.known}
        assert told == history.known, "something acknowledged is lost or changed"
        untold = [value for version, value in values.items() if version not in history.known]
        for value in untold:
            assert value in history.unknown, "a version stands that nobody wrote"
        assert len(set(values.values())) == len(values), "a put ran twice"

    def _compare_entries(self) -> None:
        store = LevelDB(self.network.home.data)
        try:
            for history in self.histories:
                for index, leaf in history.leaves.items():
                    assert store.get(keys.entry(index)) == leaf, f"entry {index} was acknowledged"
        finally:
            store.close()


async def crash_loop(directory: Path, seconds: float, seed: int) -> Result:
    """Found a network in an empty directory and run the loop."""
    # A seed repeats the moments of the kills, not what the machine does between them.
    return await CrashLoop(found(directory), random.Random(seed)).run(seconds)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Kill a node under load and compare.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crash-loop-") as directory:
        result = asyncio.run(crash_loop(Path(directory) / "run", options.seconds, options.seed))
    sys.stdout.write(f"seed {options.seed}: {result}\n")


if __name__ == "__main__":
    main()
