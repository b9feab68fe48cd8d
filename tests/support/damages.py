"""Every kind of damage to a ledger's rows that fsck must name.

Each function takes the rows, damages them, and says how the first finding must begin (a pattern).
The rows are those of a ledger whose entries are, in order: genesis, OpenSession, header, three
puts of which the first two are of one name, header, a read, a delete, a read, header, and so on.
"""

from collections.abc import Callable
from dataclasses import replace

from ledger import keys
from ledger.format.leaf import BlockHeader, TransactionLeaf, decode_leaf, encode_leaf
from ledger.format.stored import decode_stored, encode_stored
from tests.support.small_ledger import COLLECTION

NAME = "planted-name"

Rows = dict[bytes, bytes]
Damage = Callable[[Rows], str]


def _first(rows: Rows, kind: type, skip: int = 0) -> tuple[int, bytes]:
    found = [
        (int.from_bytes(key[1:], "big"), value)
        for key, value in sorted(rows.items())
        if key[:1] == b"e" and isinstance(decode_leaf(value), kind)
    ]
    return found[skip]


def _last(rows: Rows) -> int:
    return keys.decode_head(rows[keys.HEAD]).size - 1


def _missing_entry(rows: Rows) -> str:
    del rows[keys.entry(5)]
    return "entry 5: it is missing"


def _missing_operations(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 2)
    del rows[keys.operations(index)]
    return f"entry {index}: its operations are missing"


def _missing_evidence(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf)
    del rows[keys.payload(index, 0)]
    return f"entry {index}: its evidence is missing"


def _missing_tile(rows: Rows) -> str:
    del rows[keys.tile(0, 1)]
    return "tiles: tile 1 of level 0 is missing"


def _missing_state(rows: Rows) -> str:
    del rows[keys.head_of(COLLECTION, NAME)]
    return "state: the head of a secret .* is missing"


def _missing_head(rows: Rows) -> str:
    del rows[keys.HEAD]
    return "the head: the data directory holds no ledger"


def _missing_genesis(rows: Rows) -> str:
    del rows[keys.GENESIS]
    return "genesis: the data belong to another genesis"


def _spelled_signature(rows: Rows) -> str:
    index, data = _first(rows, TransactionLeaf, 4)
    leaf = decode_leaf(data)
    assert isinstance(leaf, TransactionLeaf)
    spoiled = replace(leaf, signature=leaf.signature[:-1] + bytes((leaf.signature[-1] ^ 1,)))
    rows[keys.entry(index)] = encode_leaf(spoiled)
    return f"entry {index}: sign the body with the signer's own key"


def _another_outcome(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 3)
    stored = decode_stored(rows[keys.operations(index)])
    other = decode_stored(rows[keys.operations(_first(rows, TransactionLeaf, 5)[0])])
    rows[keys.operations(index)] = encode_stored(replace(stored, outcomes=other.outcomes))
    return f"entry {index}: its outcomes are not what the rules give"


def _another_operation(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 3)
    rows[keys.operations(index)] = rows[keys.operations(_first(rows, TransactionLeaf, 5)[0])]
    return f"entry {index}: .*the body does not commit to these operations"


def _another_outcome_digest(rows: Rows) -> str:
    index, data = _first(rows, TransactionLeaf, 4)
    leaf = decode_leaf(data)
    assert isinstance(leaf, TransactionLeaf)
    rows[keys.entry(index)] = encode_leaf(replace(leaf, outcome_digests=(bytes(32),)))
    return f"entry {index}: its leaf is not what the rules give"


def _repeated_transaction(rows: Rows) -> str:
    index, data = _first(rows, TransactionLeaf, 3)
    first, again = _first(rows, TransactionLeaf, 1)
    leaf, other = decode_leaf(data), decode_leaf(again)
    assert isinstance(leaf, TransactionLeaf)
    assert isinstance(other, TransactionLeaf)
    rows[keys.entry(index)] = encode_leaf(replace(other, height=leaf.height, time_ms=leaf.time_ms))
    rows[keys.operations(index)] = rows[keys.operations(first)]
    return f"entry {index}: it repeats the transaction of entry {first}"


def _another_verdict(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf)
    stored = decode_stored(rows[keys.operations(index)])
    rows[keys.operations(index)] = encode_stored(replace(stored, outcomes=(b"\x08\x01",)))
    return f"entry {index}: the evidence was not judged"


def _later_block(rows: Rows) -> str:
    index, data = _first(rows, BlockHeader, 2)
    header = decode_leaf(data)
    assert isinstance(header, BlockHeader)
    rows[keys.entry(index)] = encode_leaf(replace(header, time_ms=header.time_ms + 1))
    return f"entry {index}: its time is not its block's"


def _higher_block(rows: Rows) -> str:
    index, data = _first(rows, BlockHeader, 2)
    header = decode_leaf(data)
    assert isinstance(header, BlockHeader)
    rows[keys.entry(index)] = encode_leaf(replace(header, height=header.height + 1))
    return f"entry {index}: it says height {header.height + 1}, expected {header.height}"


def _another_epoch(rows: Rows) -> str:
    index, data = _first(rows, BlockHeader, 2)
    header = decode_leaf(data)
    assert isinstance(header, BlockHeader)
    rows[keys.entry(index)] = encode_leaf(replace(header, epoch=2))
    return f"entry {index}: its header is not what the entries before it make"


def _no_last_header(rows: Rows) -> str:
    del rows[keys.entry(_last(rows))]
    return "entry .*: it is missing"


def _shorter_head(rows: Rows) -> str:
    head = keys.decode_head(rows[keys.HEAD])
    rows[keys.HEAD] = replace(head, size=head.size - 1).encode()
    return "the database: a row stands beyond the last entry"


