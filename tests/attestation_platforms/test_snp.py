"""The tsm platform in a SEV-SNP guest: real reports, and the certificates that a host hands out."""

import errno
import ssl
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.errors import DecodeError, PlatformError
from attestation.evidence import Evidence, EvidenceKind, decode_evidence
from attestation.platforms.detect import PlatformPlaces, open_platform
from attestation.platforms.tsm import TsmPlatform
from attestation.platforms.tsm_certificates import (
    MAX_ENTRIES,
    MAX_TABLE_BYTES,
    VCEK_GUID,
    VLEK_GUID,
    certificate_in_table,
    decode_certificate,
    parse_certificate_table,
    read_certificate,
)
from attestation.platforms.tsm_snp import vcek_addresses
from attestation.snp.report import parse_report
from tests.support.platform_devices import VECTORS, FakeConfigfs, certificate_table

ASK_GUID = UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782").bytes
SNP = VECTORS / "sev-snp"
MILAN, GENOA, TURIN, VLEK = "virtee-milan", "coda-genoa-v5", "ms-turin", "trustee-milan-vlek"
GUESTS = (MILAN, GENOA, TURIN, VLEK)

needs_vectors = pytest.mark.skipif(
    not SNP.is_dir(), reason="the evidence vectors are not on this machine"
)


class Guest:
    """A SEV-SNP guest whose kernel gives one real report, and whose host some certificates."""

    def __init__(self, name: str) -> None:
        self.report = (SNP / name / "report.bin").read_bytes()
        key = "vlek" if name == VLEK else "vcek"
        self.guid = VLEK_GUID if name == VLEK else VCEK_GUID
        self.certificate = (SNP / name / f"{key}.der").read_bytes()
        self.files = FakeConfigfs(provider="sev_guest", give=self._give)
        self.table = certificate_table({ASK_GUID: b"ask", self.guid: self.certificate})

    @property
    def report_data(self) -> bytes:
        """What the real guest asked for."""
        return self.report[0x50:0x90]

    async def evidence(self, certificate: bytes = b"") -> Evidence:
        """What the platform makes of it."""
        platform = TsmPlatform(self.files, certificate)
        return decode_evidence(await platform.evidence(self.report_data))

    async def refusal(self, certificate: bytes = b"") -> str:
        """What is said when there is no evidence."""
        with pytest.raises(PlatformError) as raised:
            await self.evidence(certificate)
        return str(raised.value)

    def _give(self, report_data: bytes) -> tuple[bytes, bytes]:
        if report_data != self.report_data:
            raise AssertionError("the guest has a report over one report data only")
        return self.report, self.table


@pytest.fixture
def milan() -> Iterator[Guest]:
    """A guest on a Milan processor; no request is left behind."""
    if not SNP.is_dir():
        pytest.skip("the evidence vectors are not on this machine")
    guest = Guest(MILAN)
    yield guest
    assert guest.files.is_empty


@needs_vectors
@pytest.mark.parametrize("name", GUESTS)
async def test_real_reports(name: str) -> None:
    """Of Milan, Genoa and Turin, with VCEK or VLEK: the report and the certificate that fits."""
    guest = Guest(name)
    expected = Evidence(EvidenceKind.SNP, guest.report, guest.certificate)
    assert await guest.evidence() == expected


async def test_a_certificate_in_pem(milan: Guest) -> None:
    """A host may hand out PEM; the evidence has DER."""
    pem = ssl.DER_cert_to_PEM_cert(milan.certificate)
    milan.table = certificate_table({VCEK_GUID: pem.encode()})
    assert (await milan.evidence()).certificate == milan.certificate


@pytest.mark.parametrize("table", [b"", bytes(24), certificate_table({ASK_GUID: b"ask"})])
async def test_no_certificate_from_the_host(milan: Guest, table: bytes) -> None:
    """The one that was given is used; without it, the error says where this chip's is to be had."""
    milan.table = table
    assert (await milan.evidence(milan.certificate)).certificate == milan.certificate
    said = await milan.refusal()
    assert "the host hands out no VCEK certificate" in said
    assert '[platform] certificate = "/path" (docs/deploy/sev-snp.md)' in said
    assert f"https://kdsintf.amd.com/vcek/v1/Milan/{milan.report[0x1A0:0x1E0].hex()}?blSPL=" in said


