"""Addresses in text: EIP-55 checksums, strictly."""

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.format.address import decode_address, encode_address
from tests.support.mutation import mutations

# from the specification of EIP-55
PUBLISHED = (
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)
MIXED = PUBLISHED[4]
addresses = st.binary(min_size=20, max_size=20)


@pytest.mark.parametrize("text", PUBLISHED)
def test_published_addresses(text: str) -> None:
    """The specification's examples decode, and encode to themselves."""
    assert encode_address(decode_address(text)) == text


@given(addresses)
def test_round_trip_and_oracle(address: bytes) -> None:
    """Every address comes back, and is written as an independent library writes it."""
    text = encode_address(address)
    assert text == to_checksum_address(address)
    assert decode_address(text) == address
    assert decode_address(text.lower(), allow_lower=True) == address


@pytest.mark.parametrize(
    "text",
    [
        MIXED.lower(),
        "0x" + MIXED[2:].upper(),
        MIXED[:-1] + MIXED[-1].swapcase(),
        MIXED.swapcase().replace("X", "x"),
        MIXED[2:],
        "0X" + MIXED[2:],
        MIXED + "0",
        MIXED[:-1],
        MIXED + "\n",
        " " + MIXED,
        MIXED[:-1] + "g",
        MIXED[:-1] + "\uff11",
        "",
        "0x",
    ],
)
def test_other_spellings_are_refused(text: str) -> None:
    """No checksum, a wrong one, another prefix, length, digit or space: FormatError."""
    with pytest.raises(FormatError, match="address"):
        decode_address(text)


def test_lower_case_only_when_told() -> None:
    """`allow_lower` takes the spelling without a checksum, but no wrong checksum."""
    assert decode_address(MIXED.lower(), allow_lower=True) == decode_address(MIXED)
    with pytest.raises(FormatError, match="checksum"):
        decode_address("0x" + MIXED[2:].upper(), allow_lower=True)
    with pytest.raises(FormatError, match="checksum"):
        decode_address(MIXED[:-1] + MIXED[-1].swapcase(), allow_lower=True)


@pytest.mark.parametrize("length", [0, 19, 21, 32])
def test_only_twenty_bytes_are_an_address(length: int) -> None:
    """Nothing is padded or cut."""
    with pytest.raises(FormatError, match="address"):
        encode_address(bytes(length))


@given(mutations(MIXED.encode()).map(lambda data: data.decode("latin-1")) | st.text())
def test_outside_text_is_an_address_or_refused(text: str) -> None:
    """Whatever is typed: the one text of an address, or FormatError."""
    try:
        address = decode_address(text)
    except FormatError:
        return
    assert encode_address(address) == text
