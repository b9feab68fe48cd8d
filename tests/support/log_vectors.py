"""The log's example bytes: built from fixed keys and leaves, kept in tests/vectors/log.

`python -m tests.support.log_vectors` writes the file anew; a test compares it and the examples in
docs/spec/log.md with what is built here.
"""

import json
from pathlib import Path

from ledger.log.checkpoint import Checkpoint, encode_checkpoint
from ledger.log.cosignature import cosignature_message
from ledger.log.merkle import EMPTY_ROOT, leaf_hash
from ledger.log.note import encode_vkey
from ledger.log.proof_file import ProofFile, encode_proof_file
from ledger.log.tiles import EntryBundle, HashTile, encode_bundle, encode_path
from ledger.log.tree import Tree
from tests.support.log_reference import MemoryTiles
from tests.support.log_signers import TIME_S, cosigner, log_signer, signed_note

REPOSITORY = Path(__file__).parents[2]
OURS = REPOSITORY / "tests/vectors/log/examples.json"
PUBLIC = REPOSITORY / "tests/vectors/log/public.json"

ENTRIES = (b"", b"one", b"two", b"three", b"four")
ORIGIN = "dev.example.org/log/1"


def build_examples() -> dict[str, str]:
    """Every example of docs/spec/log.md by its name there; bytes that are not text as hex."""
    tiles = MemoryTiles()
    tree = Tree.open(tiles, 0)
    tiles.persist(tree.append([leaf_hash(entry) for entry in ENTRIES]).tiles)
    log, core = log_signer(ORIGIN), cosigner("core-a.example.org")
    checkpoint = Checkpoint(ORIGIN, tree.size, tree.root())
    text = encode_checkpoint(checkpoint)
    note = signed_note(checkpoint, (log, core))
    proof = ProofFile(2, tree.inclusion_proof(2, tree.size), note, b"opened")
    return {
        "empty root": EMPTY_ROOT.hex(),
        "leaf hash of the empty entry": leaf_hash(b"").hex(),
        "root of the five entries": tree.root().hex(),
        "tile 0/0 of the five entries": tiles.tiles[0, 0].hex(),
        "bundle of the five entries": encode_bundle(ENTRIES).hex(),
        "path of tile 1,234,067 of level 0": encode_path(HashTile(0, 1_234_067)),
        "path of the first 5 entries": encode_path(EntryBundle(0, 5)),
        "inclusion proof of entry 2": "".join(value.hex() for value in proof.hashes),
        "consistency proof from 3 to 5": "".join(v.hex() for v in tree.consistency_proof(3, 5)),
        "log key": encode_vkey(log.key),
        "cosigner key": encode_vkey(core.key),
        "checkpoint": text.decode(),
        "cosigned message": cosignature_message(text, TIME_S).decode(),
        "signed checkpoint": note.decode(),
        "proof file": encode_proof_file(proof).decode(),
    }


def encode_examples() -> str:
    """The content of tests/vectors/log/examples.json."""
    return json.dumps(build_examples(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    OURS.write_text(encode_examples(), encoding="utf-8")
