"""The scripts' reader of messages against ours: both take the same bytes and refuse the same."""

import json
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from attestation.collateral_verdict import decode_collateral_verdict, encode_collateral_verdict
from attestation.errors import AttestationError
from attestation.verdict import decode_verdict, encode_verdict
from ledger.errors import FormatError
from ledger.format.leaf import decode_leaf
from ledger.format.operation import decode_operation, encode_operation
from ledger.format.outcome import decode_outcome
from ledger.format.platforms import PlatformVote, VotePlatform
from ledger.format.terms import CollectionTerms, CreateCollection, Destroy, FreezeCollection
from ledger.format.transaction import decode_body
from tests.support.attestation_examples import (
    COLLATERAL_VERDICT,
    SNP_VERDICT,
    TDX_IDENTITY,
    VERDICT,
)
from tests.support.repository import ROOT

JUDGE = Path(__file__).parent / "judge.mjs"
VECTORS = ROOT / "tests" / "vectors" / "formats"
ROUNDS = 400  # for each example

Decoder = Callable[[bytes], object]
DECODERS: dict[str, Decoder] = {
    "Operation": decode_operation,
    "Outcome": decode_outcome,
    "Leaf": decode_leaf,
    "Body": decode_body,
    "AttestationVerdict": decode_verdict,
    "CollateralVerdict": decode_collateral_verdict,
}
TERMS = CollectionTerms(b"readers", b"writers", (bytes(20), b"\x01" * 20), 86_400_000)


TDX_VERDICT = replace(VERDICT, identity=TDX_IDENTITY, collateral_key="tdx/00906ed50000/platform")


def examples() -> Iterator[tuple[str, bytes]]:
    """Messages of every form."""
    for file, form in (("operation", "Operation"), ("outcome", "Outcome"), ("leaf", "Leaf")):
        for name, text in json.loads((VECTORS / f"{file}.json").read_text())["examples"].items():
            wanted = name.endswith("leaf") if form == "Leaf" else name.startswith(f"{file} ")
            if wanted and not name.endswith(("digest", "salt")):
                yield form, bytes.fromhex(text)
    body = json.loads((VECTORS / "body.json").read_text())["examples"]["body"]
    yield "Body", bytes.fromhex(body)
    for verdict in (VERDICT, TDX_VERDICT, SNP_VERDICT):
        yield "AttestationVerdict", encode_verdict(verdict)
    yield "CollateralVerdict", encode_collateral_verdict(COLLATERAL_VERDICT)
    for operation in (
        CreateCollection("acme/payments", TERMS),
        FreezeCollection("acme/payments", True),
        FreezeCollection("acme/payments", False),
        Destroy("acme/payments", "db/password", 3),
        VotePlatform(b"\x11" * 16, PlatformVote.ENROL),
        VotePlatform(b"\x22" * 64, PlatformVote.REMOVE, 57),
        VotePlatform(b"\x22" * 64, PlatformVote.TAKE_BACK),
    ):
        yield "Operation", encode_operation(operation)


def spoilt(data: bytes, random_: random.Random) -> bytes:
    """The same with a few bytes changed, dropped, doubled or moved."""
    changed = bytearray(data)
    for _ in range(random_.randint(1, 3)):
        at = random_.randrange(len(changed) + 1)
        match random_.randrange(5):
            case 0 if at < len(changed):
                changed[at] ^= 1 << random_.randrange(8)
            case 1:
                del changed[at : at + random_.randint(1, 4)]
            case 2:
                changed[at:at] = changed[at : at + random_.randint(1, 40)]
            case 3:
                changed[at:at] = bytes((random_.choice((0, 1, 8, 10, 0x7F, 0x80, 0xFF)),))
            case _ if at < len(changed):
                changed[at] = random_.choice((0, 1, 2, 31, 32, 33, 64, 0x7F, 0x80, 0xFF))
    return bytes(changed)


def is_taken(form: str, data: bytes) -> bool:
    """Whether our reader takes the bytes."""
    try:
        DECODERS[form](data)
    except (FormatError, AttestationError):
        return False
    return True


def test_both_readers_agree(node_js: str) -> None:
    """Of thousands of spoilt messages both take the same ones, and some are taken."""
    random_ = random.Random(20261123)
    asked = []
    for form, data in examples():
        asked.append((form, data))
        asked += [(form, spoilt(data, random_)) for _ in range(ROUNDS)]
    said = subprocess.run(
        (node_js, JUDGE),
        input="".join(f"{form} {data.hex()}\n" for form, data in asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout.split()
    assert len(said) == len(asked) > 5000
    ours = ["yes" if is_taken(form, data) else "no" for form, data in asked]
    different = [
        (form, data.hex(), theirs)
        for (form, data), mine, theirs in zip(asked, ours, said, strict=True)
        if mine != theirs
    ]
    assert different[:3] == []
    assert ours.count("yes") > 200
    assert ours.count("no") > 2000
