"""Programs that know nothing of us, at the port of a running node."""

import asyncio
import hashlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attestation.evidence import encode_evidence
from attestation.platforms.software import read_trust
from attestation.ratls.certificate import read_certificate, verify_binding, verify_validity
from attestation.ratls.forms import RaTlsForm
from attestation.rules import VerificationRules
from attestation.verify import verify
from node.tls import SERVER_NAME
from tests.support.foreign_ratls import ForeignVerifier
from tests.support.real_node import COLLECTION, Found, Serving, found, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("openssl") is None, reason="the openssl program is not on this machine"
    ),
]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Serving]:
    """A development network's node."""
    wanted = Found(apps=("app",), grants={COLLECTION: ("app",)})
    async with serving(found(tmp_path, wanted)) as running:
        yield running


def fetch_with_ssl(port: int) -> bytes:
    """The certificate (PEM), by Python's ssl: once to learn it, once to talk, trusting it alone."""
    learned = ssl.get_server_certificate(("127.0.0.1", port))
    context = ssl.create_default_context(cadata=learned)
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as line,
        context.wrap_socket(line, server_hostname=SERVER_NAME) as tls,
    ):
        assert tls.selected_alpn_protocol() == "h2"
        shown = tls.getpeercert(binary_form=True)
    assert shown is not None
    assert ssl.DER_cert_to_PEM_cert(shown) == learned
    return learned.encode()


def fetch_with_openssl(port: int) -> bytes:
    """The certificate (PEM), by `openssl s_client`."""
    connect = ("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", SERVER_NAME)
    ran = subprocess.run(
        (*connect, "-alpn", "h2"), input=b"", capture_output=True, timeout=20, check=True
    )
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----\n"
    return ran.stdout[ran.stdout.index(begin) : ran.stdout.index(end) + len(end)]


async def test_strangers_connect_and_verify_who_serves(served: Serving, tmp_path: Path) -> None:
    """Stock TLS clients talk to the port; openssl alone verifies the evidence in what they saw."""
    port = served.running.port
    seen = await asyncio.to_thread(fetch_with_ssl, port)
    assert await asyncio.to_thread(fetch_with_openssl, port) == seen
    root = tmp_path / "root.pem"
    der = read_trust(served.network.home.platform).root
    root.write_bytes(ssl.DER_cert_to_PEM_cert(der).encode())
    foreigner = ForeignVerifier(root, int(time.time()), tmp_path)
    view = await asyncio.to_thread(foreigner.verify, seen)
    enclave = served.network.core().enclave
    assert (view.mr_enclave, view.mr_signer) == (enclave.measurement, enclave.signer)


async def test_ours_judges_the_same_certificate(served: Serving) -> None:
    """Read, verified by the network's own collateral, bound, in date; the key is Hello's."""
    pem = await asyncio.to_thread(fetch_with_ssl, served.running.port)
    certificate = read_certificate(pem)
    assert certificate.form is RaTlsForm.DICE
    trust, now_s = read_trust(served.network.home.platform), int(time.time())
    rules = VerificationRules(roots=(trust.root,), tcb_signer_pins=trust.tcb_signer_pins)
    evidence = encode_evidence(certificate.evidence)
    verdict = verify(evidence, trust.collateral, rules, now_s)
    assert verdict.identity.measurement == served.network.core().enclave.measurement
    verify_binding(certificate, verdict.report_data)
    verify_validity(certificate, now_s)
    key = x509.load_pem_x509_certificate(pem).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert hashlib.sha256(spki).digest() == hashlib.sha256(certificate.spki).digest()
    async with served.client() as client:  # compares this key with what Hello signs
        assert client is not None
