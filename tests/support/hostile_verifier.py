"""A verifier process that misbehaves on request: the real serving loop around a bad judge.

The evidence says what to do; anything else is judged honestly.
"""

import os
import sys
from typing import Never

import dcap_qvl

from attestation.collateral import DcapCollateral, decode_collateral
from attestation.evidence import decode_evidence
from attestation.worker_codec import (
    JudgeCollateral,
    JudgeEvidence,
    decode_request,
    encode_reply,
)
from attestation.worker_process import judge, serve

HANG = b"hang"
EXIT = b"exit"
NONSENSE = b"nonsense"
MEMORY = b"memory"
RAISE = b"raise"
ENVIRONMENT = b"environment"


def misjudge(data: bytes) -> bytes:
    """Do what the evidence says."""
    request = decode_request(data)
    if isinstance(request, JudgeCollateral):
        return encode_reply("snp/Milan")  # the answer to another question
    orders = {
        HANG: _hang,
        EXIT: _exit,
        MEMORY: _allocate,
        RAISE: _raise,
    }
    if request.evidence in orders:
        orders[request.evidence]()
    if request.evidence == NONSENSE:
        return b"\xff\xff\xff"
    if request.evidence == ENVIRONMENT and set(os.environ) - {"PYTHONPATH", "LC_CTYPE"}:
        _exit()
    if isinstance(request, JudgeEvidence) and request.now_s == 0:
        _call_the_library_unchecked(request)
    return judge(data)


def _hang() -> Never:
    while True:
        pass


def _exit() -> Never:
    os._exit(3)


def _allocate() -> None:
    bytearray(1024**3)  # above the limit of 768 MiB, below what the machine gives


def _raise() -> Never:
    raise RuntimeError("a fault in the verifier")


def _call_the_library_unchecked(request: JudgeEvidence) -> None:
    held = decode_collateral(request.collateral)
    if not isinstance(held, DcapCollateral):
        raise TypeError("not of DCAP")
    foreign = dcap_qvl.QuoteCollateralV3(
        held.pck_crl_issuer_chain,
        held.root_ca_crl,
        held.pck_crl,
        held.tcb_info_issuer_chain,
        held.tcb_info,
        held.tcb_info_signature,
        held.qe_identity_issuer_chain,
        held.qe_identity,
        held.qe_identity_signature,
    )
    quote = decode_evidence(request.evidence).quote
    dcap_qvl.verify_with_root_ca(quote, foreign, request.rules.roots[0], 1_800_000_000)


if __name__ == "__main__":
    serve(misjudge, int(sys.argv[1]), int(sys.argv[2]))
