"""A real node in a process of its own, with some hundred entries, and its HTTP side."""

from dataclasses import dataclass

from tests.support.planted import NAME, VALUE
from tests.support.real_node import NodeProcess, client_of


@dataclass(frozen=True, slots=True)
class Grown:
    """The node."""

    process: NodeProcess

    @property
    def url(self) -> str:
        """Where it serves HTTP."""
        return f"http://127.0.0.1:{self.process.http_port}"

    @property
    def vkey(self) -> str:
        """The log key that verifiers pin."""
        return self.process.network.file.log.vkey

    async def put(self, count: int) -> None:
        """Have an app put that many values, one after the other: two entries each."""
        platform = self.process.network.app("app")
        async with client_of(self.process.file, platform) as client:
            for number in range(count):
                await client.put(f"{NAME}/{number}", VALUE)
