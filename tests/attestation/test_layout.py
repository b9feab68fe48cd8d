"""The strict shape check of quotes, certificate chains and PCK extensions."""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.dcap.collateral import read_facts
from attestation.dcap.layout import Quote, parse_quote, quote_digest, signed_region
from attestation.dcap.pck import PckPlatform, _fields, read_platform
from attestation.dcap.pem import decode_chain, encode_chain
from attestation.dcap.reports import SgxReport, TdReport, parse_sgx_report
from attestation.errors import DecodeError
from attestation.platforms.software_collateral import FMSPC
from attestation.platforms.software_der import PlatformNumbers, encode_sgx_extension
from tests.support.attested import PPID, REPORT, SoftwareWorld, make_world
from tests.support.mutation import mutations

LENGTH_AT, PEM_LENGTH_AT, PEM_AT = 432, 1048, 1052


@pytest.fixture(scope="module")
def quote(world: SoftwareWorld) -> bytes:
    """A good SGX quote."""
    return world.quote()


def as_tdx(sgx: bytes, version: int, padding: int = 0, outer: int = 6) -> bytes:
    """The parts of an SGX quote in the shape of a TDX quote (no signature in it fits any more)."""
    header = struct.pack("<HHI", version, 2, 0x81) + sgx[8:48]
    body = bytes(range(256)) * 2 + bytes(72)
    if version == 5:
        body = struct.pack("<HI", 3, 648) + body + bytes(64)
    signature, certification = sgx[436:564], sgx[564:]
    section = signature + struct.pack("<HI", outer, len(certification)) + certification
    return header + body + struct.pack("<I", len(section)) + section + bytes(padding)


def put(data: bytes, at: int, piece: bytes) -> bytes:
    """`data` with `piece` written over it at `at`."""
    return data[:at] + piece + data[at + len(piece) :]


def with_pem(data: bytes, pem: bytes) -> bytes:
    """An SGX quote with another certificate part and exact lengths."""
    lengths = struct.pack("<I", PEM_AT - LENGTH_AT - 4 + len(pem)), struct.pack("<I", len(pem))
    changed = put(put(data, LENGTH_AT, lengths[0]), PEM_LENGTH_AT, lengths[1])
    return changed[:PEM_AT] + pem


def test_an_sgx_quote_is_read(quote: bytes) -> None:
    """The fields of the report come out where the enclave put them."""
    parsed = parse_quote(quote)
    assert parsed.report == SgxReport(
        mr_enclave=REPORT.mr_enclave,
        mr_signer=REPORT.mr_signer,
        attributes=bytes.fromhex("0500000000000000e700000000000000"),
        product_id=7,
        svn=3,
        config_id=bytes(64),
        config_svn=0,
        ext_product_id=bytes(16),
        family_id=bytes(16),
        report_data=REPORT.report_data,
    )
    assert (parsed.version, parsed.platform, parsed.report.debug) == (3, "sgx", False)
    assert parsed.canonical == quote


def test_each_field_of_an_sgx_report_has_its_place() -> None:
    """Offsets are those of Intel's report structure: each byte belongs to one field or none."""
    body = bytes(at % 251 for at in range(384))
    report = parse_sgx_report(body)
    assert report == SgxReport(
        ext_product_id=body[32:48],
        attributes=body[48:64],
        mr_enclave=body[64:96],
        mr_signer=body[128:160],
        config_id=body[192:256],
        product_id=int.from_bytes(body[256:258], "little"),
        svn=int.from_bytes(body[258:260], "little"),
        config_svn=int.from_bytes(body[260:262], "little"),
        family_id=body[304:320],
        report_data=body[320:384],
    )


def test_a_quote_is_identified_by_its_signed_region(quote: bytes) -> None:
    """The identity of a quote is SHA-256 over header and report: bytes 0 to 431."""
    assert signed_region(quote) == quote[:432]
    assert quote_digest(quote) == hashlib.sha256(quote[:432]).digest()


