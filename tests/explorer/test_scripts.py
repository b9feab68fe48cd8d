"""The explorer's scripts without a browser: their own tests, and their tables against ours."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from ledger.format.eip712 import query_typed_data
from ledger.format.leaf import MAX_LEAF_BYTES
from ledger.format.operation import MAX_OPERATION_BYTES
from ledger.format.outcome import (
    MAX_COLLATERAL_VERDICT_BYTES,
    MAX_OUTCOME_BYTES,
    MAX_VERDICT_BYTES,
)
from ledger.format.platforms import PlatformVote
from ledger.format.query import OpenEntries, Query, decode_query, query_hash
from ledger.format.summary import summarize_question
from ledger.format.transaction import MAX_BODY_BYTES, SignerKind
from ledger.log.proof_file import MAX_EXTRA_BYTES
from ledger.log.tiles import EntryBundle, encode_path
from ledger.reason import Reason
from node.http.explorer_routes import FOLDER
from sealedger.v1 import attestation_pb2, ledger_pb2

HERE = Path(__file__).parent
SUITES = sorted(path.name for path in HERE.glob("*.test.mjs"))
# What makes markup or code of data, or keeps something after the page is closed.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|"
    r"localStorage|sessionStorage|indexedDB|document\.cookie|https?://(?!www\.w3\.org/2000/svg)"
)
_TYPES = {
    FieldDescriptor.TYPE_UINT64: "u64",
    FieldDescriptor.TYPE_UINT32: "u32",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_ENUM: "enum",
    FieldDescriptor.TYPE_MESSAGE: "message",
}


@pytest.fixture(scope="module")
def dumped(node_js: str) -> dict[str, Any]:
    """What the scripts' tables say."""
    found = subprocess.run(
        (node_js, HERE / "dump.mjs"), capture_output=True, text=True, check=True, timeout=60
    )
    parsed = json.loads(found.stdout)
    assert isinstance(parsed, dict)
    return parsed


@pytest.mark.parametrize("suite", SUITES)
def test_suite(node_js: str, suite: str) -> None:
    """The scripts' own tests of proofs, notes, messages and files pass."""
    found = subprocess.run(
        (node_js, "--test", HERE / suite),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=dict(os.environ),
    )
    assert found.returncode == 0, found.stdout
    assert re.search(r"^# pass [1-9]", found.stdout, re.MULTILINE), found.stdout


def fields_of(message: Descriptor) -> list[dict[str, Any]]:
    """A message's fields as the scripts' tables have them."""
    return [
        {
            "number": field.number,
            "name": field.name,
            "type": _TYPES[field.type],
            "message": field.message_type.name if field.message_type else None,
            "repeated": field.is_repeated,
            "optional": field.has_presence and _group_of(field) is None and not field.message_type,
            "group": _group_of(field),
        }
        for field in message.fields
    ]


def _group_of(field: FieldDescriptor) -> str | None:
    """The alternatives that it is one of; `optional` makes a group of one by itself: none."""
    group = field.containing_oneof
    return None if group is None or group.name.startswith("_") else group.name


def test_messages_are_ours(dumped: dict[str, Any]) -> None:
    """Every message that the scripts read has exactly the fields of the .proto files."""
    ours = {**ledger_pb2.DESCRIPTOR.message_types_by_name}
    ours |= attestation_pb2.DESCRIPTOR.message_types_by_name
    assert len(dumped["messages"]) > 25
    for name, fields in dumped["messages"].items():
        assert fields == fields_of(ours[name]), name


def test_limits_are_ours(dumped: dict[str, Any]) -> None:
    """The scripts' greatest sizes are those of the formats."""
    limits = dumped["limits"]
    assert limits["Operation"] == MAX_OPERATION_BYTES
    assert limits["Outcome"] == MAX_OUTCOME_BYTES
    assert limits["Leaf"] == MAX_LEAF_BYTES
    assert limits["Body"] == MAX_BODY_BYTES
    assert limits["Opening"] == MAX_EXTRA_BYTES
    assert limits["AttestationVerdict"] == MAX_VERDICT_BYTES
    assert limits["CollateralVerdict"] == MAX_COLLATERAL_VERDICT_BYTES


def test_words_are_ours(dumped: dict[str, Any]) -> None:
    """Reasons, kinds of signers and of votes on platforms have the same numbers and names."""
    assert {int(at): name for at, name in dumped["reasons"].items()} == {
        reason.value: reason.name for reason in Reason
    }
    assert {int(at): name for at, name in dumped["signers"].items()} == {
        kind.value: kind.name.lower().replace("_", " ") for kind in SignerKind
    }
    assert {int(at): word for at, word in dumped["votes"].items()} == {
        vote.value: vote.word.replace("-", " ") for vote in PlatformVote
    }


def test_paths_are_ours(dumped: dict[str, Any]) -> None:
    """Bundles are asked for by their one path."""
    for index, path in dumped["paths"].items():
        assert encode_path(EntryBundle(int(index), 256)) == f"tile/entries/{path}"


def test_questions_are_ours(dumped: dict[str, Any]) -> None:
    """A question made by the scripts decodes, and its wallet shows what we would have it show."""
    for asked in dumped["asked"]:
        body = bytes.fromhex(asked["query"])
        query = decode_query(body)
        assert isinstance(query, Query)
        assert isinstance(query.question, OpenEntries)
        assert query.signer_kind is SignerKind.ACCOUNT
        summary = summarize_question(query.question)
        wanted = query_typed_data(query.network_id, query.time_ms, summary, query_hash(body))
        assert asked["typedData"] == wanted


def test_no_markup_of_data() -> None:
    """No script makes markup or code of data, keeps anything, or names another address."""
    scripts = sorted(FOLDER.glob("*.js"))
    assert len(scripts) > 15
    for path in (*scripts, FOLDER / "index.html", FOLDER / "style.css"):
        assert FORBIDDEN.findall(path.read_text()) == [], path.name
    page = (FOLDER / "index.html").read_text()
    assert re.findall(r"<script(?! type=\"module\" src=\"app\.js\"></script>)", page) == []
    assert "style=" not in page
    assert re.findall(r"\son\w+=", page) == []