async def test_no_auxblob(milan: Guest) -> None:
    """A kernel that does not show the attribute is like a host that hands out nothing."""
    milan.files.no_auxblob = True
    assert (await milan.evidence(milan.certificate)).certificate == milan.certificate
    assert "no VCEK certificate" in await milan.refusal()


async def test_the_hosts_certificate_comes_first(milan: Guest) -> None:
    """The host's follows its firmware, so it is taken even if another one was given."""
    other = Guest(GENOA).certificate
    assert (await milan.evidence(other)).certificate == milan.certificate


async def test_a_certificate_of_another_chip(milan: Guest) -> None:
    """A certificate that did not sign the report would be refused everywhere: it is said here."""
    milan.table = b""
    said = await milan.refusal(Guest(GENOA).certificate)
    assert "another chip's, or from before a firmware update" in said
    assert "https://kdsintf.amd.com/vcek/v1/" in said


@needs_vectors
async def test_no_vlek() -> None:
    """A VLEK is the cloud's: there is nowhere to fetch it from."""
    guest = Guest(VLEK)
    guest.table = b""
    said = await guest.refusal()
    assert "no VLEK certificate" in said
    assert "whoever runs the host" in said
    assert "https://" not in said


async def test_a_hidden_chip_id(milan: Guest) -> None:
    """Without the chip id the certificate cannot be asked for; the host has to give it."""
    report = bytearray(milan.report)
    report[0x1A0:0x1E0] = bytes(64)
    milan.report, milan.table = bytes(report), b""
    assert "hides the chip id" in await milan.refusal()


async def test_a_report_that_is_none(milan: Guest) -> None:
    """Another size, version or signing key is refused where its platform is known."""
    good = milan.report
    for bad, said in (
        (good[:-1], "1183 bytes"),
        (good + b"\0", "1185 bytes"),
        (b"\x04" + good[1:], "version 4"),
        (good[:0x48] + b"\x1c" + good[0x49:], "name no VCEK and no VLEK"),
    ):
        milan.files.give = lambda _, bad=bad: (bad, milan.table)  # type: ignore[misc]  # a default
        assert said in await milan.refusal()


async def test_a_report_over_other_report_data(milan: Guest) -> None:
    """It is not passed on."""
    milan.files.give = lambda _: (milan.report, milan.table)
    with pytest.raises(PlatformError, match="other report data"):
        await TsmPlatform(milan.files).evidence(bytes(64))


async def test_a_damaged_table(milan: Guest) -> None:
    """A table that cannot be read is the host's fault, and said to be."""
    milan.table = milan.table[:-1]
    assert "the host gave something that cannot be used: certificate table" in await milan.refusal()


async def test_a_certificate_that_is_none(milan: Guest) -> None:
    """What stands under the key's GUID has to be its certificate."""
    for data in (b"\0", b"-----BEGIN CERTIFICATE-----\nAA", bytes(9000)):
        milan.table = certificate_table({VCEK_GUID: data})
        assert "cannot be used" in await milan.refusal()


async def test_too_large_a_table(milan: Guest) -> None:
    """More than the kernel can hand out is not read."""
    milan.table = bytes(MAX_TABLE_BYTES + 1)
    assert "auxblob has more than 32768" in await milan.refusal()


async def test_a_table_that_cannot_be_read(milan: Guest) -> None:
    """EIO, when the host's table does not fit, names the table."""
    milan.files.error = {"outblob": errno.EIO}
    assert "the certificate table that it hands out too large" in await milan.refusal()


@needs_vectors
def test_addresses() -> None:
    """The address of a VCEK has the product, the chip id and each security version."""
    turin, genoa, milan = (
        parse_report((SNP / name / "report.bin").read_bytes()) for name in (TURIN, GENOA, MILAN)
    )
    (address,) = vcek_addresses(turin)
    tcb = turin.reported_tcb
    assert address == (
        f"https://kdsintf.amd.com/vcek/v1/Turin/{turin.chip_id[:8].hex()}?fmcSPL={tcb[0]:02}"
        f"&blSPL={tcb[1]:02}&teeSPL={tcb[2]:02}&snpSPL={tcb[3]:02}&ucodeSPL={tcb[7]:02}"
    )
    (address,) = vcek_addresses(genoa)
    tcb = genoa.reported_tcb
    assert address == (
        f"https://kdsintf.amd.com/vcek/v1/Genoa/{genoa.chip_id.hex()}?blSPL={tcb[0]:02}"
        f"&teeSPL={tcb[1]:02}&snpSPL={tcb[6]:02}&ucodeSPL={tcb[7]:02}"
    )
    # A report of version 2 does not say which processor it is of.
    assert [address.split("/")[5] for address in vcek_addresses(milan)] == ["Milan", "Genoa"]


