"""The outermost layer of every gRPC call: whatever comes in or goes wrong, a clear status.

1. Bytes that are no message of the method are the sender's fault: INVALID_ARGUMENT.
2. An exception that nobody turned into an answer is ours: INTERNAL, logged by its kind. The library
   would print a stack trace and show the exception's text to the caller.
3. Each call has a random id: the log's lines about it carry it, and so do the trailing metadata.
A stream's handler gets None for a message that does not parse, and ends the stream itself.
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import structlog
from google.protobuf.message import DecodeError

_log = structlog.get_logger()
Context = grpc.aio.ServicerContext[Any, Any]
Handler = Any  # the library declares none of its handlers' fields
Behaviour = Callable[[Any, Context], Awaitable[Any]]
Deserializer = Callable[[bytes], Any]

NOT_A_MESSAGE = "the request does not parse as this method's message"
OURS = "a fault of the node: it is in the node's log"
REQUEST_ID = "x-request-id"
_CODES: dict[object, str] = {code.value[0]: code.name for code in grpc.StatusCode}


class Guard(grpc.aio.ServerInterceptor):
    """Wraps each handler when it is looked up; costs one call for each message."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """The guarded handler; None for a method that nobody has."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = handler_call_details.method
        parse = _or_none(handler.request_deserializer)
        answer = handler.response_serializer
        if handler.unary_unary is not None:
            unary = _guarded(handler.unary_unary, method, parse)
            return grpc.unary_unary_rpc_method_handler(unary, None, answer)
        if handler.unary_stream is not None:
            watch = _guarded(handler.unary_stream, method, parse)
            return grpc.unary_stream_rpc_method_handler(watch, None, answer)
        stream = _guarded(handler.stream_stream, method, None)
        return grpc.stream_stream_rpc_method_handler(stream, parse, answer)


def _guarded(behaviour: Behaviour, method: str, parse: Deserializer | None) -> Any:
    async def call(request: Any, context: Context) -> Any:
        began = time.perf_counter()
        request_id = secrets.token_hex(8)
        context.set_trailing_metadata(((REQUEST_ID, request_id),))
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                if parse is not None:
                    request = parse(request)
                    if request is None:
                        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, NOT_A_MESSAGE)
                return await _answer(behaviour, request, context)
            finally:
                ms = round((time.perf_counter() - began) * 1000, 3)
                _log.debug("grpc call", method=method, status=_status(context), ms=ms)

    return call


async def _answer(behaviour: Behaviour, request: Any, context: Context) -> Any:
    try:
        return await behaviour(request, context)
    except grpc.aio.AbortError:
        raise
    except Exception as error:  # noqa: BLE001  # a call's top: nobody else answers for it
        _log.error("a call failed", fault=_kind(error))
        await context.abort(grpc.StatusCode.INTERNAL, OURS)


def _status(context: Context) -> str:
    """OK unless the call was aborted; a caller that left is not told apart."""
    code: object = context.code()  # the library gives a number or None, whatever its types say
    return code.name if isinstance(code, grpc.StatusCode) else _CODES.get(code or 0, str(code))


def _or_none(deserialize: Deserializer) -> Deserializer:
    def parse(data: bytes) -> Any:
        try:
            return deserialize(data)
        except DecodeError:
            return None

    return parse


def _kind(error: BaseException) -> str:
    """The names of the exceptions inside; texts might hold what was sent."""
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(map(_kind, error.exceptions))
    return type(error).__name__
