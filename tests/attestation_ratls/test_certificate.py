"""Which evidence a certificate carries, and when it is bound to the certificate's key."""

import base64
import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from attestation.dcap.layout import parse_quote
from attestation.errors import DecodeError, EvidenceError, EvidenceFault
from attestation.ratls.cbor import encode, encode_tagged
from attestation.ratls.certificate import (
    RaTlsCertificate,
    read_certificate,
    verify_binding,
    verify_validity,
)
from attestation.ratls.forms import (
    DICE_OID,
    GRAMINE_LEGACY_OID,
    GRAMINE_OID,
    RaTlsForm,
    ratls_report_data,
)
from attestation.ratls.make import encode_claims
from attestation.ratls.pem import MAX_FILE_BYTES
from tests.support.attested import NOW_S, REPORT, SoftwareWorld
from tests.support.ratls_certificates import (
    Wanted,
    claims_with,
    dice_value,
    legacy_value,
    make_certificate,
    quote_over,
    spki_of,
)

DAY_S = 86_400


def claimed(certificate: RaTlsCertificate) -> bytes:
    """The report data of the certificate's quote, as verifying it would give."""
    return parse_quote(certificate.evidence.quote).report.report_data


def bind(certificate: RaTlsCertificate) -> None:
    """Judge the binding by the certificate's own quote."""
    verify_binding(certificate, claimed(certificate))


def refusal(certificate: RaTlsCertificate) -> EvidenceError:
    """The refusal of the binding."""
    with pytest.raises(EvidenceError) as refused:
        bind(certificate)
    return refused.value


def test_a_certificate_with_tagged_evidence_is_bound_by_its_claims(own: bytes) -> None:
    """Our own form: the quote covers the claims, the claims the key, and the reader says so."""
    certificate = read_certificate(own)
    assert certificate.form is RaTlsForm.DICE
    assert certificate.is_self_signed
    assert certificate.claims is not None
    assert certificate.claims.data == encode_claims(certificate.spki)
    assert certificate.claims.others == ()
    assert (certificate.not_before_s, certificate.not_after_s) == (NOW_S - DAY_S, NOW_S + DAY_S)
    bind(certificate)


@pytest.mark.parametrize(
    "oid, form",
    [(GRAMINE_LEGACY_OID, RaTlsForm.GRAMINE_LEGACY), (GRAMINE_OID, RaTlsForm.GRAMINE)],
)
def test_a_bare_quote_is_bound_to_the_key(world: SoftwareWorld, oid: str, form: RaTlsForm) -> None:
    """Gramine's form, under the malformed name and under the right one."""
    wanted = Wanted()
    der = make_certificate(wanted, {oid: legacy_value(world, spki_of(wanted.key))})
    certificate = read_certificate(der)
    assert certificate.form is form
    assert certificate.claims is None
    bind(certificate)


def test_forms_are_looked_for_in_order(world: SoftwareWorld) -> None:
    """Tagged evidence decides before the malformed name, that before the right one."""
    wanted = Wanted()
    spki = spki_of(wanted.key)
    legacy = legacy_value(world, spki)
    every = {
        GRAMINE_OID: legacy,
        GRAMINE_LEGACY_OID: legacy_value(world, spki),
        DICE_OID: dice_value(world, encode_claims(spki)),
    }
    certificate = read_certificate(make_certificate(wanted, every))
    assert certificate.form is RaTlsForm.DICE
    assert certificate.further_quotes == (every[GRAMINE_LEGACY_OID], legacy)
    bind(certificate)
    del every[DICE_OID]
    certificate = read_certificate(make_certificate(wanted, every))
    assert certificate.form is RaTlsForm.GRAMINE_LEGACY
    assert certificate.further_quotes == (legacy,)
    bind(certificate)


def test_unreadable_tagged_evidence_is_not_passed_over(world: SoftwareWorld) -> None:
    """A broken deciding form refuses the certificate, whatever stands beside it."""
    wanted = Wanted()
    legacy = legacy_value(world, spki_of(wanted.key))
    for broken in (
        b"",
        b"\xff",
        encode_tagged(60001, [legacy, b"\xa0"]),
        encode([legacy, b"\xa0"]),
    ):
        der = make_certificate(wanted, {DICE_OID: broken, GRAMINE_LEGACY_OID: legacy})
        with pytest.raises(DecodeError, match="tagged evidence"):
            read_certificate(der)


