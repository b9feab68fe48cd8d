"""The few file operations that configfs-tsm is spoken to with, and their meaning on real configfs.

Rules (Documentation/ABI/testing/configfs-tsm-report and the kernel's configfs):
- Making a directory makes a request with its attributes; removing it ends the request. The
  attributes cannot be removed or made.
- A binary attribute is taken over when the file is closed, and what is wrong with it then is not
  told to the writer: that the generation grew is the only sign that it was taken.
- Reading `outblob` makes the report; a wrong request, a busy device and a failed one are errors of
  that reading.
"""

import os
from pathlib import Path
from typing import Protocol


class ReportFiles(Protocol):
    """The directory of reports, as `TsmPlatform` uses it.

    All names are relative: a request's name, then an attribute's. Every call blocks; different
    requests may be used from different threads at once. OSError comes as the kernel gave it.
    Nothing is retried.
    """

    def make(self, request: str) -> None:
        """Make a request."""
        ...

    def remove(self, request: str) -> None:
        """End a request."""
        ...

    def write(self, request: str, attribute: str, data: bytes) -> None:
        """Write an attribute in one piece, and close it."""
        ...

    def read(self, request: str, attribute: str, limit: int) -> bytes:
        """An attribute's bytes from one opening, at most `limit` + 1 of them."""
        ...


class ConfigfsFiles:
    """`ReportFiles` on a mounted configfs."""

    def __init__(self, root: Path) -> None:
        """Keep the directory of reports."""
        self._root = root

    def make(self, request: str) -> None:
        """Make a request."""
        (self._root / request).mkdir(mode=0o700)

    def remove(self, request: str) -> None:
        """End a request."""
        (self._root / request).rmdir()

    def write(self, request: str, attribute: str, data: bytes) -> None:
        """Write an attribute in one piece, and close it."""
        path = self._root / request / attribute
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, data)  # what is missing of it shows in the generation and report
        finally:
            os.close(descriptor)

    def read(self, request: str, attribute: str, limit: int) -> bytes:
        """An attribute's bytes from one opening, at most `limit` + 1 of them."""
        data = bytearray()
        with (self._root / request / attribute).open("rb", buffering=0) as file:
            while len(data) <= limit:
                part = file.read(limit + 1 - len(data))
                if not part:
                    break
                data += part
        return bytes(data)
