"""Collateral from services: assembled as it was signed; nothing of one that misbehaves."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from attestation.collateral import DcapCollateral, SnpCollateral, encode_collateral
from attestation.fields import SnpTcb
from attestation.platforms.software import QE_SIGNER
from attestation.platforms.software_collateral import CollateralOptions, make_collateral
from attestation.platforms.software_snp_pki import (
    LeafNumbers,
    make_snp_collateral,
    new_snp_authority,
)
from attestation.verify import read_facts
from node.collateral_sources import Services, open_services
from node.errors import ConfigError, FetchError
from node.fetching import Fetcher
from node.pccs import fetch_dcap, fetch_snp
from tests.support.attested import NOW_S, SoftwareWorld, make_world
from tests.support.collateral_service import Mood, VendorServices, serving

SNP_KEY = "snp/Milan"
SHORT_S = 0.3


@pytest.fixture(scope="module")
def world() -> SoftwareWorld:
    """A platform that stands for Intel's."""
    return make_world()


@pytest.fixture(scope="module")
def dcap(world: SoftwareWorld) -> DcapCollateral:
    """Its collateral for SGX."""
    return world.collateral()


@pytest.fixture(scope="module")
def snp() -> SnpCollateral:
    """Collateral of a root that stands for AMD's."""
    numbers = LeafNumbers(tcb=SnpTcb(boot_loader=1, tee=0, snp=1, microcode=1))
    return make_snp_collateral(new_snp_authority(numbers, NOW_S), CollateralOptions(issued_s=NOW_S))


@pytest.fixture
def services(dcap: DcapCollateral, snp: SnpCollateral) -> VendorServices:
    """Both vendors' services."""
    return VendorServices({key_of(dcap): dcap, SNP_KEY: snp})


def key_of(collateral: DcapCollateral) -> str:
    """What it is for."""
    return read_facts(encode_collateral(collateral)).key


@pytest.mark.parametrize("end", ["", "/", "/sgx/certification/v4", "/sgx/certification/v4/"])
@pytest.mark.parametrize("hex_root_list", [False, True])
async def test_a_pccs_gives_what_it_has(
    services: VendorServices, dcap: DcapCollateral, end: str, hex_root_list: bool
) -> None:
    """The base URL may end anywhere sensible; the root's list is DER or hex."""
    services.hex_root_list = hex_root_list
    async with serving(services) as url, Fetcher() as fetcher:
        assert await fetch_dcap(fetcher, url + end, key_of(dcap)) == dcap
    _, fmspc, ca = key_of(dcap).split("/")
    assert services.asked == [
        f"/sgx/certification/v4/tcb?fmspc={fmspc.upper()}",
        "/sgx/certification/v4/qe/identity",
        f"/sgx/certification/v4/pckcrl?ca={ca}&encoding=der",
        "/sgx/certification/v4/rootcacrl",
    ]


async def test_documents_of_tdx_have_their_own_path(world: SoftwareWorld) -> None:
    """TCB info and QE identity come from /tdx, the revocation lists from /sgx."""
    options = CollateralOptions(issued_s=NOW_S)
    tdx = make_collateral(world.authority, QE_SIGNER, options, "tdx")
    services = VendorServices({key_of(tdx): tdx})
    async with serving(services) as url, Fetcher() as fetcher:
        assert await fetch_dcap(fetcher, url, key_of(tdx)) == tdx
    assert [path.split("/")[1] for path in services.asked] == ["tdx", "tdx", "sgx", "sgx"]


async def test_a_roots_list_can_be_handed_in(
    services: VendorServices, dcap: DcapCollateral
) -> None:
    """A vendor's own service has no such list: the error says so, and the file helps."""
    services.moods["rootcacrl"] = Mood.ABSENT
    async with serving(services) as url, Fetcher() as fetcher:
        with pytest.raises(FetchError) as raised:
            await fetch_dcap(fetcher, url, key_of(dcap))
        assert "--root-crl" in raised.value.hint
        found = await fetch_dcap(fetcher, url, key_of(dcap), dcap.root_ca_crl)
    assert found == dcap


async def test_a_kds_gives_what_it_has(services: VendorServices, snp: SnpCollateral) -> None:
    """Chain and list; a signer of VLEKs only where there is one."""
    async with serving(services) as url, Fetcher() as fetcher:
        assert await fetch_snp(fetcher, url + "/", SNP_KEY) == snp
    assert services.asked == [
        "/vcek/v1/Milan/cert_chain",
        "/vcek/v1/Milan/crl",
        "/vlek/v1/Milan/cert_chain",
    ]


