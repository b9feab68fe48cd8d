"""Looks once at fresh evidence: does it bind the report data that was asked for?

The devices that give quotes hold the report data in one place for everybody who asks. Another
library in the same process can write there between our write and the reading of the quote; such a
quote is honest but useless, and is noticed here, where it can be said what happened. Nothing is
verified: that is the verifier's.
"""

import hmac

from attestation.dcap.layout import HEADER_SIZE
from attestation.dcap.reports import SGX_REPORT_SIZE, TD10_SIZE
from attestation.errors import PlatformError
from attestation.handshake import REPORT_DATA_SIZE

_V5_BODY_HEADER = 6  # type, size: the quote format 5 says which TD report follows
# Where the report data ends, by the quote's version: it is the last field of an SGX report and of a
# TD report 1.0, of which the TD report 1.5 is an extension.
_REPORT_DATA_END = {
    3: HEADER_SIZE + SGX_REPORT_SIZE,
    4: HEADER_SIZE + TD10_SIZE,
    5: HEADER_SIZE + _V5_BODY_HEADER + TD10_SIZE,
}


def verify_size(report_data: bytes) -> None:
    """PlatformError unless `report_data` has 64 bytes."""
    if len(report_data) != REPORT_DATA_SIZE:
        raise PlatformError(f"report data: {len(report_data)} bytes, must be {REPORT_DATA_SIZE}")


def verify_quote_binds(quote: bytes, report_data: bytes) -> None:
    """PlatformError unless a quote of format 3, 4 or 5 has these 64 bytes of report data."""
    version = int.from_bytes(quote[:2], "little")
    end = _REPORT_DATA_END.get(version)
    if end is None or len(quote) < end:
        raise PlatformError(
            f"the platform gave {len(quote)} bytes of version {version}: no quote of format 3, 4 "
            "or 5, which are those that can be verified"
        )
    verify_same(quote[end - REPORT_DATA_SIZE : end], report_data)


def verify_same(found: bytes, wanted: bytes) -> None:
    """PlatformError unless the report data found is that which was asked for."""
    if not hmac.compare_digest(found, wanted):
        raise PlatformError(
            "the platform gave evidence over other report data: something else in this process "
            "asked for evidence at the same moment; ask again"
        )
