"""The example bytes in tests/vectors/formats and docs/spec/formats.md are what the code makes."""

import json
import re
from hashlib import sha256

import pytest

from ledger.crypto import ed25519, p256
from ledger.format.genesis import decode_genesis, network_id
from ledger.format.receipt import decode_receipt, verify_receipt
from ledger.format.sealed import digest_of
from ledger.format.trust import decode_trust, quorum_rule
from tests.ledger_format import make_vectors as v
from tests.ledger_format.codecs import CODECS, EXAMPLE_IDS, EXAMPLES

PAGE = v.REPOSITORY / "docs/spec/formats.md"
BUILT = v.build_examples()
FILES = sorted({example.file for example in BUILT})
CODED = {"genesis", "trust_document", "body", "operation", "outcome", "leaf", "query", "release"}
_SHOWN = re.compile(r"^(?P<name>[^\n`]+)\n```\n(?P<text>.*?)\n?```$", re.DOTALL | re.MULTILINE)


def example_bytes(file: str, name: str) -> bytes:
    """One example as it stands in its file."""
    text = json.loads((v.FOLDER / f"{file}.json").read_text(encoding="utf-8"))["examples"][name]
    return text.encode() if name == "receipt file" else bytes.fromhex(text)


@pytest.mark.parametrize("file", FILES)
def test_the_vectors_are_rebuilt(file: str) -> None:
    """Each file of vectors is exactly what the code makes today, with a note of its origin."""
    kept = (v.FOLDER / f"{file}.json").read_text(encoding="utf-8")
    assert kept == v.encode_file(file)
    assert json.loads(kept)["origin"] == v.ORIGIN


def test_there_is_no_other_file_of_vectors() -> None:
    """Nothing stands in the folder that nobody rebuilds."""
    assert sorted(path.stem for path in v.FOLDER.iterdir()) == FILES


def test_the_page_shows_every_example_and_no_other() -> None:
    """Each example stands once on the page, under its name, with its bytes."""
    page = PAGE.read_text(encoding="utf-8")
    shown = [(found["name"], found["text"].rstrip("\n")) for found in _SHOWN.finditer(page)]
    assert sorted(shown) == sorted((one.name, one.text.rstrip("\n")) for one in BUILT)
    assert page.count("```") == 2 * len(BUILT)


@pytest.mark.parametrize("name, value, data", EXAMPLES, ids=EXAMPLE_IDS)
def test_examples_decode_and_encode_identically(name: str, value: object, data: bytes) -> None:
    """An example decodes to the value that it was made of, and back to the same bytes."""
    codec = CODECS[name]
    assert codec.decode(data) == value
    assert codec.encode(codec.decode(data)) == data


def test_the_kept_bytes_decode() -> None:
    """The bytes in the files, read as a stranger would, are those of the table of examples."""
    encoded = {data for _, _, data in EXAMPLES}
    kept = {
        example_bytes(one.file, one.name)
        for one in BUILT
        if one.file in CODED
        and not one.name.endswith(("digest", "salt", "id", "hash", "signed query"))
    }
    assert len(kept) == 55
    assert kept <= encoded


def test_the_examples_are_one_network() -> None:
    """The receipt of the examples verifies from the bytes of genesis alone."""
    genesis = example_bytes("genesis", "genesis")
    rule = quorum_rule(decode_trust(decode_genesis(genesis).trust))
    receipt = decode_receipt(example_bytes("receipt", "receipt file"))
    verified = verify_receipt(receipt, rule, network_id(genesis))
    assert verified.index == v.READ_INDEX
    assert verified.opened[0].outcome.detail == v.GRANTED
    assert v.GRANTED.sealed_digest == digest_of(example_bytes("sealed_secret", "sealed secret"))


def test_the_signature_of_the_examples_verifies() -> None:
    """The envelope's signature is the session key's over the message on the page."""
    message = example_bytes("envelope", "signed message")
    assert message == b"sealedger/transaction/1\0" + v.NETWORK_ID + v.ENVELOPE.body
    public = example_bytes("envelope", "session public key")
    assert p256.is_valid(public, v.ENVELOPE.signature, message)
    assert not ed25519.is_valid(public[1:], v.ENVELOPE.signature, message)


def test_the_hash_formulas_of_the_page() -> None:
    """Every digest of the examples is the formula that the page gives, written out here."""

    def of(file: str, name: str) -> bytes:
        return example_bytes(file, name)

    def hashed(*parts: bytes) -> bytes:
        return sha256(b"".join(parts)).digest()

    salt = of("operation", "salt")
    assert of("genesis", "network id") == hashed(of("genesis", "genesis"))
    assert of("trust_document", "trust digest") == hashed(
        b"sealedger/trust/1\0", of("trust_document", "trust document")
    )
    assert of("operation", "operation digest") == hashed(salt, of("operation", "operation Read"))
    assert of("outcome", "outcome salt") == hashed(b"outcome\0", salt)
    assert of("outcome", "outcome digest") == hashed(
        of("outcome", "outcome salt"), of("outcome", "outcome ReadGranted")
    )
    assert of("body", "transaction hash") == hashed(of("body", "body"))
    assert of("keys", "leaf hash") == hashed(b"\0", of("leaf", "transaction leaf"))
    header, sealed = of("sealed_secret", "sealed header"), of("sealed_secret", "sealed secret")
    assert of("sealed_secret", "sealed digest") == hashed(
        b"sealedger/sealed/1\0", header, hashed(sealed[len(header) :])
    )
    assert header.startswith(of("sealed_secret", "coordinates"))