@pytest.mark.parametrize("version, region", [(4, 632), (5, 702)])
def test_a_tdx_quote_is_read_and_its_padding_cut(quote: bytes, version: int, region: int) -> None:
    """A TDX quote may be padded with zeros to its buffer's size; they are not part of it."""
    plain, padded = as_tdx(quote, version), as_tdx(quote, version, padding=99)
    parsed = parse_quote(padded)
    assert parsed == parse_quote(plain)
    assert parsed.canonical == plain
    assert parsed.signed_region == plain[:region]
    assert isinstance(parsed.report, TdReport)
    assert len(parsed.report.measurement) == 48
    assert parsed.report.mr_td == plain[region - 584 - 64 * (version - 4) :][136:184]


def test_each_measured_register_changes_a_td_measurement(quote: bytes) -> None:
    """MRTD, the four RTMRs and the host's three configuration fields all count."""
    plain = as_tdx(quote, 4)
    offsets = [48 + at for at in (136, 184, 232, 280, 328, 376, 424, 472)]
    found = set()
    for at in offsets:
        report = parse_quote(put(plain, at, b"\xee")).report
        assert isinstance(report, TdReport)
        found.add(report.measurement)
    assert len(found) == len(offsets)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda q: q[:0],
    "header only": lambda q: q[:48],
    "unknown version": lambda q: put(q, 0, b"\x02"),
    "SGX in version 4": lambda q: put(q, 0, b"\x04"),
    "TDX in version 3": lambda q: put(q, 4, b"\x81"),
    "P-384 key": lambda q: put(q, 2, b"\x03"),
    "another vendor": lambda q: put(q, 12, b"\x00"),
    "one byte after the end": lambda q: q + b"\0",
    "a byte inside the length": lambda q: put(q, LENGTH_AT, struct.pack("<I", len(q) - 435)) + b"x",
    "one byte short": lambda q: q[:-1],
    "length of a gigabyte": lambda q: put(q, LENGTH_AT, struct.pack("<I", 1 << 30)),
    "authentication data of 31": lambda q: put(q, 1012, b"\x1f"),
    "certification type 1": lambda q: put(q, 1046, b"\x01"),
    "certification shorter": lambda q: put(q, PEM_LENGTH_AT, struct.pack("<I", 100)),
    "root cut off": lambda q: with_pem(q, encode_chain(chain_of(q)[:2])),
    "a fourth certificate": lambda q: with_pem(q, encode_chain((*chain_of(q), chain_of(q)[2]))),
    "two NULs": lambda q: with_pem(q, q[PEM_AT:] + b"\0"),
    "CRLF": lambda q: with_pem(q, q[PEM_AT:].replace(b"\n", b"\r\n")),
    "another label": lambda q: with_pem(q, q[PEM_AT:].replace(b"CERTIFICATE", b"X509")),
    "text before": lambda q: with_pem(q, b"text\n" + q[PEM_AT:]),
    "text between": lambda q: with_pem(q, q[PEM_AT:].replace(b"-\n-", b"-\n\n-", 1)),
    "one-line base64": lambda q: with_pem(q, one_line(q)),
    "not base64": lambda q: put(q, PEM_AT + 40, b"!!"),
    "outer type of TDX": lambda q: as_tdx(q, 4, outer=5),
    "TDX padding not zero": lambda q: as_tdx(q, 4) + b"\0\1",
    "version 5 body of version 4 size": lambda q: put(as_tdx(q, 5), 50, struct.pack("<I", 584)),
    "version 5 SGX body": lambda q: put(as_tdx(q, 5), 48, b"\x01"),
    "TDX inner length": lambda q: put(as_tdx(q, 4), 632 + 4 + 128 + 2, b"\x00"),
    "more than 64 KiB": lambda q: as_tdx(q, 4, padding=65_536),
}


def chain_of(data: bytes) -> tuple[bytes, ...]:
    """The certificates of a good quote."""
    return parse_quote(data).chain


