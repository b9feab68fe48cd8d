"""Each transaction of an account runs once or never, whatever gets lost between."""

from typing import Any

import pytest

from enclave_client import owner_line, owner_put
from enclave_client.account import Account
from enclave_client.errors import (
    LogForkedError,
    OutcomeUnknownError,
    ReceiptInvalidError,
    RefusedError,
    UnavailableError,
)
from enclave_client.owner import OwnerClient
from ledger.reason import Reason
from sealedger.v1 import node_pb2 as pb
from tests.support.owners import OWNED, account, admitting, owner_of
from tests.support.real_node import RealNetwork, Serving, with_endpoint

VALUE = bytes(range(256))


class _Between:
    """Stands between a line and its transport; counts, loses, and answers in the node's place."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.sent: list[bytes] = []
        self.lose = 0
        self.refuse: list[Reason] = []
        self.key: bytes | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def submit_one(self, request: bytes) -> bytes:
        self.sent.append(request)
        answer: bytes = await self.real.submit_one(request)
        if self.lose:
            self.lose -= 1
            raise UnavailableError("lost on the way back")
        if self.refuse:
            reply = pb.SubmitReply.FromString(answer)
            reason: Any = self.refuse.pop(0).value
            reply.refusal.CopyFrom(pb.Refusal(reason=reason, hint="said between"))
            return reply.SerializeToString()
        return answer

    async def sealing_key(self, request: bytes) -> bytes:
        answer: bytes = await self.real.sealing_key(request)
        if self.key is None:
            return answer
        reply = pb.SealingKeyReply.FromString(answer)
        reply.statement.public_key = self.key
        return reply.SerializeToString()

    async def close(self) -> None:
        """Stay open: the test's line dials again and gets this one."""


def between(owner: OwnerClient, monkeypatch: pytest.MonkeyPatch) -> _Between:
    """Put something between an open owner and its node, also after it dials again."""
    line = owner._line
    link = line._link
    assert link is not None
    tap = _Between(link.transport)
    tapped = type(link)(tap, link.peer, link.judged_ms)  # type: ignore[arg-type]  # stands for it
    line._link = tapped

    async def dial() -> Any:
        return tapped

    monkeypatch.setattr(line._dialer, "link", dial)
    return tap