def test_a_further_quote_must_not_contradict(world: SoftwareWorld) -> None:
    """A second quote for another key, of another enclave, or of no shape is refused."""
    wanted = Wanted()
    spki = spki_of(wanted.key)
    dice = dice_value(world, encode_claims(spki))
    other_enclave = replace(REPORT, mr_enclave=b"\x12" * 32, report_data=ratls_report_data(spki))
    contradicting = {
        "for another key": legacy_value(world, spki_of(Wanted().key)),
        "of another enclave": world.quote(other_enclave),
        "quote": b"no quote at all",
    }
    for words, legacy in contradicting.items():
        der = make_certificate(wanted, {DICE_OID: dice, GRAMINE_LEGACY_OID: legacy})
        refused = refusal(read_certificate(der))
        assert refused.code is EvidenceFault.REPORT_DATA
        assert words in refused.got


@pytest.mark.parametrize("name, algorithm", [("sha256", 1), ("sha384", 7), ("sha512", 8)])
def test_the_key_may_be_hashed_in_three_ways(
    world: SoftwareWorld, name: str, algorithm: int
) -> None:
    """SHA-256, SHA-384 and SHA-512 have the numbers 1, 7 and 8; each only with its own digest."""
    wanted = Wanted()
    digest = hashlib.new(name, spki_of(wanted.key)).digest()
    good = dice_value(world, claims_with(algorithm, digest))
    bind(read_certificate(make_certificate(wanted, {DICE_OID: good})))
    for changed in (digest[:-1], digest + b"\0", b"", bytes(len(digest))):
        bad = dice_value(world, claims_with(algorithm, changed))
        refused = refusal(read_certificate(make_certificate(wanted, {DICE_OID: bad})))
        assert refused.code is EvidenceFault.REPORT_DATA


def test_unknown_hash_algorithms_are_refused(world: SoftwareWorld) -> None:
    """A number that is not known binds nothing, even with a digest that would fit."""
    wanted = Wanted()
    digest = hashlib.sha256(spki_of(wanted.key)).digest()
    for algorithm in (0, 2, 6, 9, 24, 2**64 - 1):
        value = dice_value(world, claims_with(algorithm, digest))
        refused = refusal(read_certificate(make_certificate(wanted, {DICE_OID: value})))
        assert refused.got == f"algorithm {algorithm}"


def test_claims_without_the_key_bind_nothing(world: SoftwareWorld) -> None:
    """The quote may cover whatever claims: without pubkey-hash they are refused."""
    wanted = Wanted()
    for claims in (encode({}), encode({"nonce": b"7"}), encode({"pubkey-hash2": b""})):
        der = make_certificate(wanted, {DICE_OID: dice_value(world, claims)})
        refused = refusal(read_certificate(der))
        assert (refused.expected, refused.got) == ("a pubkey-hash claim", "none")


def test_other_claims_are_covered_and_reported(world: SoftwareWorld) -> None:
    """Claims that mean nothing here are named, in their order; none can be changed or dropped."""
    wanted = Wanted()
    digest = hashlib.sha256(spki_of(wanted.key)).digest()
    claims = claims_with(1, digest, zone=b"b", nonce=b"a")
    value = dice_value(world, claims)
    certificate = read_certificate(make_certificate(wanted, {DICE_OID: value}))
    assert certificate.claims is not None
    assert certificate.claims.others == ("zone", "nonce")
    bind(certificate)
    quote = quote_over(world, ratls_report_data(claims))
    for changed in (claims_with(1, digest, zone=b"c", nonce=b"a"), claims_with(1, digest)):
        swapped = encode_tagged(60000, [quote, changed])
        refused = refusal(read_certificate(make_certificate(wanted, {DICE_OID: swapped})))
        assert refused.code is EvidenceFault.REPORT_DATA


