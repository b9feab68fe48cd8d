"""Files from others: whatever their text is, it costs little and fails as what it is."""

from collections.abc import Callable

import pytest

from enclave_client.errors import SealedgerClientError
from enclave_client.network_file import NetworkFile
from enclave_client.policy_file import decode_policy_file, decode_single_policy
from enclave_client.release_file import decode_release_file
from enclave_client.toml_files import MAX_DOTS, decode_table

Reader = Callable[[bytes], object]
READERS: tuple[Reader, ...] = (
    NetworkFile.parse,
    decode_policy_file,
    decode_single_policy,
    decode_release_file,
)
NASTY = {
    "a key of 30,000 parts": b".".join([b"a"] * 30_000) + b" = 1",
    "a table of 30,000 parts": b"[" + b".".join([b"a"] * 30_000) + b"]",
    "an inline key of 30,000 parts": b"x = {" + b" . ".join([b"a"] * 15_000) + b" = 1}",
    "deep arrays": b"a = " + b"[" * 60_000,
    "deep tables": b"a = " + b"{a = " * 10_000,
    "a number of many digits": b"a = " + b"9" * 60_000,
    "no UTF-8": b'a = "\xed\xa0\x80"',
    "a character that is not for text": b'a = "\x1b"',
}


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("name", NASTY)
def test_nasty_text_is_refused_at_once(read: Reader, name: str) -> None:
    """Attack: a file that somebody gave, made to take minutes or to end in a trace."""
    with pytest.raises(SealedgerClientError, match="not TOML"):
        read(NASTY[name])


def test_honest_text_is_read() -> None:
    """Dots are no rarity: numbers, addresses and keys have them."""
    line = b"a = [" + b", ".join([b'"127.0.0.1:8700"'] * (MAX_DOTS // 3)) + b"]\n"
    assert decode_table(line + b"b.c.d = 1.5\n")["b"] == {"c": {"d": 1.5}}
