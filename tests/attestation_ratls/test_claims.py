"""Claims and tagged evidence: one spelling of each, and nothing else."""

import hashlib

import cbor2
import pytest

from attestation.errors import DecodeError
from attestation.evidence import Evidence, EvidenceKind
from attestation.ratls.cbor import decode, decode_tagged, encode
from attestation.ratls.claims import (
    MAX_CLAIMS,
    MAX_CLAIMS_BYTES,
    KeyHash,
    decode_claims,
)
from attestation.ratls.make import encode_claims, encode_extension

SPKI = b"\xd1" * 91
CLAIMS = encode_claims(SPKI)


def test_claims_have_their_bytes() -> None:
    """A map of one text to the encoded array of 1 and the digest, as the public documents say."""
    digest = hashlib.sha256(SPKI).digest()
    expected = b"\xa1\x6bpubkey-hash\x58\x24\x82\x01\x58\x20" + digest
    assert expected == CLAIMS
    claims = decode_claims(CLAIMS)
    assert claims.data == CLAIMS
    assert claims.key_hash == KeyHash(1, digest)
    assert claims.others == ()


def test_tagged_evidence_has_its_bytes() -> None:
    """Tag 60000, an array of two byte strings; the lengths are the shortest."""
    value = encode_extension(Evidence(EvidenceKind.DCAP, b"q" * 300), b"c" * 52)
    assert value == b"\xd9\xea\x60\x82\x59\x01\x2c" + b"q" * 300 + b"\x58\x34" + b"c" * 52
    assert decode_tagged(value, 60000, "it") == (b"q" * 300, b"c" * 52)


def test_there_is_no_form_for_snp() -> None:
    """No tag is registered for reports of SEV-SNP, so none is written."""
    assert encode_extension(Evidence(EvidenceKind.SNP, bytes(1184), b"vcek"), CLAIMS) is None


@pytest.mark.parametrize(
    "data",
    [
        "a0" + "00",  # something behind
        "bf" + "ff",  # indefinite map
        "a1" + "7f6161ff" + "40",  # indefinite text
        "a1" + "6161" + "5f4101ff",  # indefinite bytes
        "b800",  # a length longer than needed
        "a1" + "7801" + "61" + "40",
        "a1" + "6161" + "5800",
        "a2" + "6161" + "40" + "6161" + "40",  # a key twice
        "a1" + "4161" + "40",  # a key that is no text
        "a1" + "01" + "40",
        "a1" + "6161" + "6162",  # values that are no bytes
        "a1" + "6161" + "01",
        "a1" + "6161" + "80",
        "a1" + "6161" + "f6",
        "80",  # no map
        "40",
        "f6",
        "d9d9f7" + "a0",  # a tag around
        "a1" + "6161" + "c249" + "00" * 9,  # a tag inside
        "a1" + "61ff" + "40",  # not UTF-8
        "a1" + "6161",  # cut
        "",
        "ff",
    ],
)
def test_other_spellings_of_claims_are_refused(data: str) -> None:
    """Only definite lengths, the shortest heads, each key once, texts to byte strings."""
    with pytest.raises(DecodeError):
        decode_claims(bytes.fromhex(data))


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        encode([1]),
        encode([1, b"", b""]),
        encode([b"", 1]),
        encode(["sha-256", b""]),
        encode([-1, b""]),
        bytes.fromhex("a10140"),
        encode([True, b""]),
        encode([1, "digest"]),
        encode([[1], b""]),
        bytes.fromhex("82180140"),  # 1 in two bytes
        bytes.fromhex("9f0140ff"),  # indefinite array
        bytes.fromhex("82f93c0040"),  # 1.0
        bytes.fromhex("82c2410140"),  # 1 as a big number
        encode([1, b""]) + b"\0",
    ],
)
def test_a_key_hash_is_a_number_and_a_byte_string(entry: bytes) -> None:
    """Whatever else stands in pubkey-hash is refused."""
    with pytest.raises(DecodeError):
        decode_claims(encode({"pubkey-hash": entry}))


def test_claims_are_bounded() -> None:
    """At most 4,096 bytes and 32 claims."""
    full = {f"claim {i}": b"" for i in range(MAX_CLAIMS)}
    assert len(decode_claims(encode(full)).others) == MAX_CLAIMS
    with pytest.raises(DecodeError):
        decode_claims(encode({**full, "one more": b""}))
    longest = MAX_CLAIMS_BYTES - len(encode({"a": b""})) - 2
    assert len(encode({"a": bytes(longest)})) == MAX_CLAIMS_BYTES
    assert decode_claims(encode({"a": bytes(longest)})).others == ("a",)
    with pytest.raises(DecodeError):
        decode_claims(encode({"a": bytes(longest + 1)}))


def test_keys_keep_the_order_in_which_they_came() -> None:
    """Real certificates do not sort them; what is bound are the bytes."""
    for names in (("b", "aa", "a"), ("a", "aa", "b")):
        assert decode_claims(encode(dict.fromkeys(names, b""))).others == names


@pytest.mark.parametrize("tag", [0, 1, 2, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 258, 55799, 60001])
def test_no_tag_is_interpreted(tag: int) -> None:
    """Dates, big numbers, patterns, references and the rest of what the parser knows stay shut."""
    for inner in (1, b"x", "x", [1, 2], {"a": b""}):
        item = cbor2.dumps(cbor2.CBORTag(tag, inner))
        with pytest.raises(DecodeError):
            decode(item, "it")
        with pytest.raises(DecodeError):
            decode_tagged(item, 60000, "it")
        with pytest.raises(DecodeError):
            decode_tagged(cbor2.dumps(cbor2.CBORTag(60000, cbor2.CBORTag(tag, inner))), 60000, "it")


@pytest.mark.parametrize(
    "bomb", [b"\x81", b"\xa1\x61a", b"\xd9\xea\x60", b"\xc0", b"\x9f", b"\x9b\x7f" + b"\xff" * 7]
)
def test_nesting_and_claimed_lengths_cost_nothing(bomb: bytes) -> None:
    """64 KiB of nested heads, or of lengths that nothing stands behind, are refused."""
    data = (bomb * (65_536 // len(bomb)))[:65_536]
    with pytest.raises(DecodeError):
        decode(data, "it")
    with pytest.raises(DecodeError):
        decode_tagged(data, 60000, "it")