BAD = [mood for mood in Mood if mood is not Mood.HONEST]


PATHS = ("tcb", "qe/identity", "pckcrl", "rootcacrl")  # the last has no header


@pytest.mark.parametrize(
    "path, mood",
    [(path, mood) for path in PATHS for mood in BAD if (path, mood) != (PATHS[3], Mood.NO_HEADER)],
)
async def test_a_pccs_that_misbehaves_gives_nothing(
    services: VendorServices, dcap: DcapCollateral, path: str, mood: Mood
) -> None:
    """Too large, slow, another type, elsewhere, cut: an error that names the URL, and no more."""
    services.moods[path] = mood
    async with serving(services) as url, Fetcher(timeout_s=SHORT_S) as fetcher:
        with pytest.raises(FetchError) as raised:
            await fetch_dcap(fetcher, url, key_of(dcap))
        assert url in str(raised.value)


@pytest.mark.parametrize("mood", [mood for mood in BAD if mood is not Mood.NO_HEADER])
@pytest.mark.parametrize("path", ["vcek/v1/Milan/cert_chain", "crl"])
async def test_a_kds_that_misbehaves_gives_nothing(
    services: VendorServices, mood: Mood, path: str
) -> None:
    """The same for AMD's."""
    services.moods[path] = mood
    async with serving(services) as url, Fetcher(timeout_s=SHORT_S) as fetcher:
        with pytest.raises(FetchError):
            await fetch_snp(fetcher, url, SNP_KEY)


async def test_a_redirect_is_not_followed(services: VendorServices, dcap: DcapCollateral) -> None:
    """Whoever answers for the service decides nothing about where documents come from."""
    services.moods["tcb"] = Mood.ELSEWHERE
    async with serving(services) as url, Fetcher() as fetcher:
        with pytest.raises(FetchError, match="302"):
            await fetch_dcap(fetcher, url, key_of(dcap))
    assert len(services.asked) == 1


async def test_another_keys_collateral_is_refused(
    services: VendorServices, dcap: DcapCollateral
) -> None:
    """What a service gives has to be for the key that was asked for."""
    tee, _, ca = key_of(dcap).split("/")
    wanted = f"{tee}/00906ed50000/{ca}"
    services.held = {wanted: dcap}
    async with serving(services) as url, open_services(Services(pccs=url)) as desk:
        with pytest.raises(FetchError, match=key_of(dcap)):
            await desk.fetch(wanted)


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1/",
        "http://example.com",
        "ftp://127.0.0.1/",
        "127.0.0.1:8081",
        "https://",
        "https://user:secret@example.com/",
        "http://127.0.0.1.example.com/",
        "http://[::1/",
        "",
    ],
)
async def test_only_https_or_this_machine(url: str) -> None:
    """Plain HTTP stays on this machine; a URL that is none, or carries a password, is refused."""
    async with Fetcher(timeout_s=SHORT_S) as fetcher:
        with pytest.raises(FetchError, match="URL"):
            await fetcher.get(url, 10)


async def test_a_service_that_signs_for_itself_is_named(
    services: VendorServices, dcap: DcapCollateral, tls_files: tuple[Path, Path]
) -> None:
    """An unknown certificate is refused with the option that names it; with it, it is believed."""
    certificate, key = tls_files
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with serving(services, context) as url:
        async with Fetcher() as fetcher:
            with pytest.raises(FetchError) as raised:
                await fetch_dcap(fetcher, url, key_of(dcap))
        assert "--ca" in raised.value.hint
        async with Fetcher(certificate) as fetcher:
            assert await fetch_dcap(fetcher, url, key_of(dcap)) == dcap


async def test_nobody_at_the_address(unused_tcp_port: int, dcap: DcapCollateral) -> None:
    """A refused connection has nothing to do with certificates: look at the address."""
    async with Fetcher() as fetcher:
        with pytest.raises(FetchError, match="no answer") as raised:
            await fetch_dcap(fetcher, f"https://127.0.0.1:{unused_tcp_port}", key_of(dcap))
    assert "check the address" in raised.value.hint
    assert "--ca" not in raised.value.hint


async def test_authorities_that_are_none(tmp_path: Path) -> None:
    """A file that holds no certificate is the operator's fault, and said so."""
    (tmp_path / "ca.pem").write_text("nothing")
    for path in (tmp_path / "ca.pem", tmp_path / "absent.pem"):
        with pytest.raises(ConfigError):
            async with Fetcher(path):
                pass


@pytest.fixture
def tls_files(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a cache of one's own")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "own.crt", tmp_path / "own.key"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files
