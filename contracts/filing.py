"""Files in the state: things under a name, in numbered places without gaps.

When one is taken out, the last takes its place; so a file is walked with reads alone, and filing
and taking out cost the same however many there are. Two kinds are kept: policies, by digest, under
what their matches name; and names of releases, under the enclaves that they measure.
Not here: what is filed where (`admission`, `registry`).
"""

from collections.abc import Iterator

from ledger import keys

from contracts.errors import StateError
from contracts.view import Changes, StateView

NUMBER_BYTES = 4


def count_filed(view: StateView, name: bytes) -> int:
    """How many things are filed under a name."""
    return read_number(view.get(keys.admission(name)))


def filed_under(view: StateView, name: bytes) -> Iterator[bytes]:
    """What is filed under a name, by place."""
    for place in range(count_filed(view, name)):
        yield row_of(view, keys.filed_policy(name, place))


def file_under(state: Changes, name: bytes, thing: bytes) -> None:
    """File a thing that is not there yet."""
    place = count_filed(state, name)
    state.put(keys.filed_policy(name, place), thing)
    state.put(keys.place_of_policy(name, thing), write_number(place))
    state.put(keys.admission(name), write_number(place + 1))


def take_out(state: Changes, name: bytes, thing: bytes) -> None:
    """Take out a thing that is there."""
    place = read_number(row_of(state, keys.place_of_policy(name, thing)))
    last = read_number(row_of(state, keys.admission(name))) - 1
    moved = row_of(state, keys.filed_policy(name, last))
    state.put(keys.filed_policy(name, place), moved)
    state.put(keys.place_of_policy(name, moved), write_number(place))
    state.put(keys.filed_policy(name, last), None)
    state.put(keys.place_of_policy(name, thing), None)
    state.put(keys.admission(name), write_number(last) if last else None)


def row_of(view: StateView, key: bytes) -> bytes:
    """A row that has to be there; StateError if it is not."""
    row = view.get(key)
    if row is None:
        raise StateError("the files of the state have a gap")
    return row


def write_number(number: int) -> bytes:
    """4 bytes."""
    return number.to_bytes(NUMBER_BYTES, "big")


def read_number(data: bytes | None) -> int:
    """The number of 4 bytes; 0 for no row."""
    if data is None:
        return 0
    if len(data) != NUMBER_BYTES:
        raise StateError("files of the state: wrong length")
    return int.from_bytes(data, "big")
