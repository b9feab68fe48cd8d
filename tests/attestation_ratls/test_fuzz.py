"""Whatever bytes come, a certificate is read or refused as one, and what is covered is covered."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attestation.dcap.layout import parse_quote
from attestation.errors import CannotDecideError, DecodeError, EvidenceError
from attestation.evidence import encode_evidence
from attestation.ratls.cbor import decode, decode_tagged, encode, encode_tagged
from attestation.ratls.certificate import RaTlsCertificate, read_certificate, verify_binding
from attestation.ratls.claims import decode_claims
from attestation.ratls.forms import DICE_OID, GRAMINE_LEGACY_OID, ratls_report_data
from attestation.ratls.make import encode_claims
from attestation.ratls.pem import read_der
from attestation.verify import verify
from tests.support.attested import NOW_S, make_world
from tests.support.mutation import mutations
from tests.support.ratls_certificates import (
    Wanted,
    dice_value,
    legacy_value,
    make_certificate,
    spki_of,
)

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "ra-tls"
WORLD = make_world()
COLLATERAL = WORLD.collateral_bytes()
WANTED = Wanted()
SPKI = spki_of(WANTED.key)
CLAIMS = encode_claims(SPKI)
VALUE = dice_value(WORLD, CLAIMS)
OWN = make_certificate(WANTED, {DICE_OID: VALUE})
BOTH = make_certificate(WANTED, {DICE_OID: VALUE, GRAMINE_LEGACY_OID: legacy_value(WORLD, SPKI)})
REAL = [read_der(path.read_bytes()) for path in sorted(VECTORS.glob("*/cert.*"))]
BASE64 = re.compile(rb"[A-Za-z0-9+/=\s-]*")

items = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=40)
    | st.text(max_size=8)
    | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=12) | st.binary(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def read(data: bytes) -> RaTlsCertificate | None:
    """The certificate, or None where it was refused as the rules say."""
    try:
        return read_certificate(data)
    except DecodeError:
        return None


def is_bound(certificate: RaTlsCertificate) -> bool:
    """Whether the quote inside, unverified, is for the certificate."""
    try:
        verify_binding(certificate, parse_quote(certificate.evidence.quote).report.report_data)
    except (DecodeError, EvidenceError):
        return False
    return True


def accepted(data: bytes) -> bool:
    """The whole judgement: read, evidence verified, binding verified."""
    certificate = read(data)
    if certificate is None:
        return False
    try:
        evidence = encode_evidence(certificate.evidence)
        verdict = verify(evidence, COLLATERAL, WORLD.rules, NOW_S)
        verify_binding(certificate, verdict.report_data)
    except (DecodeError, EvidenceError, CannotDecideError):
        return False
    return True


def flipped(data: bytes, at: int) -> bytes:
    """With one bit of one byte changed; which one follows from the place."""
    return data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :]


@given(st.sampled_from((OWN, BOTH)).flatmap(mutations) | st.binary(max_size=3000))
@settings(max_examples=400)
def test_changed_certificates_of_ours_are_refused(data: bytes) -> None:
    """Edits end in a refusal; whoever finds them bound has found another spelling."""
    certificate = read(data)
    if certificate is not None and is_bound(certificate):
        assert certificate.spki == SPKI
        assert certificate.claims is not None
        assert certificate.claims.data == CLAIMS


@pytest.mark.skipif(not REAL, reason="the RA-TLS vectors are not beside this checkout")
@given(st.data())
@settings(max_examples=400)
def test_changed_real_certificates_are_refused_or_read(data: st.DataObject) -> None:
    """The same for certificates of Gramine, RATS-TLS and Open Enclave, and their beginnings."""
    real = data.draw(st.sampled_from(REAL))
    cut = st.integers(0, len(real)).map(lambda size: real[:size])
    certificate = read(data.draw(mutations(real) | cut))
    if certificate is not None:
        is_bound(certificate)


@given(st.binary(max_size=200) | st.from_regex(BASE64, fullmatch=True))
def test_any_text_between_the_marks_is_refused_or_read(inside: bytes) -> None:
    """PEM of anything."""
    read(b"-----BEGIN CERTIFICATE-----" + inside + b"-----END CERTIFICATE-----")


@given(items | st.binary(max_size=60))
@settings(max_examples=400)
def test_any_cbor_is_refused_or_has_one_form(item: object) -> None:
    """Random items, and random bytes: read as claims and as evidence, at top and tagged."""
    data = item if isinstance(item, bytes) else encode(item)
    for one in (data, encode_tagged(60000, item), encode({"pubkey-hash": data})):
        with suppress(DecodeError):
            assert decode_claims(one).data == one
        with suppress(DecodeError):
            assert encode(decode(one, "it")) == one
        with suppress(DecodeError):
            assert encode_tagged(60000, decode_tagged(one, 60000, "it")) == one
        read(make_certificate(WANTED, {DICE_OID: one}))


@given(mutations(VALUE))
@settings(max_examples=200)
def test_changed_evidence_under_the_right_key_is_refused(value: bytes) -> None:
    """A certificate that is signed well, with tagged evidence that was edited."""
    if value != VALUE and accepted(make_certificate(WANTED, {DICE_OID: value})):
        # a signature may be respelled; what it covers may not
        assert _covered(value) == _covered(VALUE)


def _parts(value: bytes) -> tuple[bytes, bytes]:
    """Quote and claims of tagged evidence that is readable."""
    match decode_tagged(value, 60000, "it"):
        case [bytes() as quote, bytes() as claims]:
            return quote, claims
    raise AssertionError("not tagged evidence")


def _covered(value: bytes) -> tuple[bytes, bytes]:
    quote, claims = _parts(value)
    return parse_quote(quote).signed_region, claims


def test_every_byte_of_what_evidence_covers_counts() -> None:
    """One bit of any byte of the quote's signed region or of the claims, and it is refused."""
    assert accepted(OWN)
    quote, claims = _parts(VALUE)
    for at in range(len(parse_quote(quote).signed_region)):
        value = encode_tagged(60000, [flipped(quote, at), claims])
        assert not accepted(make_certificate(WANTED, {DICE_OID: value})), at
    for at in range(len(claims)):
        value = encode_tagged(60000, [quote, flipped(claims, at)])
        assert not accepted(make_certificate(WANTED, {DICE_OID: value})), at


def test_every_byte_of_a_certificate_counts() -> None:
    """One bit of any byte of what the key signed, or of the frame around it, and it is refused."""
    for der in (OWN, BOTH):
        for at in range(len(der)):
            certificate = read(flipped(der, at))
            assert certificate is None or not is_bound(certificate), at


def test_report_data_is_of_64_bytes() -> None:
    """The digest first, then zeros."""
    assert len(ratls_report_data(CLAIMS)) == 64
    assert ratls_report_data(CLAIMS)[32:] == bytes(32)