def test_the_last_half_of_the_report_data_must_be_zero(world: SoftwareWorld, own: bytes) -> None:
    """Whatever else an enclave put into its report data, this certificate did not."""
    bound = claimed(read_certificate(own))
    for data in (bound[:32] + b"\1" + bytes(31), bound[:63] + b"\1", bound[:32], bytes(64), b""):
        with pytest.raises(EvidenceError, match="report-data-mismatch"):
            verify_binding(read_certificate(own), data)
    wanted = Wanted()
    digest = hashlib.sha256(spki_of(wanted.key)).digest()
    der = make_certificate(wanted, {GRAMINE_OID: quote_over(world, digest + b"\1" * 32)})
    assert refusal(read_certificate(der)).code is EvidenceFault.REPORT_DATA


def test_a_certificate_that_another_key_signed_is_refused(world: SoftwareWorld) -> None:
    """The evidence names the key, but only the key itself can speak of the rest."""
    wanted = Wanted(signer=ec.generate_private_key(ec.SECP256R1()))
    value = dice_value(world, encode_claims(spki_of(wanted.key)))
    certificate = read_certificate(make_certificate(wanted, {DICE_OID: value}))
    assert not certificate.is_self_signed
    assert refusal(certificate).code is EvidenceFault.SIGNATURE


def test_evidence_of_another_certificate_is_refused(own: bytes) -> None:
    """Somebody else's quote and claims, put under one's own key, bind to the other key only."""
    theirs = read_certificate(own)
    assert theirs.claims is not None
    stolen = encode_tagged(60000, [theirs.evidence.quote, theirs.claims.data])
    mine = read_certificate(make_certificate(Wanted(), {DICE_OID: stolen}))
    assert mine.is_self_signed
    assert "pubkey-hash" in refusal(mine).expected


def test_validity_is_asked_for_by_itself(own: bytes) -> None:
    """The first and the last second are inside, those beside them are not."""
    certificate = read_certificate(own)
    for at_s in (NOW_S - DAY_S, NOW_S, NOW_S + DAY_S):
        verify_validity(certificate, at_s)
    for at_s in (NOW_S - DAY_S - 1, NOW_S + DAY_S + 1, 0, 2**40):
        with pytest.raises(EvidenceError, match="certificate-dates"):
            verify_validity(certificate, at_s)


def pem(der: bytes, width: int = 64, end: str = "\n") -> bytes:
    """PEM with lines of a width."""
    text = base64.b64encode(der).decode()
    lines = [text[i : i + width] for i in range(0, len(text), width)]
    frame = ("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", "")
    return end.join(frame).encode()


def test_pem_and_der_are_the_same_certificate(own: bytes) -> None:
    """Line ends, widths and white space around PEM do not matter."""
    expected = read_certificate(own)
    for text in (pem(own), pem(own, 76), pem(own, end="\r\n"), b"\n\n  " + pem(own) + b" \n"):
        assert read_certificate(text) == expected


def test_what_is_not_one_certificate_is_refused(own: bytes) -> None:
    """Nothing, too much, two certificates, other blocks, text around, a byte too many."""
    key = pem(own).replace(b"CERTIFICATE", b"PRIVATE KEY")
    for data in (
        b"",
        b"-----BEGIN CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE----------END CERTIFICATE-----",
        pem(own) + pem(own),
        b"a word\n" + pem(own),
        pem(own) + b"a word\n",
        pem(own).replace(b"\n", b"\n.", 2),
        key,
        own + b"\0",
        own[:-1],
        own + b"\0" * (MAX_FILE_BYTES - len(own) + 1),
    ):
        with pytest.raises(DecodeError):
            read_certificate(data)


def test_a_certificate_without_evidence_says_what_it_has() -> None:
    """None, or another kind, which is named."""
    with pytest.raises(DecodeError, match="no extension with evidence"):
        read_certificate(make_certificate(Wanted(), {}))
    with pytest.raises(DecodeError, match="Open Enclave"):
        read_certificate(make_certificate(Wanted(), {"1.2.840.113556.10.1.1": b"evidence"}))
    with pytest.raises(DecodeError, match="empty quote"):
        read_certificate(make_certificate(Wanted(), {GRAMINE_OID: b""}))