def one_line(data: bytes) -> bytes:
    """The certificate part with each base64 body on one line."""
    lines = data[PEM_AT:].split(b"\n")
    return b"\n".join(lines[:1]) + b"\n" + b"".join(lines[1:3]) + b"\n" + b"\n".join(lines[3:])


@pytest.mark.parametrize("name", sorted(DAMAGE))
def test_quotes_that_are_not_canonical_are_refused(quote: bytes, name: str) -> None:
    """What the library would accept in many spellings is accepted in one."""
    with pytest.raises(DecodeError):
        parse_quote(DAMAGE[name](quote))


def test_every_truncation_of_a_quote_is_refused(quote: bytes) -> None:
    """No prefix of an SGX quote has the right shape, but the one without its final NUL."""
    for size in range(len(quote) - 1):
        with pytest.raises(DecodeError):
            parse_quote(quote[:size])


def test_a_chain_may_lack_its_final_nul(quote: bytes) -> None:
    """Quoting enclaves exist that write no NUL after the chain; the identity is the same."""
    parsed = parse_quote(with_pem(quote, quote[PEM_AT:-1]))
    assert parsed.digest == quote_digest(quote)


WORLD = make_world()
GOOD = WORLD.quote()
HELD = WORLD.collateral()


@given(mutations(GOOD) | mutations(as_tdx(GOOD, 5)) | st.binary(max_size=2000))
def test_the_quote_parser_raises_its_one_error(data: bytes) -> None:
    """Whatever comes, parsing and reading the platform give a quote or DecodeError."""
    try:
        parsed = parse_quote(data)
        assert isinstance(parsed, Quote)
        read_platform(parsed)
    except DecodeError:
        return


@given(mutations(encode_chain(chain_of(GOOD))) | st.binary(max_size=500), st.integers(1, 3))
def test_the_chain_decoder_raises_its_one_error(text: bytes, count: int) -> None:
    """A chain decodes to certificates that encode to the same text, or raises DecodeError."""
    try:
        assert encode_chain(decode_chain(text, count)) == text
    except DecodeError:
        return


EXTENSION = encode_sgx_extension(
    PlatformNumbers(ppid=PPID, fmspc=FMSPC, cpu_svn=bytes(range(240, 256)), pce_svn=32_767)
)


@given(mutations(EXTENSION) | st.binary(max_size=200))
def test_the_extension_reader_raises_its_one_error(der: bytes) -> None:
    """The reader of the SGX extension raises DecodeError or gives its pairs."""
    try:
        _fields(der)
    except DecodeError:
        return


def test_the_platform_is_read_from_the_leaf(quote: bytes) -> None:
    """FMSPC and PPID come out of the PCK certificate."""
    assert read_platform(parse_quote(quote)) == PckPlatform(FMSPC, PPID)


def test_a_leaf_without_the_extension_is_refused(quote: bytes) -> None:
    """A certificate without the SGX extension names no platform."""
    leaf, pck_ca, root = chain_of(quote)
    for first in (pck_ca, b"0", leaf + b"\0"):
        with pytest.raises(DecodeError):
            read_platform(parse_quote(with_pem(quote, encode_chain((first, pck_ca, root)))))


@given(st.data())
def test_the_collateral_reader_raises_its_one_error(data: st.DataObject) -> None:
    """Mutated documents and revocation lists are read or refused with DecodeError."""
    field = data.draw(st.sampled_from(("tcb_info", "qe_identity", "root_ca_crl", "pck_crl")))
    if field.endswith("crl"):
        piece: object = data.draw(mutations(getattr(HELD, field)))
    else:
        piece = data.draw(mutations(getattr(HELD, field).encode())).decode(errors="replace")
    changed = replace(HELD, **{field: piece})  # type: ignore[arg-type]  # of the field's own type
    try:
        read_facts(changed)
    except DecodeError:
        return
