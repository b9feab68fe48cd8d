"""What accounts sign, compared with eth-account, which wallets agree with."""

import json
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.crypto.secp256k1 import SigningKey, recover_address
from ledger.crypto.secret import Secret
from ledger.errors import FormatError
from ledger.format import eip712
from ledger.format.address import encode_address

SEED = bytes(range(1, 33))
KEY = SigningKey(Secret(SEED))
GOOD: dict[str, Any] = {"network": b"n" * 32, "number": 7, "summary": "Read x", "body": b"b" * 32}
KINDS = {
    "transaction": (eip712.transaction_digest, eip712.transaction_typed_data),
    "query": (eip712.query_digest, eip712.query_typed_data),
}
b32 = st.binary(min_size=32, max_size=32)
u64 = st.integers(0, 2**64 - 1)
texts = st.text(st.characters(max_codepoint=127), max_size=300)


def called(function: Any, **changed: Any) -> Any:
    """A digest or typed-data function with the good arguments, some of them changed."""
    arguments = {**GOOD, **changed}
    return function(
        arguments["network"], arguments["number"], arguments["summary"], arguments["body"]
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(b32, u64, texts, b32)
def test_wallets_sign_the_same(
    kind: str, network: bytes, number: int, summary: str, body: bytes
) -> None:
    """eth-account, given our JSON, signs our digest: same signature, same signer."""
    make_digest, make_typed = KINDS[kind]
    digest = make_digest(network, number, summary, body)
    message = encode_typed_data(
        full_message=json.loads(json.dumps(make_typed(network, number, summary, body)))
    )
    theirs = Account.sign_message(message, SEED)
    assert bytes(theirs.message_hash) == digest
    assert bytes(theirs.signature) == KEY.sign(digest)
    assert recover_address(digest, bytes(theirs.signature)) == KEY.address
    assert Account.recover_message(message, signature=KEY.sign(digest)) == encode_address(
        KEY.address
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_signed(kind: str) -> None:
    """Changing any field changes the digest; so does the kind."""
    make_digest, _ = KINDS[kind]
    digests = {called(make_digest, **change) for change in (
        {}, {"network": b"m" * 32}, {"number": 8}, {"summary": "Read y"}, {"body": b"c" * 32},
    )}  # fmt: skip
    assert len(digests) == 5
    assert called(eip712.transaction_digest) != called(eip712.query_digest)


@pytest.mark.parametrize("function", [one for pair in KINDS.values() for one in pair])
@pytest.mark.parametrize(
    "changed",
    [
        {"network": b"n" * 31},
        {"network": b"n" * 31 + b"\0\0"},
        {"network": b""},
        {"body": b"b" * 33},
        {"body": b"b" * 31},
        {"number": -1},
        {"number": 2**64},
        {"summary": "Read caf\u00e9"},
        {"summary": "Read \ud800"},
    ],
)
def test_padded_and_wide_fields_are_refused(function: Any, changed: dict[str, Any]) -> None:
    """Fields of another width, numbers beyond 64 bits, texts that are not ASCII: FormatError."""
    with pytest.raises(FormatError):
        called(function, **changed)


def test_the_oracle_is_lenient_where_we_are_not() -> None:
    """eth-account pads a short field to another digest without a word: why it only tests here."""
    typed = json.loads(json.dumps(called(eip712.transaction_typed_data)))
    typed["message"]["network"] = "0x" + "6e" * 31
    padded = Account.sign_message(encode_typed_data(full_message=typed), SEED)
    assert bytes(padded.message_hash) == called(
        eip712.transaction_digest, network=b"n" * 31 + b"\0"
    )


def test_typed_data_is_exactly_what_the_types_say() -> None:
    """The JSON has the four members, the domain's fields, and the message's fields in order."""
    typed = called(eip712.transaction_typed_data)
    assert list(typed) == ["types", "primaryType", "domain", "message"]
    assert typed["domain"] == {"name": "Sealedger", "version": "1"}
    assert typed["primaryType"] == "Transaction"
    assert typed["types"]["EIP712Domain"] == [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
    ]
    assert [f"{m['type']} {m['name']}" for m in typed["types"]["Transaction"]] == [
        "bytes32 network", "uint64 nonce", "string summary", "bytes32 bodyHash",
    ]  # fmt: skip
    assert list(typed["message"]) == [m["name"] for m in typed["types"]["Transaction"]]
    asked = called(eip712.query_typed_data)
    assert list(asked["message"]) == [m["name"] for m in asked["types"]["Query"]]


def test_great_numbers_survive_json() -> None:
    """A nonce beyond 2^53 stays itself in a wallet's JavaScript: it is text."""
    typed = called(eip712.transaction_typed_data, number=2**64 - 1)
    assert json.loads(json.dumps(typed))["message"]["nonce"] == "18446744073709551615"
