"""The example bytes of accounts, in their file and on the page, are what the code makes."""

import json
import re

from eth_account import Account
from eth_account.messages import encode_typed_data

from ledger.crypto.secp256k1 import is_valid
from ledger.format import eip712
from ledger.format.address import decode_address
from ledger.format.summary import _KINDS, _QUESTIONS
from tests.ledger_account.make_vectors import FILE, ORIGIN, build_examples, encode_file
from tests.support.documents import table
from tests.support.repository import ROOT

PAGE = (ROOT / "docs/spec/accounts.md").read_text(encoding="utf-8")
KEPT: dict[str, str] = json.loads(FILE.read_text(encoding="utf-8"))["examples"]
_SHOWN = re.compile(r"^(?P<name>[^\n`]+)\n```\n(?P<text>.*?)\n?```$", re.DOTALL | re.MULTILINE)


def test_the_vectors_are_rebuilt() -> None:
    """The file is exactly what the code makes today, with a note of its origin."""
    kept = FILE.read_text(encoding="utf-8")
    assert kept == encode_file()
    assert json.loads(kept)["origin"] == ORIGIN


def test_the_page_shows_every_example_and_no_other() -> None:
    """Each example stands once on the page, under its name."""
    shown = [(found["name"], found["text"]) for found in _SHOWN.finditer(PAGE)]
    assert sorted(shown) == sorted(build_examples().items())
    assert PAGE.count("```") == 2 * len(shown)


def test_the_page_has_the_types() -> None:
    """The three type strings stand on the page."""
    for text in (eip712.DOMAIN_TYPE, eip712.TRANSACTION_TYPE, eip712.QUERY_TYPE):
        assert f"`{text}`" in PAGE


def test_a_stranger_verifies_the_examples() -> None:
    """From the kept text alone: a wallet's library makes the digest and finds the signer."""
    message = encode_typed_data(full_message=json.loads(KEPT["transaction typed data"]))
    signature = bytes.fromhex(KEPT["transaction signature"])
    assert Account.recover_message(message, signature=signature) == KEPT["address"]
    digest = bytes.fromhex(KEPT["transaction digest"])
    assert is_valid(decode_address(KEPT["address"]), signature, digest)
    assert Account.from_key(KEPT["private key"]).address == KEPT["address"]
    assert json.loads(KEPT["transaction typed data"])["message"]["summary"] == KEPT["summary"]
    asked = encode_typed_data(full_message=json.loads(KEPT["query typed data"]))
    hashed = Account.sign_message(asked, KEPT["private key"]).message_hash
    assert bytes(hashed).hex() == KEPT["query digest"]


def test_the_page_lists_every_kind_of_question() -> None:
    """The table of questions on the page is the program's, fields and order included."""
    section = PAGE[PAGE.index("| question | fields in this order |") :]
    rows = re.findall(r"^\| `([A-Za-z]+)` \| ([^|]+) \|$", section, re.MULTILINE)
    shown = {word: [field.split(" ")[0] for field in row.split(", ")] for word, row in rows}
    assert shown == {kind.word: list(kind.fields) for kind in _QUESTIONS.values()}


def test_the_page_lists_every_kind_of_operation() -> None:
    """The table of words on the page is the program's, fields and order included."""
    rows = table("docs/spec/accounts.md", "## Summary")
    shown = {
        row[0].strip("`"): [field.split(" ")[0] for field in row[1].split(", ")] for row in rows
    }
    assert shown == {kind.word: list(kind.fields) for kind in _KINDS.values()}
