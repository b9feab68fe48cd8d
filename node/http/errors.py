"""What is said instead of an answer: a status, what is wrong, and what would be right."""

from collections.abc import Mapping
from types import MappingProxyType

from node.errors import NodeError

_NONE: Mapping[str, str] = MappingProxyType({})


class HttpError(NodeError):
    """A request that is not answered with what it asked for."""

    def __init__(
        self, status: int, message: str, hint: str, headers: Mapping[str, str] = _NONE
    ) -> None:
        """Carry the status, 400 to 599, and headers that go with it."""
        super().__init__(message, hint)
        self.status = status
        self.headers = headers


class AbsentError(HttpError):
    """There is no such thing under the certified checkpoint (yet)."""

    def __init__(self, message: str, hint: str) -> None:
        """It may be there later."""
        super().__init__(404, message, hint)
