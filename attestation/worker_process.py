"""The verifier process: reads requests from a socket on descriptor 0, answers, until it ends.

Rules: started by `attestation.worker` as ``python -m attestation.worker_process MEMORY SECONDS``.
Memory, descriptors, files and core dumps are limited before anything is read; an alarm kills the
process when one request takes longer than SECONDS, whatever it is doing and whether or not the
parent still lives. It holds no secret and needs none. Anything unexpected ends it: the parent
takes that as a refusal and starts another.
"""

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable

from attestation.errors import CannotDecideError, EvidenceError
from attestation.verify import collateral_key, verify, verify_collateral
from attestation.worker_codec import (
    LENGTH_SIZE,
    MAX_REQUEST_BYTES,
    Answer,
    FindKey,
    JudgeCollateral,
    Request,
    decode_request,
    encode_reply,
)

READY = b"ready"
SOCKET_DESCRIPTOR = 0
MAX_DESCRIPTORS = 64

Judge = Callable[[bytes], bytes]


def judge(data: bytes) -> bytes:
    """Answer one encoded request."""
    request = decode_request(data)
    result: Answer | EvidenceError | CannotDecideError
    try:
        result = _answer(request)
    except (EvidenceError, CannotDecideError) as error:
        result = error
    return encode_reply(result)


def _answer(request: Request) -> Answer:
    if isinstance(request, FindKey):
        return collateral_key(request.evidence)
    if isinstance(request, JudgeCollateral):
        return verify_collateral(request.collateral, request.rules, request.now_s)
    return verify(request.evidence, request.collateral, request.rules, request.now_s)


def serve(answer: Judge, memory_bytes: int, alarm_s: int) -> None:
    """Limit this process, say that it is ready, and answer until the parent closes the socket."""
    _limit(memory_bytes)
    with socket.socket(fileno=os.dup(SOCKET_DESCRIPTOR)) as channel:
        _send(channel, READY)
        while header := channel.recv(LENGTH_SIZE, socket.MSG_WAITALL):
            size = int.from_bytes(header, "big")
            if len(header) != LENGTH_SIZE or size > MAX_REQUEST_BYTES:
                raise SystemExit(1)
            request = channel.recv(size, socket.MSG_WAITALL)
            signal.alarm(alarm_s)
            reply = answer(request)
            signal.alarm(0)
            _send(channel, reply)


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_DESCRIPTORS, MAX_DESCRIPTORS))
    # The default action of the alarm ends the process in the kernel, even inside native code.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    # An interrupt from the terminal is the parent's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _send(channel: socket.socket, data: bytes) -> None:
    channel.sendall(len(data).to_bytes(LENGTH_SIZE, "big") + data)


if __name__ == "__main__":
    serve(judge, int(sys.argv[1]), int(sys.argv[2]))
