"""Every format has one encoding; every other byte string is refused with the one decode error."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    DecodeError,
    EvidenceError,
    EvidenceFault,
)
from attestation.evidence import MAX_QUOTE_BYTES, Evidence, EvidenceKind, encode_evidence
from attestation.identity import encode_identity, identity_digest
from attestation.verdict import encode_verdict
from attestation.worker_codec import Request, decode_reply, encode_reply, encode_request
from sealedger.v1 import attestation_pb2 as pb
from tests.support.attestation_examples import (
    ENCODED,
    IDENTITY,
    REFUSAL,
    REQUEST,
    VERDICT,
    recode,
)
from tests.support.mutation import mutations

FORMATS = sorted(ENCODED)


@pytest.mark.parametrize("name", FORMATS)
def test_round_trip(name: str) -> None:
    """Decoding and encoding gives the same bytes."""
    assert recode(name, ENCODED[name]) == ENCODED[name]


@pytest.mark.parametrize("name", FORMATS)
def test_every_truncation_is_refused_or_another_value(name: str) -> None:
    """No prefix is accepted as anything but the value that it canonically encodes."""
    data = ENCODED[name]
    for size in range(len(data)):
        try:
            assert recode(name, data[:size]) == data[:size]
        except DecodeError:
            continue


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("tail", [b"\xf8\x07\x01", b"\x00", b"\xfa\x07\x00"])
def test_unknown_fields_are_refused(name: str, tail: bytes) -> None:
    """A field that the format does not have makes the whole refused."""
    with pytest.raises(DecodeError):
        recode(name, ENCODED[name] + tail)


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
def test_mutated_bytes_are_refused_or_canonical(name: str, data: st.DataObject) -> None:
    """Mutated valid bytes give DecodeError, or a value whose encoding they are."""
    changed = data.draw(mutations(ENCODED[name]))
    try:
        assert recode(name, changed) == changed
    except DecodeError:
        return


@pytest.mark.parametrize("name", FORMATS)
@given(junk=st.binary(max_size=400))
def test_random_bytes_are_refused_or_canonical(name: str, junk: bytes) -> None:
    """Random bytes give DecodeError, or a value whose encoding they are."""
    try:
        assert recode(name, junk) == junk
    except DecodeError:
        return


@pytest.mark.parametrize("name", FORMATS)
def test_oversized_bytes_are_refused(name: str) -> None:
    """Two megabytes are refused whatever they hold."""
    with pytest.raises(DecodeError):
        recode(name, bytes(2 * 1024 * 1024))


@pytest.mark.parametrize(
    "change",
    [
        {"platform": "sev"},
        {"measurement": b"short"},
        {"signer": b"short"},
        {"product_id": 65_536},
        {"svn": -1},
        {"tcb_status": "Revoked"},
        {"advisories": ("b", "a")},
        {"advisories": ("a", "a")},
        {"advisories": ("with space",)},
        {"advisories": tuple(f"SA-{i:03}" for i in range(65))},
        {"platform_id": bytes(33)},
        {"fmspc": bytes(5)},
    ],
)
def test_an_identity_out_of_range_has_no_encoding(change: dict[str, object]) -> None:
    """Every field of an identity is checked when it is encoded."""
    with pytest.raises(DecodeError):
        encode_identity(replace(IDENTITY, **change))  # type: ignore[arg-type]  # fields of Identity


def test_an_identity_with_everything_at_its_limit_fits_its_bounds() -> None:
    """The largest identity and verdict stay within their documented sizes."""
    largest = replace(
        IDENTITY,
        platform="tdx",
        measurement=bytes(48),
        signer=bytes(48),
        product_id=65_535,
        svn=65_535,
        debug=True,
        tcb_status="TDRelaunchAdvisedConfigurationNeeded",
        advisories=tuple(f"{i:032}" for i in range(64)),
        platform_id=bytes(32),
    )
    times = {"verified_at_s": 2**63 - 1, "effective_s": 2**63 - 1}
    assert len(encode_identity(largest)) <= 2560
    verdict = replace(VERDICT, identity=largest, collateral_number=2**32 - 1, **times)  # type: ignore[arg-type]  # fields of Verdict
    assert len(encode_verdict(verdict)) <= 2816


def test_identity_digests_differ_with_the_identity() -> None:
    """The digest of an identity is one of its canonical bytes."""
    other = encode_identity(replace(IDENTITY, svn=4))
    assert identity_digest(ENCODED["identity"]) != identity_digest(other)
    assert len(identity_digest(other)) == 32


@pytest.mark.parametrize(
    "change",
    [
        {"report_data": bytes(63)},
        {"quote_digest": bytes(31)},
        {"collateral_number": 2**32},
        {"effective_s": 1_800_000_101},
        {"effective_s": -1},
        {"verified_at_s": 2**63},
    ],
)
def test_a_verdict_out_of_range_has_no_encoding(change: dict[str, object]) -> None:
    """Every field of a verdict is checked when it is encoded; the effective time is never later."""
    with pytest.raises(DecodeError):
        encode_verdict(replace(VERDICT, **change))  # type: ignore[arg-type]  # fields of Verdict


def test_quotes_are_bounded_in_evidence() -> None:
    """Evidence holds a quote of 1 to 65,536 bytes."""
    encode_evidence(Evidence(EvidenceKind.DCAP, bytes(MAX_QUOTE_BYTES)))
    for quote in (b"", bytes(MAX_QUOTE_BYTES + 1)):
        with pytest.raises(DecodeError):
            encode_evidence(Evidence(EvidenceKind.DCAP, quote))


@pytest.mark.parametrize("kind", [0, 2, 9, 77])
def test_unknown_kinds_of_evidence_are_refused(kind: int) -> None:
    """Evidence of a kind that this version does not know is refused."""
    message = pb.AttestationEvidence(kind=kind, quote=b"quote")  # type: ignore[arg-type]  # an unknown number
    with pytest.raises(DecodeError):
        recode("evidence", message.SerializeToString())


def test_a_refusal_crosses_the_pipe_whole() -> None:
    """Family, code and texts of a refusal survive the reply."""
    with pytest.raises(EvidenceError) as evidence:
        decode_reply(encode_reply(REFUSAL))
    assert (evidence.value.code, evidence.value.expected, evidence.value.got) == (
        EvidenceFault.DEBUG,
        "no debug",
        "debug",
    )
    undecided = CannotDecideError(DecisionFault.COLLATERAL_EXPIRED, got="x" * 500)
    with pytest.raises(CannotDecideError) as caught:
        decode_reply(encode_reply(undecided))
    assert caught.value.code == DecisionFault.COLLATERAL_EXPIRED
    assert caught.value.got == "x" * 200


def test_a_refusal_with_an_unknown_code_is_refused() -> None:
    """A reply cannot invent a code, nor use one of the other family."""
    for undecided, code in ((False, "made-up"), (True, EvidenceFault.DEBUG.value)):
        refusal = pb.VerificationRefusal(undecided=undecided, code=code)
        with pytest.raises(DecodeError):
            decode_reply(pb.VerificationReply(refusal=refusal).SerializeToString())


@pytest.mark.parametrize("now_s", [-1, 2**64])
def test_a_time_out_of_range_has_no_request(now_s: int) -> None:
    """A request with an impossible time is refused before it is sent."""
    with pytest.raises(DecodeError):
        encode_request(Request(REQUEST.evidence, REQUEST.collateral, REQUEST.rules, now_s))