def _another_root(rows: Rows) -> str:
    head = keys.decode_head(rows[keys.HEAD])
    rows[keys.HEAD] = replace(head, root=bytes(32)).encode()
    return "the head: size, root, height or time"


def _another_height(rows: Rows) -> str:
    head = keys.decode_head(rows[keys.HEAD])
    rows[keys.HEAD] = replace(head, height=head.height + 1).encode()
    return "the head: size, root, height or time"


def _another_genesis_leaf(rows: Rows) -> str:
    rows[keys.entry(0)] = rows[keys.entry(1)]
    return "entry 0: it is not the one that genesis makes"


def _second_genesis(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 3)
    rows[keys.entry(index)] = rows[keys.entry(0)]
    return f"entry {index}: a second genesis"


def _no_leaf_at_all(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 3)
    rows[keys.entry(index)] = b"\xff\xff"
    return f"entry {index}: "


def _operations_beside_a_header(rows: Rows) -> str:
    index, _ = _first(rows, BlockHeader, 1)
    rows[keys.operations(index)] = rows[keys.operations(_first(rows, TransactionLeaf)[0])]
    return f"entry {index}: operations stand beside an entry that is no transaction"


def _operations_beyond_the_end(rows: Rows) -> str:
    rows[keys.operations(_last(rows) + 1)] = b""
    return "the database: a row stands beyond the last entry"


def _payload_beside_a_header(rows: Rows) -> str:
    index, _ = _first(rows, BlockHeader, 1)
    rows[keys.payload(index, 0)] = b"value"
    return f"payload 0 of entry {index}: it belongs to no operation"


def _payload_of_a_read(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 4)
    rows[keys.payload(index, 0)] = rows[keys.payload(_first(rows, TransactionLeaf, 1)[0], 0)]
    return f"payload 0 of entry {index}: it belongs to no operation"


def _payload_of_another_put(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 1)
    rows[keys.payload(index, 0)] = rows[keys.payload(_first(rows, TransactionLeaf, 2)[0], 0)]
    return f"payload 0 of entry {index}: a payload is not what its operation names"


def _changed_payload(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 1)
    payload = rows[keys.payload(index, 0)]
    rows[keys.payload(index, 0)] = payload[:-1] + bytes((payload[-1] ^ 1,))
    return f"payload 0 of entry {index}: a payload is not what its operation names"


def _changed_evidence(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf)
    rows[keys.payload(index, 0)] = b"other evidence"
    return f"payload 0 of entry {index}: a payload is not what its operation names"


def _payload_with_a_bad_key(rows: Rows) -> str:
    index, _ = _first(rows, TransactionLeaf, 1)
    rows[keys.payload(index, 0) + b"\0"] = b"value"
    return f"entry {index}: a payload has a bad key"


def _entry_with_a_bad_key(rows: Rows) -> str:
    rows[keys.entry(4) + b"\0"] = b"value"
    return "the database: a row near entry 0000000000000004 has a bad key"


def _changed_tile(rows: Rows) -> str:
    tile = rows[keys.tile(0, 0)]
    rows[keys.tile(0, 0)] = tile[:32] + bytes(32) + tile[64:]
    return "tiles: tile 0 of level 0 is not what the entries make of it"


def _more_tiles(rows: Rows) -> str:
    rows[keys.tile(5, 0)] = bytes(32)
    return "tiles: tile 0 of level 5 stands in the store and should not"


def _changed_state(rows: Rows) -> str:
    key = keys.head_of(COLLECTION, NAME)
    rows[key] = rows[key][:-1] + b"X"
    return "state: the head of a secret .* is not what the entries make of it"


def _more_state(rows: Rows) -> str:
    rows[keys.session(bytes(32))] = b"forged"
    return "state: a session .* stands in the store and should not"


def _foreign_row(rows: Rows) -> str:
    rows[b"zebra"] = b"1"
    return "the database: a row of unknown kind .* stands in the store and should not"


def _foreign_row_beside_the_head(rows: Rows) -> str:
    rows[b"m\0"] = b"1"
    return "the database: a row of unknown kind"


DAMAGES: dict[str, Damage] = {
    "missing entry": _missing_entry,
    "missing operations": _missing_operations,
    "missing evidence": _missing_evidence,
    "missing tile": _missing_tile,
    "missing state": _missing_state,
    "missing head": _missing_head,
    "missing genesis": _missing_genesis,
    "spelled signature": _spelled_signature,
    "another outcome": _another_outcome,
    "another operation": _another_operation,
    "another outcome digest": _another_outcome_digest,
    "repeated transaction": _repeated_transaction,
    "another verdict": _another_verdict,
    "later block": _later_block,
    "higher block": _higher_block,
    "another epoch": _another_epoch,
    "no last header": _no_last_header,
    "shorter head": _shorter_head,
    "another root": _another_root,
    "another height": _another_height,
    "another genesis leaf": _another_genesis_leaf,
    "second genesis": _second_genesis,
    "no leaf at all": _no_leaf_at_all,
    "operations beside a header": _operations_beside_a_header,
    "operations beyond the end": _operations_beyond_the_end,
    "payload beside a header": _payload_beside_a_header,
    "payload of a read": _payload_of_a_read,
    "payload of another put": _payload_of_another_put,
    "changed payload": _changed_payload,
    "changed evidence": _changed_evidence,
    "payload with a bad key": _payload_with_a_bad_key,
    "entry with a bad key": _entry_with_a_bad_key,
    "changed tile": _changed_tile,
    "more tiles": _more_tiles,
    "changed state": _changed_state,
    "more state": _more_state,
    "foreign row": _foreign_row,
    "foreign row beside the head": _foreign_row_beside_the_head,
}
