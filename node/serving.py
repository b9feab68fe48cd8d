"""A node's life from start to stop: it serves until it is told to stop, or cannot go on."""

import asyncio

from attestation.platforms.platform import Platform
from node.app import open_node
from node.config import NodeConfig
from node.errors import NodeError
from node.home import Home
from node.stopping import Stop


async def serve(home: Home, config: NodeConfig, platform: Platform) -> None:
    """Run the node until a signal; NodeError if it stopped by itself, or as `open_node` raises."""
    stop = Stop(config.stop.within_s)
    stop.listen()
    async with open_node(home, config, platform) as running:
        stopping = asyncio.create_task(stop.asked())
        failing = asyncio.create_task(running.engine.failed())
        await asyncio.wait({stopping, failing}, return_when=asyncio.FIRST_COMPLETED)
        stop.begin()
        stopping.cancel()
        failing.cancel()
        if not stop.is_asked:
            raise NodeError(
                f"the node stopped: {failing.result()}",
                "what was acknowledged stands; start it again, and run sealedger node fsck",
            )
