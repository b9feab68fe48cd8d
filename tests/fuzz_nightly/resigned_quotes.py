"""Targets: quotes whose fields, certificates and lengths are edited and signed again.

A mutated quote stops at its signature. Here the attestation key, the PCK key and the PCK CA's key
sign what was edited, so that the edits reach the library and what is read behind it.
"""

import hashlib

from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from attestation.dcap.layout import INTEL_QE_VENDOR, TEE_SGX, TEE_TDX
from attestation.dcap.pem import encode_chain
from attestation.evidence import MAX_QUOTE_BYTES
from attestation.platforms.software import QE_SIGNER
from attestation.platforms.software_pki import raw_public_key, sign_raw
from attestation.platforms.software_quote import AUTH_DATA, EnclaveReport, encode_report
from tests.fuzz_nightly.evidence import check_quote
from tests.fuzz_nightly.target import QUIET, structured
from tests.fuzz_nightly.worlds import (
    TIMES,
    dcap_evidence,
    encoded_collateral,
    intel,
    judged,
    td_quote,
)
from tests.support.attested import REPORT
from tests.support.der_edits import body_of, der_edits, resign

Fields = tuple[tuple[int, int], ...]

# (offset, size) of each field: header, SGX report, TD report with what versions 1.5 append
# fmt: off
_HEADER: Fields = ((0, 2), (2, 2), (4, 4), (8, 2), (10, 2), (12, 16), (28, 20))
_SGX: Fields = (
    (0, 16), (16, 4), (20, 12), (32, 16), (48, 8), (56, 8), (64, 32), (96, 32), (128, 32),
    (160, 32), (192, 64), (256, 2), (258, 2), (260, 2), (262, 42), (304, 16), (320, 64),
)
_TD: Fields = (
    (0, 16), (16, 48), (64, 48), (112, 8), (120, 8), (128, 8), (136, 48), (184, 48), (232, 48),
    (280, 48), (328, 48), (376, 48), (424, 48), (472, 48), (520, 64), (584, 16), (600, 48),
    (648, 1), (649, 32), (681, 48), (729, 48), (777, 8), (785, 16), (801, 16), (817, 12),
)
# fmt: on
_BODIES = {2: 584, 3: 648, 4: 885}
_TD_SVN = 16
_QE_ATTRIBUTES = bytes.fromhex("1500000000000000e700000000000000")


