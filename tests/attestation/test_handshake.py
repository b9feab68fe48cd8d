"""What evidence binds, and what session messages are signed over."""

import hashlib
from dataclasses import replace

import pytest

from attestation.errors import EvidenceError, EvidenceFault, HandshakeError
from attestation.handshake import (
    CLIENT_LABEL,
    KEY_SERVICE_LABEL,
    NO_SERVICE_KEY,
    ReportBinding,
    evidence_digest,
    grant_transcript,
    hello_transcript,
    report_data,
    session_id,
    verify_report_data,
)

BINDING = ReportBinding(
    network_id=b"n" * 32,
    trust_digest=b"t" * 32,
    own_keys=(b"k" * 33, b"x" * 1216),
    peer_service_key=b"s" * 32,
    size=42,
    root=b"r" * 32,
)
HELLO = {
    "network_id": b"n" * 32,
    "client_nonce": b"c" * 32,
    "tls_spki_digest": b"t" * 32,
    "evidence_digest": b"e" * 32,
    "checkpoint_digest": b"k" * 32,
}


def test_report_data_is_the_digest_of_label_and_prefixed_fields() -> None:
    """The 64 bytes are SHA-256 over label and length-prefixed fields, then zeros."""
    fields = (
        b"n" * 32,
        b"t" * 32,
        (2).to_bytes(4, "big"),
        b"k" * 33,
        b"x" * 1216,
        b"s" * 32,
        (42).to_bytes(8, "big"),
        b"r" * 32,
    )
    text = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    digest = hashlib.sha256(b"sealedger/report/client/1\0" + text).digest()
    assert report_data(CLIENT_LABEL, BINDING) == digest + bytes(32)


def test_every_field_of_the_binding_changes_the_report_data() -> None:
    """No two roles, networks, documents, keys, peers or checkpoints share report data."""
    variants = [
        BINDING,
        replace(BINDING, network_id=b"N" * 32),
        replace(BINDING, trust_digest=b"T" * 32),
        replace(BINDING, own_keys=(b"k" * 33,)),
        replace(BINDING, own_keys=(b"x" * 1216, b"k" * 33)),
        replace(BINDING, own_keys=(b"k" * 34, b"x" * 1215)),
        replace(BINDING, peer_service_key=NO_SERVICE_KEY),
        replace(BINDING, size=43),
        replace(BINDING, root=b"R" * 32),
    ]
    found = {report_data(label, v) for label in (CLIENT_LABEL, KEY_SERVICE_LABEL) for v in variants}
    assert len(found) == 2 * len(variants)


@pytest.mark.parametrize(
    "binding",
    [
        replace(BINDING, network_id=b"n" * 31),
        replace(BINDING, trust_digest=b""),
        replace(BINDING, own_keys=()),
        replace(BINDING, own_keys=(b"",)),
        replace(BINDING, own_keys=(b"k",) * 9),
        replace(BINDING, own_keys=(b"k" * 4097,)),
        replace(BINDING, peer_service_key=b""),
        replace(BINDING, size=-1),
        replace(BINDING, size=2**64),
        replace(BINDING, root=b"r" * 33),
    ],
)
def test_a_binding_out_of_range_is_refused(binding: ReportBinding) -> None:
    """A field of another size gives an error, never a hash."""
    with pytest.raises(HandshakeError):
        report_data(CLIENT_LABEL, binding)


def test_an_unknown_label_is_refused() -> None:
    """Only the two labels of the protocol give report data."""
    with pytest.raises(HandshakeError):
        report_data(b"sealedger/report/other/1\0", BINDING)


def test_report_data_must_be_the_expected_one() -> None:
    """Other report data than expected is the prover's fault."""
    expected = report_data(CLIENT_LABEL, BINDING)
    verify_report_data(expected, expected)
    for other in (bytes(64), expected[:32], b""):
        with pytest.raises(EvidenceError) as caught:
            verify_report_data(other, expected)
        assert caught.value.code == EvidenceFault.REPORT_DATA
    with pytest.raises(EvidenceError):
        verify_report_data(b"", b"")


def test_hello_transcript_is_label_and_fixed_fields() -> None:
    """Hello is signed over a label and five fields of 32 bytes."""
    expected = b"sealedger/hello/1\0" + b"n" * 32 + b"c" * 32 + b"t" * 32 + b"e" * 32 + b"k" * 32
    assert hello_transcript(**HELLO) == expected
    for name in HELLO:
        with pytest.raises(HandshakeError):
            hello_transcript(**{**HELLO, name: b"short"})


def test_grant_transcript_is_label_and_fixed_fields() -> None:
    """A session grant is signed over network, session, expiry, encapsulation and leaf."""
    fields = {"network_id": b"n" * 32, "session_id": b"s" * 32, "grant_digest": b"g" * 32}
    transcript = grant_transcript(**fields, expires_ms=5, leaf_hash=b"l" * 32)
    assert transcript == (
        b"sealedger/session-grant/1\0"
        + b"n" * 32
        + b"s" * 32
        + (5).to_bytes(8, "big")
        + b"g" * 32
        + b"l" * 32
    )
    with pytest.raises(HandshakeError):
        grant_transcript(**fields, expires_ms=-1, leaf_hash=b"l" * 32)
    with pytest.raises(HandshakeError):
        grant_transcript(**fields, expires_ms=5, leaf_hash=b"")


def test_digests_are_labelled() -> None:
    """Session ids and evidence digests are hashes under their own labels."""
    assert session_id(b"body") == hashlib.sha256(b"sealedger/session/1\0body").digest()
    assert evidence_digest(b"e") == hashlib.sha256(b"sealedger/evidence/1\0e").digest()
