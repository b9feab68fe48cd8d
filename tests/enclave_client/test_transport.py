"""What a broken channel looks like to whoever waits on it."""

import asyncio

import pytest

from enclave_client.errors import UnavailableError
from enclave_client.transport import Transport
from tests.enclave_client.fake_node import FakeNode


async def _dial(node: FakeNode) -> Transport:
    return await Transport.dial(node.endpoint, proxied=False)


async def test_closing_the_channel_breaks_a_waiting_read(node: FakeNode) -> None:
    """Whoever reads is told that the stream broke; it does not look as if it was cancelled."""
    transport = await _dial(node)
    stream = transport.submit()
    reading = asyncio.create_task(stream.read())
    await asyncio.sleep(0)
    await transport.close()
    with pytest.raises(UnavailableError):
        await reading


async def test_cancelling_whoever_waits_is_a_cancellation(node: FakeNode) -> None:
    """A task that is cancelled stays cancelled."""
    transport = await _dial(node)
    reading = asyncio.create_task(transport.submit().read())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await transport.close()


async def test_a_closed_channel_is_unavailable(node: FakeNode) -> None:
    """Calls on a channel that was closed meanwhile can be tried again on the next one."""
    transport = await _dial(node)
    await transport.close()
    for call in (transport.hello(b""), transport.release(b""), transport.ask(b"")):
        with pytest.raises(UnavailableError):
            await call
    with pytest.raises(UnavailableError):
        transport.watch(b"")


async def test_a_method_that_the_node_does_not_have(node: FakeNode) -> None:
    """A node of an older release: an error that names the status, on calls and streams."""
    transport = await _dial(node)
    with pytest.raises(UnavailableError, match="UNIMPLEMENTED"):
        await transport.ask(b"")
    with pytest.raises(UnavailableError, match="UNIMPLEMENTED"):
        await transport.watch(b"").read()
    await transport.close()
