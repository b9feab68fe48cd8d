"""Occlum's DCAP library, called through ctypes: the functions of `occlum_dcap.h` that quote.

Rules: a handle belongs to one request and is always closed; the buffer has exactly the size that
the library named for this handle, because the call that fills it takes no size; the library says
why something failed only on its standard output.
"""

import ctypes
from pathlib import Path
from typing import Protocol

from attestation.errors import PlatformError


class DcapLibrary(Protocol):
    """What gives quotes under Occlum. May be called from several threads at once."""

    def quote(self, report_data: bytes, limit: int) -> bytes:
        """A quote of at most `limit` bytes over 64 bytes; blocks; raises PlatformError."""
        ...


class LoadedLibrary:
    """The shared library itself; loaded when made."""

    def __init__(self, path: Path) -> None:
        """Load it; raises PlatformError if it cannot be, or lacks a function."""
        try:
            library = ctypes.CDLL(str(path))
            self._open = library.dcap_quote_open
            self._size = library.dcap_get_quote_size
            self._generate = library.dcap_generate_quote
            self._close = library.dcap_quote_close
        except (OSError, AttributeError) as error:
            raise PlatformError(f"{path}: not Occlum's DCAP library: {error}") from error
        self._open.argtypes, self._open.restype = [], ctypes.c_void_p
        self._size.argtypes, self._size.restype = [ctypes.c_void_p], ctypes.c_uint32
        self._generate.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
        self._generate.restype = ctypes.c_int32
        self._close.argtypes, self._close.restype = [ctypes.c_void_p], None

    def quote(self, report_data: bytes, limit: int) -> bytes:
        """A quote of at most `limit` bytes over 64 bytes; blocks; raises PlatformError."""
        handle = self._open()
        if not handle:
            raise PlatformError("Occlum's DCAP library cannot open /dev/sgx")
        try:
            size = int(self._size(handle))
            if not 0 < size <= limit:
                raise PlatformError(
                    f"Occlum's DCAP library names a quote of {size} bytes: does AESM run on the "
                    "host, and does it reach a provisioning cache (PCCS)?"
                )
            buffer = ctypes.create_string_buffer(size)
            code = self._generate(handle, buffer, report_data)
        finally:
            self._close(handle)
        if code != 0:
            raise PlatformError(f"Occlum's DCAP library made no quote (code {code})")
        return buffer.raw