@st.composite
def field_edits(draw: st.DrawFn, data: bytes, fields: Fields, at_most: int = 3) -> bytes:
    """`data` with up to `at_most` of its fields replaced: zeros, ones, one bit, anything."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(0, at_most))):
        at, size = draw(st.sampled_from(fields))
        if at + size > len(data):
            continue
        how = draw(st.sampled_from(("zeros", "ones", "bit", "any")))
        if how == "bit":
            changed[at + draw(st.integers(0, size - 1))] ^= 1 << draw(st.integers(0, 7))
        elif how == "any":
            changed[at : at + size] = draw(st.binary(min_size=size, max_size=size))
        else:
            changed[at : at + size] = bytes(size) if how == "zeros" else b"\xff" * size
    return bytes(changed)


# Where the frame around what is signed is wrong: nowhere most of the time.
_FRAMES = ("right",) * 20 + ("order", "end", "auth", "type", "length", "outer", "padding", "total")
_WRONG_ORDERS = ((1, 0, 2), (0, 1), (0, 0, 2), (0, 1, 2, 2))
# Which signed part is edited.
_PARTS = ("header", "report", "report", "report", "qe", "leaf", "leaf", "ca", "root", "nothing")


@st.composite
def chains(draw: st.DrawFn, part: str, frame: str) -> bytes:
    """PEM of PCK leaf, PCK CA and root, the one that is `part` edited and signed again."""
    authority = intel().authority
    keys = {
        "leaf": (authority.pck, authority.pck_ca_key),
        "ca": (authority.pck_ca, authority.root_key),
        "root": (authority.root, authority.root_key),
    }
    every = []
    for name, (certificate, key) in keys.items():
        der = certificate.public_bytes(Encoding.DER)
        every.append(resign(draw(der_edits(body_of(der))), key, der) if name == part else der)
    order = draw(st.sampled_from(_WRONG_ORDERS)) if frame == "order" else (0, 1, 2)
    end = draw(st.sampled_from((b"", b"\n", b"\0\0"))) if frame == "end" else b"\0"
    return encode_chain(tuple(every[at] for at in order)) + end


@st.composite
def qe_parts(draw: st.DrawFn, part: str, frame: str) -> tuple[bytes, bytes]:
    """The attestation key, and what follows it: QE report, its signature, the chain."""
    world = intel()
    public = raw_public_key(world.attestation_key)
    auth = draw(st.binary(max_size=40)) if frame == "auth" else AUTH_DATA
    report = EnclaveReport(
        mr_enclave=bytes(32),
        mr_signer=QE_SIGNER,
        product_id=1,
        svn=1,
        report_data=hashlib.sha256(public + auth).digest() + bytes(32),
    )
    body = encode_report(report, _QE_ATTRIBUTES)
    if part == "qe":
        body = draw(field_edits(body, _SGX, 2))
    text = draw(chains(part, frame))
    kind = draw(st.integers(0, 2**16 - 1)) if frame == "type" else 5
    parts = (
        body,
        sign_raw(world.authority.pck_key, body),
        len(auth).to_bytes(2, "little"),
        auth,
        kind.to_bytes(2, "little"),
        _length(draw, frame == "length", len(text)),
        text,
    )
    return public, b"".join(parts)


@st.composite
def quotes(draw: st.DrawFn) -> tuple[bytes, str]:
    """A quote of version 3, 4 or 5, edited in one part, signed again; and its TEE."""
    version = draw(st.sampled_from((3, 4, 5)))
    part, frame = draw(st.sampled_from(_PARTS)), draw(st.sampled_from(_FRAMES))
    signed = draw(_signed_regions(version, part))
    public, rest = draw(qe_parts(part, frame))
    if version != 3:
        kind = draw(st.integers(0, 2**16 - 1)) if frame == "outer" else 6
        length = _length(draw, frame == "outer", len(rest))
        rest = kind.to_bytes(2, "little") + length + rest
    section = sign_raw(intel().attestation_key, signed) + public + rest
    length = _length(draw, frame == "total", len(section))
    padding = draw(st.binary(max_size=8)) if frame == "padding" else b""
    return signed + length + section + padding, "sgx" if version == 3 else "tdx"


@st.composite
def _signed_regions(draw: st.DrawFn, version: int, part: str) -> bytes:
    tee = TEE_SGX if version == 3 else TEE_TDX
    numbers = version.to_bytes(2, "little") + b"\2\0" + tee.to_bytes(4, "little") + bytes(4)
    header = numbers + INTEL_QE_VENDOR + bytes(20)
    if part == "header":
        header = draw(field_edits(header, _HEADER))
    body, fields = encode_report(REPORT), _SGX
    if version != 3:
        body, fields = td_quote()[48:632], _TD
    if version == 5:
        kind = draw(st.sampled_from((2, 3, 4)))
        size = _BODIES[kind]
        body = (body + body[:_TD_SVN]).ljust(size, b"\0")[:size]
        frame = kind.to_bytes(2, "little") + _length(draw, part == "header", size)
        header += frame
    return header + (draw(field_edits(body, fields)) if part == "report" else body)


def _length(draw: st.DrawFn, is_wrong: bool, right: int) -> bytes:
    """A length as four bytes."""
    wrong = st.sampled_from((0, right - 1, right, right + 1, 2**31, 2**32 - 1))
    return (draw(wrong) if is_wrong else right).to_bytes(4, "little")


@given(quotes(), st.sampled_from(TIMES))
@QUIET
def check_resigned(case: tuple[bytes, str], now_s: int) -> None:
    """Judged at some time by good collateral."""
    quote, tee = case
    check_quote(quote)
    if len(quote) <= MAX_QUOTE_BYTES:
        judged(dcap_evidence(quote), quote, encoded_collateral(tee), now_s)


TARGETS = (structured("resigned-quotes", check_resigned),)
