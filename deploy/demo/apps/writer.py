"""The first app of the demo: generates secrets inside itself and stores them on the ledger.

A TLS key with its certificate, a file, and some hundred credentials. It keeps none of them: for the
comparison it leaves only their SHA-256. It knows nothing of the crash that happens meanwhile.
"""

import argparse
import asyncio
import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from attestation.platforms.software import SoftwarePlatform
from enclave_client.client import SecretClient

REPORT_EVERY = 100


def make_tls() -> tuple[bytes, bytes]:
    """A fresh key and a certificate for it, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "service.example")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, certificate.public_bytes(Encoding.PEM)


def make_secrets(file: Path, credentials: int) -> Iterator[tuple[str, bytes]]:
    """Names and values, in the order in which they are stored."""
    key, certificate = make_tls()
    yield "tls/key.pem", key
    yield "tls/certificate.pem", certificate
    yield f"files/{file.name}", file.read_bytes()
    for number in range(credentials):
        login = {"user": f"user-{number}", "password": secrets.token_urlsafe(24)}
        yield f"credentials/{number:04}", json.dumps(login).encode()


async def run(arguments: argparse.Namespace) -> None:
    """Store everything, one after the other."""
    platform = SoftwarePlatform.open(arguments.platform, Path(__file__).with_suffix(".toml"))
    digests = {}
    async with SecretClient.connect(
        network=arguments.network,
        platform=platform,
        collection=arguments.collection,
        allow_development=True,
    ) as client:
        for name, value in make_secrets(arguments.file, arguments.credentials):
            await client.put(name, value)
            digests[name] = hashlib.sha256(value).hexdigest()
            if len(digests) % REPORT_EVERY == 0:
                print(len(digests), flush=True)
    arguments.digests.write_text(json.dumps(digests))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--platform", type=Path, required=True)
    parser.add_argument("--collection", required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--credentials", type=int, required=True)
    parser.add_argument("--digests", type=Path, required=True)
    asyncio.run(run(parser.parse_args()))
