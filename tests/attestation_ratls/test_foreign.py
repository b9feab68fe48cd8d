"""A verifier that is not ours judges certificates that ours made, and ours those of others."""

import json
import shutil
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.dcap.layout import parse_quote
from attestation.ratls.cbor import encode_tagged
from attestation.ratls.certificate import read_certificate
from attestation.ratls.forms import DICE_OID, ratls_report_data
from attestation.ratls.make import encode_claims
from node.tls import make_server_tls
from tests.support.attested import NOW_S, REPORT, SoftwareWorld, evidence_of
from tests.support.foreign_ratls import ForeignVerifier, ForeignVerifierError
from tests.support.ratls_certificates import (
    Wanted,
    claims_with,
    dice_value,
    make_certificate,
    quote_over,
    spki_of,
)
from tests.support.small_platform import SmallPlatform

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "ra-tls"
JUNE_2023 = 1_686_000_000

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the openssl program is not on this machine"
)


class QuotingPlatform(SmallPlatform):
    """A platform whose evidence is a software platform's quote, which can be verified."""

    def __init__(self, world: SoftwareWorld) -> None:
        super().__init__()
        self._world = world

    async def evidence(self, report_data: bytes) -> bytes:
        await super().evidence(report_data)
        return evidence_of(quote_over(self._world, report_data))


@pytest.fixture
def foreigner(world: SoftwareWorld, tmp_path: Path) -> ForeignVerifier:
    """It believes in the software platform's root."""
    root = tmp_path / "root.pem"
    root.write_bytes(world.authority.root.public_bytes(Encoding.PEM))
    return ForeignVerifier(root, NOW_S, tmp_path)


async def test_it_verifies_the_certificate_of_a_server(
    world: SoftwareWorld, foreigner: ForeignVerifier
) -> None:
    """What a node shows is read and verified by another program, down to the root."""
    tls = await make_server_tls(QuotingPlatform(world), NOW_S)
    view = foreigner.verify(tls.certificate)
    assert (view.mr_enclave, view.mr_signer) == (REPORT.mr_enclave, REPORT.mr_signer)
    assert view.quote == read_certificate(tls.certificate).evidence.quote


def test_it_refuses_what_ours_refuses(world: SoftwareWorld, foreigner: ForeignVerifier) -> None:
    """Another key in the claims, other claims than quoted, a changed quote, another signer."""
    wanted = Wanted()
    claims = encode_claims(spki_of(wanted.key))
    quote = quote_over(world, ratls_report_data(claims))
    at = quote.index(REPORT.mr_enclave)
    promoted = quote[:at] + b"\x99" * 32 + quote[at + 32 :]
    good = encode_tagged(60000, [quote, claims])
    refused = {
        "another key": (wanted, dice_value(world, claims_with(1, bytes(32)))),
        "other claims": (wanted, encode_tagged(60000, [quote_over(world, bytes(64)), claims])),
        "openssl dgst": (wanted, encode_tagged(60000, [promoted, claims])),
        "openssl verify": (Wanted(wanted.key, Wanted().key), good),
    }
    foreigner.verify(pem(make_certificate(wanted, {DICE_OID: good})))
    for words, (made, value) in refused.items():
        with pytest.raises(ForeignVerifierError, match=words):
            foreigner.verify(pem(make_certificate(made, {DICE_OID: value})))


def pem(der: bytes) -> bytes:
    """The same certificate as text."""
    return ssl.DER_cert_to_PEM_cert(der).encode()


@pytest.mark.skipif(not VECTORS.exists(), reason="the RA-TLS vectors are not beside this checkout")
def test_both_read_gramine_s_certificate_alike(tmp_path: Path) -> None:
    """A certificate of real hardware: one quote, one key, in both readings."""
    data = (VECTORS / "ccc-gramine-interop" / "cert.pem").read_bytes()
    ours = read_certificate(data)
    root = tmp_path / "root.pem"
    root.write_bytes(pem(parse_quote(ours.evidence.quote).chain[2]))
    view = ForeignVerifier(root, JUNE_2023, tmp_path).verify(data)
    assert view.quote == ours.evidence.quote
    measured = json.loads((VECTORS.parent / "manifest.json").read_text())["vectors"]
    facts = next(one for one in measured if one["id"] == "ra-tls/ccc-gramine-interop")
    assert view.mr_enclave.hex() == facts["measurements"]["mr_enclave"]
