"""The X.509 that is read: one form of it, with the one liberty that Gramine needs."""

from collections.abc import Callable
from dataclasses import fields

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from attestation.errors import DecodeError
from attestation.ratls import der as schema
from attestation.ratls.certificate import read_certificate
from attestation.ratls.der import parse_certificate
from attestation.ratls.signature import is_signed_by
from tests.support.ratls_certificates import Wanted, make_certificate

KEY = ec.generate_private_key(ec.SECP256R1())
DER = make_certificate(Wanted(KEY), {"2.5.1": b"one", "2.5.2": b"two"})


def changed(change: Callable[[schema._Certificate], None]) -> bytes:
    """The certificate after a change, signed again."""
    certificate = asn1.decode_der(schema._Certificate, DER)
    change(certificate)
    signature = KEY.sign(asn1.encode_der(certificate.body), ec.ECDSA(hashes.SHA256()))
    if not certificate.signature.padding_bits():
        certificate.signature = asn1.BitString(signature, 0)
    return asn1.encode_der(certificate)


def is_self_signed(der: bytes) -> bool:
    """Whether it reads and its key signed it."""
    parsed = parse_certificate(der)
    return is_signed_by(parsed.spki, parsed.algorithm, parsed.signature, parsed.signed)


def test_the_parts_are_those_of_another_reader() -> None:
    """The X.509 of `cryptography` reads the same from a certificate that it can load."""
    loaded = x509.load_der_x509_certificate(DER)
    parsed = parse_certificate(DER)
    assert parsed.signed == loaded.tbs_certificate_bytes
    assert parsed.signature == loaded.signature
    assert parsed.algorithm == loaded.signature_algorithm_oid.dotted_string
    assert parsed.not_before_s == loaded.not_valid_before_utc.timestamp()
    assert parsed.not_after_s == loaded.not_valid_after_utc.timestamp()
    assert list(parsed.extensions) == [one.oid.dotted_string for one in loaded.extensions]
    assert (parsed.extensions["2.5.1"], parsed.extensions["2.5.2"]) == (b"one", b"two")
    assert {field.name for field in fields(parsed)} >= {"spki", "extensions", "signed"}


def test_null_parameters_of_the_signature_algorithm_are_read() -> None:
    """What Gramine writes; only in both places at once, and it is part of what is signed."""

    def both(certificate: schema._Certificate) -> None:
        certificate.body.signature.parameters = asn1.Null()
        certificate.algorithm.parameters = asn1.Null()

    def outside(certificate: schema._Certificate) -> None:
        certificate.algorithm.parameters = asn1.Null()

    assert is_self_signed(changed(both))
    with pytest.raises(ValueError, match="ExtraData"):
        x509.load_der_x509_certificate(changed(both))
    with pytest.raises(DecodeError, match="two signature algorithms"):
        parse_certificate(changed(outside))


def test_other_parameters_are_refused() -> None:
    """A certificate signed with RSASSA-PSS has a structure there, which is not read."""
    plain = bytes.fromhex("300a06082a8648ce3d040302")
    odd = bytes.fromhex("300e06082a8648ce3d04030230023000")
    assert DER.count(plain) == 2
    with pytest.raises(DecodeError):
        parse_certificate(DER.replace(plain, odd))


@pytest.mark.parametrize("version", [0, 1, 3, -1, 2**70])
def test_only_version_3_is_read(version: int) -> None:
    """Extensions exist in no other."""

    def other(certificate: schema._Certificate) -> None:
        certificate.body.version = version

    with pytest.raises(DecodeError):
        parse_certificate(changed(other))


def test_an_extension_stands_once() -> None:
    """A second one of the same name could be what another reader takes (RFC 5280, 4.2)."""

    def twice(certificate: schema._Certificate) -> None:
        certificate.body.extensions.append(certificate.body.extensions[-1])

    with pytest.raises(DecodeError, match=r"2\.5\.2 twice"):
        parse_certificate(changed(twice))


def test_a_signature_has_whole_bytes() -> None:
    """Unused bits in the last byte are refused."""

    def odd(certificate: schema._Certificate) -> None:
        certificate.signature = asn1.BitString(certificate.signature.as_bytes() + b"\0", 3)

    with pytest.raises(DecodeError, match="whole number"):
        parse_certificate(changed(odd))


def test_der_that_is_no_certificate_is_refused() -> None:
    """Lengths that do not fit, other structures, a default that is written out."""
    critical = bytes.fromhex("0603551d13")  # BasicConstraints, then the value
    assert critical in DER
    for data in (
        b"\x30\x00",
        b"\x30\x80\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x05\x00",
        DER + b"\0",
        DER[:-1],
        DER.replace(critical, critical + b"\x01\x01\x00"),
        asn1.encode_der(asn1.decode_der(schema._Certificate, DER).body),
    ):
        with pytest.raises(DecodeError):
            parse_certificate(data)
        with pytest.raises(DecodeError):
            read_certificate(data)
