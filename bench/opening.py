"""Prints how many seconds a node takes to open a home and serve. Run in a process of its own."""

import asyncio
import sys
import time
from pathlib import Path

from attestation.platforms.software import SoftwarePlatform
from node.app import open_node
from node.cli.node import CORE_MANIFEST
from node.config import LogConfig, NodeConfig
from node.home import Home
from node.logs import configure_logs


async def _open(root: Path) -> float:
    config = NodeConfig.load(root / "node.toml")
    platform = SoftwarePlatform.open(root / "platform", CORE_MANIFEST)
    started = time.perf_counter()
    async with open_node(Home(root), config, platform):
        return time.perf_counter() - started


if __name__ == "__main__":
    configure_logs(LogConfig(level="error"))
    print(asyncio.run(_open(Path(sys.argv[1]))))
