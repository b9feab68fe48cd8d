"""What a transaction says before any state is looked at."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.prepare import Prepared, prepare
from ledger.errors import FormatError
from ledger.format.operation import MAX_OPERATION_BYTES, Read, encode_operation
from ledger.format.transaction import (
    SignerKind,
    decode_envelope,
    encode_body,
    encode_envelope,
    transaction_hash,
)
from ledger.reason import Reason
from tests.support.mutation import mutations
from tests.support.small_rules import Signer, SmallRules, put_of

RULES = SmallRules()
SIGNER = Signer(SignerKind.SESSION, bytes(32), lambda _: bytes(64))
ENVELOPE = RULES.envelope(SIGNER, put_of("app", "tls/key"), Read("app", "tls/key"), b"\xff\xff")


def reason_of(envelope: bytes, network_id: bytes = RULES.network_id) -> Reason:
    """Why the envelope is refused as a whole."""
    with pytest.raises(FormatError) as caught:
        prepare(envelope, network_id)
    return caught.value.reason


def test_good_envelope() -> None:
    """A good envelope gives its parts, its name, and None for an operation that does not decode."""
    prepared = prepare(ENVELOPE, RULES.network_id)
    assert prepared.operations == (put_of("app", "tls/key"), Read("app", "tls/key"), None)
    assert prepared.hash == transaction_hash(prepared.envelope.body)
    assert encode_envelope(prepared.envelope) == ENVELOPE
    assert encode_body(prepared.body) == prepared.envelope.body


def test_not_canonical() -> None:
    """An envelope or a body with an unknown field is malformed."""
    assert reason_of(ENVELOPE + b"\xf8\x01\x01") is Reason.MALFORMED
    envelope = decode_envelope(ENVELOPE)
    odd = encode_envelope(replace(envelope, body=envelope.body + b"\xf8\x01\x01"))
    assert reason_of(odd) is Reason.MALFORMED


def test_other_network() -> None:
    """A body for another network is refused with that reason."""
    assert reason_of(ENVELOPE, bytes(32)) is Reason.WRONG_NETWORK


@pytest.mark.parametrize("field", ["operations", "salts"])
def test_commitment(field: str) -> None:
    """Operations or salts in another order than the body commits to are malformed."""
    envelope = decode_envelope(ENVELOPE)
    backwards = {"operations": envelope.operations[::-1], "salts": envelope.salts[::-1]}[field]
    changed = replace(envelope, **{field: backwards})  # type: ignore[arg-type]  # of the field's type
    assert reason_of(encode_envelope(changed)) is Reason.MALFORMED


def test_operation_fewer() -> None:
    """An envelope that leaves out an operation of its body is malformed."""
    envelope = decode_envelope(ENVELOPE)
    shorter = replace(
        envelope,
        operations=envelope.operations[:2],
        salts=envelope.salts[:2],
        payloads=envelope.payloads[:2],
    )
    assert reason_of(encode_envelope(shorter)) is Reason.MALFORMED


def test_operation_too_long() -> None:
    """An operation of over 4,096 bytes is too large, whatever it says."""
    long = RULES.envelope(SIGNER, bytes(MAX_OPERATION_BYTES + 1))
    assert reason_of(long) is Reason.TOO_LARGE


def test_operations_not_canonical() -> None:
    """An operation with an unknown field, a bad name or a version 0 is malformed alone."""
    odd = encode_operation(Read("app", "x")) + b"\xf8\x01\x01"
    bad_name = encode_operation(Read("app", "a//b"))
    zero = encode_operation(Read("app", "x", 0))
    envelope = RULES.envelope(SIGNER, odd, bad_name, zero, b"", Read("app", "x"))
    prepared = prepare(envelope, RULES.network_id)
    assert prepared.operations == (None, None, None, None, Read("app", "x"))


@given(mutations(ENVELOPE) | st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    """Whatever the bytes are, they prepare or raise FormatError, and what prepares is canonical."""
    try:
        prepared = prepare(data, RULES.network_id)
    except FormatError as error:
        reason = error.reason
    else:
        assert isinstance(prepared, Prepared)
        assert encode_envelope(prepared.envelope) == data
        return
    assert reason in (Reason.MALFORMED, Reason.TOO_LARGE, Reason.WRONG_NETWORK)