async def test_a_lost_answer_is_asked_for_with_the_same_bytes(
    node: Serving, network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second answer is of the first run: nothing runs twice."""
    async with owner_of(node) as owner:
        await owner.create_collection(OWNED, admitting(network, "app"))
        tap = between(owner, monkeypatch)
        tap.lose = 2
        stored = await owner.put(OWNED, "name", VALUE)
        assert stored.version == 1
        assert len(tap.sent) == 3
        assert len(set(tap.sent)) == 1
        assert (await owner.head(OWNED, "name")).row.version == 1


async def test_no_answer_at_all_is_an_unknown_outcome(
    node: Serving, network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent and never answered is not said to have failed."""
    monkeypatch.setattr("enclave_client.backoff.PATIENCE_S", 0.05)
    async with owner_of(node) as owner:
        tap = between(owner, monkeypatch)
        tap.lose = 1000
        with pytest.raises(OutcomeUnknownError):
            await owner.create_collection(OWNED, admitting(network, "app"))


async def test_a_refusal_for_the_moment_is_waited_out(
    node: Serving, network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OVERLOADED means later; when it lasts, nothing ran, and that is what is said."""
    async with owner_of(node) as owner:
        await owner.create_collection(OWNED, admitting(network, "app"))
        tap = between(owner, monkeypatch)
        tap.refuse = [Reason.OVERLOADED, Reason.SHUTTING_DOWN]
        await owner.freeze(OWNED)
        assert len(set(tap.sent)) == 1
        monkeypatch.setattr("enclave_client.backoff.PATIENCE_S", 0.05)
        tap.refuse = [Reason.OVERLOADED] * 1000
        with pytest.raises(UnavailableError) as caught:
            await owner.freeze(OWNED)
        assert not isinstance(caught.value, OutcomeUnknownError)
        tap.refuse = [Reason.INTERNAL] * 1000
        with pytest.raises(OutcomeUnknownError):
            await owner.freeze(OWNED)


async def test_two_clients_of_one_account_share_its_numbers(
    node: Serving, network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the same millisecond both run: the second signs again with another number."""
    now_ms = node.running.replica.head.time_ms
    async with owner_of(node) as one, owner_of(node) as two:
        for line in (one._line, two._line):
            monkeypatch.setattr(line, "_now_ms", lambda: now_ms)
        await one.create_collection(OWNED, admitting(network, "app"))
        await two.put(OWNED, "name", VALUE)
        await one.put(OWNED, "name", VALUE)
        assert (await two.put(OWNED, "name", VALUE)).version == 3


async def test_a_clock_that_was_ahead_does_not_lock_the_account(
    node: Serving, network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers from 40 minutes ahead are passed, again after the next restart."""
    async with owner_of(node) as ahead:
        real = ahead._line._now_ms
        monkeypatch.setattr(ahead._line, "_now_ms", lambda: real() + 40 * 60_000)
        await ahead.create_collection(OWNED, admitting(network, "app"))
    for version in (1, 2):
        async with owner_of(node) as owner:
            tap = between(owner, monkeypatch)
            assert (await owner.put(OWNED, "name", VALUE)).version == version
            assert 1 < len(tap.sent) <= len(owner_line._AHEAD_MS)


async def test_a_clock_that_is_far_off_gets_an_error(
    node: Serving, network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that is always too late is not signed for ever."""
    async with owner_of(node) as owner:
        real = owner._line._now_ms
        monkeypatch.setattr(owner._line, "_now_ms", lambda: real() - 3_600_000)
        tap = between(owner, monkeypatch)
        with pytest.raises(RefusedError) as caught:
            await owner.create_collection(OWNED, admitting(network, "app"))
        assert caught.value.reason is Reason.TRANSACTION_EXPIRED
        assert "clock" in caught.value.hint
        assert len(tap.sent) == owner_line._MAX_SIGNED


async def test_another_sealing_key_is_not_sealed_to(
    node: Serving, network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that the attested service key did not sign: nothing is sent."""
    async with owner_of(node) as owner:
        await owner.create_collection(OWNED, admitting(network, "app"))
        tap = between(owner, monkeypatch)
        tap.key = (await owner._line.sealing_key("other/collection")).public
        with pytest.raises(ReceiptInvalidError, match="not signed by the attested service key"):
            await owner.put(OWNED, "name", VALUE)
        tap.key = b"short"
        with pytest.raises(ReceiptInvalidError):
            await owner.put(OWNED, "name", VALUE)
        assert not tap.sent


async def test_a_move_to_another_epoch_seals_again(
    node: Serving, network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WRONG_EPOCH is answered with a fresh key, a few times."""
    async with owner_of(node) as owner:
        await owner.create_collection(OWNED, admitting(network, "app"))
        real = owner_put.sealed_put
        epochs = iter((9, 1))

        def older(signer: Account, key: Any, *rest: Any) -> Any:
            return real(signer, type(key)(key.public, next(epochs, 9), b""), *rest)

        monkeypatch.setattr("enclave_client.owner.sealed_put", older)
        assert (await owner.put(OWNED, "name", VALUE)).version == 1
        with pytest.raises(RefusedError) as caught:
            await owner.put(OWNED, "name", VALUE)
        assert caught.value.reason is Reason.WRONG_EPOCH


async def test_an_answer_to_another_transaction_is_none(
    node: Serving, network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its entry nor another hash is taken for ours."""
    async with owner_of(node) as owner:
        await owner.create_collection(OWNED, admitting(network, "app"))
        tap = between(owner, monkeypatch)
        await owner.freeze(OWNED)
        earlier = await tap.real.submit_one(tap.sent[0])

        async def replay(_: bytes) -> bytes:
            return bytes(earlier)

        monkeypatch.setattr(tap, "submit_one", replay)
        with pytest.raises(ReceiptInvalidError):
            await owner.freeze(OWNED, frozen=False)


async def test_a_fork_stops_the_owner(node: Serving) -> None:
    """After two histories nothing more is sent."""
    async with owner_of(node) as owner:
        owner._line.alarm(LogForkedError(1, (b"one", b"two")))
        with pytest.raises(LogForkedError):
            await owner.freeze(OWNED)


async def test_the_node_restarts(network: RealNetwork, node: Serving) -> None:
    """A dead endpoint is passed over when another one answers."""
    file = with_endpoint(network.file, node.running.port)
    file = file.model_copy(update={"endpoints": ("127.0.0.1:1", *file.endpoints)})
    async with OwnerClient.connect(network=file, signer=account(), allow_development=True) as owner:
        await owner.create_collection(OWNED, admitting(network, "app"))
        await owner._line.failed((await owner._line.ready())[0])
        await owner.put(OWNED, "name", VALUE)
