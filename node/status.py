"""Asks a running node how it is, over its own gRPC: for the operator, on the node's machine.

Believes what answers at the address, except that its genesis must be the home's: this is no
verification of anything (clients attest; ``enclave_client``).
"""

import asyncio
import os
import ssl
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2

from ledger.errors import FormatError, LedgerError
from ledger.format.genesis import decode_genesis, network_id
from ledger.format.trust import decode_trust
from ledger.log.checkpoint import decode_checkpoint
from ledger.log.errors import LogError
from ledger.log.note import decode_note
from node.errors import NodeError
from node.grpc_server import MAX_MESSAGE_BYTES, SERVICE_NAME
from node.tls import SERVER_NAME
from sealedger.v1 import node_pb2 as pb
from sealedger.v1 import node_pb2_grpc

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Status:
    """What a node said."""

    health: str
    network_id: bytes
    origin: str
    entries: int
    block_time_ms: int


async def ask_status(address: str, wanted_network: bytes) -> Status:
    """Health and Hello of the node at host:port.

    Raises NodeError if nothing answers in 5 s, or another network does.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            certificate = await asyncio.to_thread(_certificate, address)
            health, hello = await _ask(address, certificate)
        note = decode_note(hello.latest_checkpoint)
        entries = decode_checkpoint(note.text).size
        origin = decode_trust(decode_genesis(hello.genesis).trust).origin
    except (OSError, TimeoutError, grpc.RpcError) as error:
        raise NodeError(
            f"no node answers at {address}", "start it: sealedger node start; or see its log"
        ) from error
    except (FormatError, LogError, LedgerError) as error:
        raise NodeError(f"what answers at {address} is no node of this version") from error
    found = network_id(hello.genesis)
    if found != wanted_network:
        raise NodeError(
            f"the node at {address} is of network {found.hex()}",
            "the address in node.toml belongs to another home's node",
        )
    return Status(health, found, origin, entries, hello.time_ms)


async def _ask(address: str, certificate: str) -> tuple[str, pb.HelloReply]:
    credentials = grpc.ssl_channel_credentials(certificate.encode())
    options = (
        ("grpc.ssl_target_name_override", SERVER_NAME),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    )
    async with grpc.aio.secure_channel(address, credentials, options) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        health = await check(health_pb2.HealthCheckRequest(service=SERVICE_NAME))
        hello = await node_pb2_grpc.NodeStub(channel).Hello(pb.HelloRequest(nonce=os.urandom(32)))
    return health_pb2.HealthCheckResponse.ServingStatus.Name(health.status), hello


def _certificate(address: str) -> str:
    host, _, port = address.rpartition(":")
    return ssl.get_server_certificate((host.strip("[]"), int(port)), timeout=TIMEOUT_S)
