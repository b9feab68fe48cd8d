"""A verifier process that a quote can make hang or die: the real loop around a bad library.

The strict shape check runs before any library, so only a quote of the right shape gets here. Its
report data says what it does; anything else is judged honestly.
"""

import os
import sys

from attestation.dcap.layout import parse_quote
from attestation.evidence import decode_evidence
from attestation.worker_codec import JudgeCollateral, decode_request
from attestation.worker_process import judge, serve

HANG = b"hang".ljust(64, b"\0")
EXIT = b"exit".ljust(64, b"\0")
PROGRAM = "tests.support.burning_verifier"


def misjudge(data: bytes) -> bytes:
    """Do what the quote's report data says."""
    request = decode_request(data)
    if isinstance(request, JudgeCollateral):
        return judge(data)
    report_data = parse_quote(decode_evidence(request.evidence).quote).report
    if report_data.report_data == EXIT:
        os._exit(3)
    while report_data.report_data == HANG:
        pass
    return judge(data)


if __name__ == "__main__":
    serve(misjudge, int(sys.argv[1]), int(sys.argv[2]))