def test_certificate_files(milan: Guest, tmp_path: Path) -> None:
    """A file in DER or PEM is read when the platform is opened; a bad one is named."""
    (tmp_path / "good").write_bytes(milan.certificate)
    assert read_certificate(tmp_path / "good") == milan.certificate
    (tmp_path / "bad").write_bytes(b"certificate")
    (tmp_path / "reports").mkdir()
    for name in ("bad", "none"):
        places = PlatformPlaces(reports=tmp_path / "reports", certificate=tmp_path / name)
        with pytest.raises(PlatformError, match=str(tmp_path / name)):
            open_platform("tsm", places, {})
    places = PlatformPlaces(reports=tmp_path / "reports", certificate=tmp_path / "good")
    assert open_platform("tsm", places, {}).name == "tsm"


# ------------------------------------------------------------------------------------ the table

ENTRIES = {VCEK_GUID: b"vcek", VLEK_GUID: b"vlek!", ASK_GUID: b"ask"}


def entry(guid: bytes, offset: int, length: int) -> bytes:
    """One entry."""
    return struct.pack("<16sII", guid, offset, length)


@given(
    st.dictionaries(
        st.binary(min_size=16, max_size=16).filter(any),
        st.binary(min_size=1, max_size=50),
        max_size=MAX_ENTRIES,
    )
)
def test_tables_are_read(entries: dict[bytes, bytes]) -> None:
    """Every certificate of a table is found under its GUID; nothing at all is an empty table."""
    assert parse_certificate_table(certificate_table(entries)) == entries
    assert parse_certificate_table(b"") == {}


def test_guids_are_in_the_order_in_which_they_are_written() -> None:
    """The first byte of a GUID on the wire is the first of its text, as hardware has it."""
    assert VCEK_GUID[:4].hex() == "63da758d"
    assert VLEK_GUID[:4].hex() == "a8074bc2"


@pytest.mark.parametrize(
    "table",
    [
        certificate_table(ENTRIES)[:-1],  # cut inside the last certificate
        entry(VCEK_GUID, 24, 4) + b"vcek",  # no end
        b"x" * 23,
        entry(VCEK_GUID, 24, 4) + bytes(24) + b"vcek",  # inside the table
        entry(VCEK_GUID, 0, 4) + bytes(24) + b"vcek",
        entry(VCEK_GUID, 48, 5) + bytes(24) + b"vcek",  # behind the end
        entry(VCEK_GUID, 2**32 - 4, 8) + bytes(24) + b"vcek",  # no wrap
        entry(VCEK_GUID, 48, 0) + bytes(24) + b"vcek",  # of no size
        entry(bytes(16), 48, 4) + bytes(24) + b"vcek",  # without a GUID
        entry(VCEK_GUID, 72, 4) * 2 + bytes(24) + b"vcek",  # twice
        certificate_table({bytes([n]) * 16: b"x" for n in range(1, MAX_ENTRIES + 2)}),
        bytes(MAX_TABLE_BYTES + 1),
    ],
)
def test_bad_tables(table: bytes) -> None:
    """Each breach of the rules is refused."""
    with pytest.raises(DecodeError):
        parse_certificate_table(table)


@given(data=st.data())
def test_mutated_tables(data: st.DataObject) -> None:
    """Any change to a table gives another table or DecodeError, nothing else."""
    table = bytearray(certificate_table(ENTRIES))
    for _ in range(data.draw(st.integers(1, 4))):
        table[data.draw(st.integers(0, len(table) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(table)))
    for changed in (bytes(table), bytes(table[:cut])):
        try:
            found = parse_certificate_table(changed)
        except DecodeError:
            continue
        assert all(one in changed for one in found.values())


@given(st.binary(max_size=400))
def test_random_tables_and_certificates(data: bytes) -> None:
    """Random bytes are refused with DecodeError, or hold nothing under the key's GUID."""
    with suppress(DecodeError):
        assert certificate_in_table(data, VCEK_GUID) == b""
    for prefix in (b"", b"-----BEGIN CERTIFICATE-----\n", b"0\x82"):
        with pytest.raises(DecodeError):
            decode_certificate(prefix + data)
