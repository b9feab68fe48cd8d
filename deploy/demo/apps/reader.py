"""The second app of the demo: reads everything back and compares.

Other code than the writer's, in another process: what it knows of the secrets is their SHA-256.
Exit codes: 0 all equal, 3 denied, 1 anything else.
"""

import argparse
import asyncio
import hashlib
import json
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from attestation.platforms.software import SoftwarePlatform
from enclave_client.calls import Got
from enclave_client.client import SecretClient
from enclave_client.errors import DeniedError

SHOW_SECRETS = 0
DENIED = 3


def check(got: dict[str, Got], digests: dict[str, str], file: Path) -> None:
    """Exit with a message unless every value is the stored one, stored once, and usable."""
    for name, one in got.items():
        if hashlib.sha256(one.value).hexdigest() != digests[name] or one.version != 1:
            sys.exit(f"{name}: not the value that was stored, or stored twice")
    if got[f"files/{file.name}"].value != file.read_bytes():
        sys.exit("the file differs")
    key = load_pem_private_key(got["tls/key.pem"].value, None)
    certificate = x509.load_pem_x509_certificate(got["tls/certificate.pem"].value)
    if key.public_key() != certificate.public_key():
        sys.exit("the TLS key does not fit its certificate")


def search(values: list[bytes], places: list[Path]) -> int:
    """How many files the folders have; exit with a message if one holds a value."""
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        if any(value in content for value in values):
            sys.exit(f"a value stands in {path}")
    return len(files)


async def run(arguments: argparse.Namespace) -> int:
    """Read everything at once, compare, keep the receipt of one read."""
    platform = SoftwarePlatform.open(arguments.platform, Path(__file__).with_suffix(".toml"))
    digests = json.loads(arguments.digests.read_text())
    try:
        async with SecretClient.connect(
            network=arguments.network,
            platform=platform,
            collection=arguments.collection,
            allow_development=True,
        ) as client:
            values = await asyncio.gather(*map(client.get, digests))
    except DeniedError as error:
        print(error.reason.name)
        return DENIED
    got = dict(zip(digests, values, strict=True))
    if SHOW_SECRETS:
        print(*(one.value for one in values), sep="\n")
    check(got, digests, arguments.file)
    got["tls/key.pem"].receipt.save(arguments.receipt)
    private = [one.value for name, one in got.items() if not name.startswith("files/")]
    print(len(got), search(private, arguments.search))
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--platform", type=Path, required=True)
    parser.add_argument("--collection", required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--digests", type=Path, required=True)
    parser.add_argument("--receipt", type=Path, required=True)
    parser.add_argument("--search", type=Path, action="append", required=True)
    sys.exit(asyncio.run(run(parser.parse_args())))
