"""The sealed secret's header at the borders of its layout."""

import pytest

from ledger.errors import FormatError
from ledger.format import sealed as sl
from ledger.reason import Reason
from tests.ledger_format import make_vectors as v

AT = sl.encode_coordinates(v.NETWORK_ID, v.AT)
WRAP = sl.Wrap(sl.WRAP_SESSION, bytes(48))
NAMES = len("app/secrets"), len("db/password")


def refused(data: bytes) -> Reason:
    """The reason that a header is refused with, by both ways of decoding it."""
    with pytest.raises(FormatError) as refusal:
        sl.decode_header(data)
    return refusal.value.reason


def test_the_layout_is_the_specified_one() -> None:
    """Every field stands where the specification says."""
    assert AT[0] == 1
    assert AT[1] == v.AT.mode
    assert AT[2:6] == v.AT.epoch.to_bytes(4, "big")
    assert AT[6:38] == v.NETWORK_ID
    assert AT[38:70] == v.WRITER
    assert AT[70:86] == v.AT.record_id
    assert AT[86:98] == bytes((11,)) + b"app/secrets"
    assert AT[98:] == bytes((11,)) + b"db/password"
    header = sl.encode_header(AT, (WRAP,))
    assert header == AT + b"\x01" + b"\x01\x00\x30" + bytes(48)
    assert sl.header_length(header + bytes(99)) == len(header)


@pytest.mark.parametrize("version, mode", [(0, 1), (2, 1), (255, 1), (1, 0)])
def test_other_versions_and_no_mode_are_refused(version: int, mode: int) -> None:
    """Version 1 with a mode is all that decodes."""
    header = sl.encode_header(bytes((version, mode)) + AT[2:], (WRAP,))
    assert refused(header) is Reason.MALFORMED


@pytest.mark.parametrize("name", [b"", b"a//b", b"\xc3\xa9", b"a b", b".", b"x" * 201])
def test_names_in_a_header_are_names(name: bytes) -> None:
    """A collection or a name that is none is MALFORMED, ASCII or not."""
    good = bytes((3,)) + b"app"
    bad = bytes((len(name),)) + name
    for names in (good + bad, bad + good):
        header = sl.encode_header(AT[:86] + names, (WRAP,))
        assert refused(header) is Reason.MALFORMED


@pytest.mark.parametrize("count", [0, 9, 255])
def test_one_to_eight_wraps(count: int) -> None:
    """No wrap and more than eight are MALFORMED."""
    assert refused(AT + bytes((count,)) + b"\x01\x00\x00" * count) is Reason.MALFORMED
    for possible in (1, 8):
        header = sl.encode_header(AT, (WRAP,) * possible)
        assert sl.decode_header(header).wraps == (WRAP,) * possible


def test_a_wrap_has_a_limit() -> None:
    """2,048 bytes of a wrap are accepted, one more is MALFORMED, by both ways of decoding."""
    for size in (2048, 2049):
        header = sl.encode_header(AT, (sl.Wrap(7, bytes(size)),))
        if size == sl.MAX_WRAP_BYTES:
            assert sl.decode_header(header).wraps[0].data == bytes(size)
        else:
            assert refused(header) is Reason.MALFORMED
            with pytest.raises(FormatError):
                sl.open_header(header, v.NETWORK_ID, v.AT)


def test_a_header_has_a_limit() -> None:
    """A header of 4,096 bytes is accepted; one more, or a wrap that says so, is TOO_LARGE."""
    rest = sl.MAX_HEADER_BYTES - len(AT) - 1 - 2 * 3 - 2048
    for more in (0, 1):
        header = sl.encode_header(AT, (sl.Wrap(1, bytes(2048)), sl.Wrap(2, bytes(rest + more))))
        if more:
            assert refused(header) is Reason.TOO_LARGE
            with pytest.raises(FormatError) as split:
                sl.split_sealed(header + bytes(16))
            assert split.value.reason is Reason.TOO_LARGE
        else:
            assert sl.split_sealed(header + bytes(16)) == (header, bytes(16))
    promised = AT + b"\x01\x01\xff\xff"
    with pytest.raises(FormatError) as refusal:
        sl.header_length(promised)
    assert refusal.value.reason is Reason.TOO_LARGE


def test_a_cut_header_is_refused() -> None:
    """Each cut of a header, and bytes behind it, are MALFORMED, by both ways of decoding."""
    header = sl.encode_header(AT, (WRAP, WRAP))
    changed = [header[:size] for size in range(len(header))]
    for data in [*changed, header + b"\0"]:
        assert refused(data) is Reason.MALFORMED
        if data.startswith(AT):
            with pytest.raises(FormatError):
                sl.open_header(data, v.NETWORK_ID, v.AT)
        else:
            assert sl.open_header(data, v.NETWORK_ID, v.AT) is None


@pytest.mark.parametrize("size", [0, 1, 15])
def test_a_ciphertext_holds_its_tag(size: int) -> None:
    """Fewer bytes than the tag behind the header are MALFORMED."""
    with pytest.raises(FormatError, match="tag"):
        sl.split_sealed(v.HEADER + bytes(size))
    assert sl.split_sealed(v.HEADER + bytes(16)) == (v.HEADER, bytes(16))


def test_both_ways_of_decoding_agree() -> None:
    """A header opened for its own coordinates is the decoded one."""
    assert sl.open_header(v.HEADER, v.NETWORK_ID, v.AT) == sl.decode_header(v.HEADER)


def test_the_digest_covers_header_and_ciphertext() -> None:
    """Each byte of a sealed secret changes its digest."""
    digests = {sl.digest_of(v.SEALED)}
    for at in range(len(v.SEALED)):
        changed = v.SEALED[:at] + bytes((v.SEALED[at] ^ 1,)) + v.SEALED[at + 1 :]
        try:
            digests.add(sl.digest_of(changed))
        except FormatError:
            digests.add(changed)
    assert len(digests) == len(v.SEALED) + 1
