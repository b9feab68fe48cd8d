"""The devices that platforms read evidence from, as the kernel and the library OS present them.

Each checks what is done to it and raises AssertionError for what a sound program never does. The
quotes in them have the right report data in the right place and are otherwise empty: what is tested
with them is the asking, not the verifying.
"""

import errno
import os
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

REPORT_DATA_AT = {3: 48 + 320, 4: 48 + 520, 5: 54 + 520}
VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"

Provider = Callable[[bytes], tuple[bytes, bytes]]  # report data to outblob and auxblob


def plain_quote(report_data: bytes, version: int = 3, size: int = 2000) -> bytes:
    """Zeros of a quote's size with a version and the report data in its place."""
    at = REPORT_DATA_AT[version]
    quote = bytearray(size)
    quote[:2] = version.to_bytes(2, "little")
    quote[at : at + 64] = report_data
    return bytes(quote)


def tdx(report_data: bytes) -> tuple[bytes, bytes]:
    """What the TDX driver gives: a quote in a buffer that is padded with zeros."""
    return plain_quote(report_data, version=4, size=8000), b""


def certificate_table(entries: dict[bytes, bytes]) -> bytes:
    """A host's certificate table, as the kernel cuts it behind the last certificate."""
    offset = 24 * (len(entries) + 1)
    table = bytearray()
    for guid, data in entries.items():
        table += struct.pack("<16sII", guid, offset, len(data))
        offset += len(data)
    return bytes(table) + bytes(24) + b"".join(entries.values())


@dataclass
class _Request:
    generation: int = 0
    inblob: bytes = b""
    answer: tuple[bytes, bytes] | None = None


@dataclass
class FakeConfigfs:
    """`ReportFiles` with the behaviour of configfs-tsm: one entry of `faults` per fault to make."""

    provider: str = "tdx_guest"
    give: Provider = tdx
    busy: int = 0  # so many readings of outblob end with EBUSY
    error: dict[str, int] = field(default_factory=dict)  # errno by "make", or an attribute's name
    foreign_writes: int = 0  # somebody else's, while the report is made
    takes_writes: bool = True  # False: the kernel refuses when the file is closed, and says nothing
    gives_always: bool = False  # even without 64 bytes: a driver that errs
    no_auxblob: bool = False
    names: set[str] = field(default_factory=set)
    _open: dict[str, _Request] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_empty(self) -> bool:
        """Whether every request was ended."""
        return not self._open

    def make(self, request: str) -> None:
        """Make a request; a name is used once, ever."""
        with self._lock:
            if request in self.names or "/" in request:
                raise AssertionError(f"the name {request} is not a fresh one")
            self._fail("make")
            self.names.add(request)
            self._open[request] = _Request()

    def remove(self, request: str) -> None:
        """End a request."""
        with self._lock:
            del self._open[request]
            self._fail("remove")

    def write(self, request: str, attribute: str, data: bytes) -> None:
        """Take over what was written, when it is closed; more than 64 bytes are refused at once."""
        with self._lock:
            if attribute != "inblob":
                raise AssertionError(f"nobody asked to set {attribute}")
            self._fail("inblob")
            if len(data) > 64:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            if self.takes_writes:
                self._open[request].generation += 1
                self._open[request].inblob = data

    def read(self, request: str, attribute: str, limit: int) -> bytes:
        """At most `limit` + 1 bytes of an attribute."""
        with self._lock:
            self._fail(attribute)
            return self._attribute(self._open[request], attribute)[: limit + 1]

    def _attribute(self, request: _Request, attribute: str) -> bytes:
        if attribute == "provider":
            return f"{self.provider}\n".encode()
        if attribute == "generation":
            return f"{request.generation}\n".encode()
        if attribute == "auxblob" and self.no_auxblob:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        if request.answer is None:
            request.answer = self._report(request)
        return request.answer[0 if attribute == "outblob" else 1]

    def _report(self, request: _Request) -> tuple[bytes, bytes]:
        if self.busy:
            self.busy -= 1
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        if len(request.inblob) != 64 and not self.gives_always:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        request.generation += self.foreign_writes
        return self.give(request.inblob)

    def _fail(self, what: str) -> None:
        if what in self.error:
            raise OSError(self.error[what], os.strerror(self.error[what]))


class PipedAttestation:
    """/dev/attestation whose files are pipes, served by one thread: one report data for everybody.

    As under Gramine the files do not order those who use them: two requests at once would be seen
    as more than 64 bytes, or as a quote over the other's report data.
    """

    def __init__(self, root: Path, quotes: int) -> None:
        """Lay out the files; `quotes` is how many will be asked for."""
        self.root = root
        self.seen: list[bytes] = []
        (root / "attestation_type").write_bytes(b"dcap")
        for name in ("user_report_data", "quote"):
            os.mkfifo(root / name)
        self._quotes = quotes
        self._thread = threading.Thread(target=self._serve, name="attestation", daemon=True)

    def __enter__(self) -> "PipedAttestation":
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Every quote was asked for."""
        self._thread.join(timeout=30)

    def _serve(self) -> None:
        for _ in range(self._quotes):
            report_data = (self.root / "user_report_data").read_bytes()
            self.seen.append(report_data)
            (self.root / "quote").write_bytes(plain_quote(report_data[:64].ljust(64, b"?")))


def attestation_tree(root: Path, quote: bytes, kind: str = "dcap", key: bytes = b"k" * 16) -> Path:
    """/dev/attestation as plain files: `quote` whatever is asked."""
    (root / "keys").mkdir(parents=True)
    (root / "attestation_type").write_text(kind)
    (root / "user_report_data").write_bytes(bytes(64))
    (root / "quote").write_bytes(quote)
    (root / "keys" / "_sgx_mrsigner").write_bytes(key)
    return root
