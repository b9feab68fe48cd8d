"""The certificates of VCEKs and VLEKs: what they say, and every way in which one is odd."""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from attestation.errors import DecodeError
from attestation.evidence import MAX_CERTIFICATE_BYTES
from attestation.platforms.software_snp import TCB
from attestation.platforms.software_snp_pki import LeafNumbers
from attestation.snp.endorsement_key import (
    CHIP_ID,
    CLOUD_ID,
    EXTENSIONS_OID,
    FMC,
    MICROCODE,
    PRODUCT_NAME,
    STRUCT_VERSION,
    EndorsementKey,
    parse_endorsement_key,
)
from tests.support.mutation import mutations
from tests.support.snp_vectors import MANIFEST, evidence_of, run_of, snp_vectors
from tests.support.snp_world import CHIP_ID as CHIP
from tests.support.snp_world import NOW_S, TURIN_TCB, SnpWorld, leaf_key, rsa_key

DAY_S = 24 * 3600
KEY = leaf_key()


def certificate(
    changes: dict[str, bytes | None] | None = None,
    *,
    critical: bool = False,
    key: ec.EllipticCurvePublicKey | None = None,
) -> bytes:
    """A VCEK's certificate with extensions replaced, added or (None) left out; signed by nobody."""
    good = x509.load_der_x509_certificate(SnpWorld().vcek())
    values: dict[str, bytes | None] = {}
    for extension in good.extensions:
        if isinstance(extension.value, x509.UnrecognizedExtension):
            suffix = extension.oid.dotted_string.removeprefix(EXTENSIONS_OID)
            values[suffix] = extension.value.value
    values |= changes or {}
    builder = (
        x509.CertificateBuilder()
        .subject_name(good.subject)
        .issuer_name(good.issuer)
        .public_key(key or KEY.public_key())
        .serial_number(1)
        .not_valid_before(good.not_valid_before_utc)
        .not_valid_after(good.not_valid_after_utc)
    )
    for suffix, value in values.items():
        if value is not None:
            oid = x509.ObjectIdentifier(EXTENSIONS_OID + suffix)
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical)
    return builder.sign(KEY, hashes.SHA384()).public_bytes(Encoding.DER)


def test_a_vcek_is_read() -> None:
    """Line, TCB, chip, dates and key are those that were written."""
    key = parse_endorsement_key(SnpWorld().vcek())
    assert (key.is_vlek, key.line, key.tcb, key.chip_id) == (False, "Milan", TCB, CHIP)
    assert (key.valid_from_s, key.valid_until_s) == (NOW_S - DAY_S, NOW_S + 3650 * DAY_S)
    assert key.public_key == KEY.public_key()


def test_a_vlek_names_no_chip() -> None:
    """A cloud's key has no chip id."""
    key = parse_endorsement_key(SnpWorld().vlek())
    assert (key.is_vlek, key.line, key.tcb, key.chip_id) == (True, "Milan", TCB, b"")


def test_a_turin_has_an_fmc_and_a_short_chip_id() -> None:
    """Its TCB has five parts, its chip id 8 bytes."""
    key = parse_endorsement_key(SnpWorld("Turin").vcek())
    assert (key.line, key.tcb, key.chip_id) == ("Turin", TURIN_TCB, CHIP[:8])


def test_a_chip_id_may_be_wrapped() -> None:
    """Some certificates have it as an OCTET STRING."""
    wrapped = certificate({CHIP_ID: asn1.encode_der(CHIP)})
    assert parse_endorsement_key(wrapped).chip_id == CHIP


@pytest.mark.skipif(not MANIFEST.exists(), reason="the vectors are not beside this checkout")
def test_real_certificates_are_read_as_the_manifest_says() -> None:
    """TCB and product of each certificate, the deliberately invalid ones included."""
    names = {"boot_loader": "bl", "tee": "tee", "snp": "snp", "microcode": "ucode", "fmc": "fmc"}
    for vector in snp_vectors():
        said = run_of(vector)
        key = parse_endorsement_key(evidence_of(vector).certificate)
        tcb = {name: getattr(key.tcb, part) for part, name in names.items()}
        assert tcb == {"fmc": 0} | said["cert_tcb"]
        assert key.line == said["cert_product"].partition("-")[0]
        assert key.is_vlek == (said["leaf"] == "SEV-VLEK")


ODD: dict[str, dict[str, bytes | None]] = {
    "no product": {PRODUCT_NAME: None},
    "unknown product": {PRODUCT_NAME: asn1.encode_der(asn1.IA5String("Rome-B0"))},
    "product as another string": {PRODUCT_NAME: b"\x0c\x05Milan"},
    "no TCB part": {MICROCODE: None},
    "a part of two bytes": {MICROCODE: asn1.encode_der(256)},
    "a negative part": {MICROCODE: asn1.encode_der(-1)},
    "a part in long form": {MICROCODE: b"\x02\x02\x00\x01"},
    "a part with something behind": {MICROCODE: b"\x02\x01\x01\x00"},
    "a reserved part": {".3.5": asn1.encode_der(1)},
    "FMC on a Milan": {FMC: asn1.encode_der(1)},
    "unknown structure": {STRUCT_VERSION: asn1.encode_der(2)},
    "no structure version": {STRUCT_VERSION: None},
    "no chip": {CHIP_ID: None},
    "short chip": {CHIP_ID: CHIP[:63]},
    "long chip": {CHIP_ID: CHIP + b"\0"},
    "zero chip": {CHIP_ID: bytes(64)},
    "chip of a Turin": {CHIP_ID: CHIP[:8]},
    "chip and cloud": {CLOUD_ID: asn1.encode_der(asn1.IA5String("CN=cloud"))},
    "cloud as another string": {CHIP_ID: None, CLOUD_ID: b"\x0c\x01a"},
}


@pytest.mark.parametrize("name", ODD)
def test_odd_extensions_are_refused(name: str) -> None:
    """Each is refused, and the control beside it is not."""
    parse_endorsement_key(certificate())
    with pytest.raises(DecodeError):
        parse_endorsement_key(certificate(ODD[name]))


def test_a_turin_without_an_fmc_is_refused() -> None:
    """Its TCB would lack a part."""
    numbers = LeafNumbers(tcb=TURIN_TCB, chip_id=CHIP[:8], product="Turin")
    with pytest.raises(DecodeError):
        parse_endorsement_key(SnpWorld("Turin").vcek(numbers))
    parse_endorsement_key(SnpWorld("Turin").vcek(replace(numbers, has_fmc=True)))


def test_critical_extensions_are_refused() -> None:
    """What must be understood and is not known here cannot be passed over."""
    with pytest.raises(DecodeError, match="critical"):
        parse_endorsement_key(certificate(critical=True))


def test_no_byte_can_be_respelled() -> None:
    """The algorithm beside the signature, which nobody signs, is the one inside."""
    salt = bytes.fromhex("a203020130")  # the end of the algorithm's parameters
    good = SnpWorld().vcek()
    at = good.rindex(salt)
    assert good.index(salt) != at
    with pytest.raises(DecodeError, match="algorithms"):
        parse_endorsement_key(good[: at + 4] + b"\x2f" + good[at + 5 :])


def test_an_extension_stands_once() -> None:
    """A second boot loader in the place of the TEE's number is refused."""
    prefix = bytes.fromhex("060a2b060104019c780103")
    good = certificate()
    assert prefix + b"\x02" in good
    with pytest.raises(DecodeError, match="repeated"):
        parse_endorsement_key(good.replace(prefix + b"\x02", prefix + b"\x01"))


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP521R1(), ec.SECP256K1()])
def test_keys_on_another_curve_are_refused(curve: ec.EllipticCurve) -> None:
    """Reports are signed with P-384."""
    key = ec.generate_private_key(curve).public_key()
    with pytest.raises(DecodeError):
        parse_endorsement_key(certificate(key=key))


def test_an_authority_is_no_endorsement_key() -> None:
    """RSA certificates of the chain are refused, and so are empty and oversized ones."""
    ask = SnpWorld().root.signer("SEV-Milan", rsa_key("ask")).public_bytes(Encoding.DER)
    for der in (ask, b"", certificate() + b"\0", bytes(MAX_CERTIFICATE_BYTES + 1)):
        with pytest.raises(DecodeError):
            parse_endorsement_key(der)


@given(data=mutations(SnpWorld().vcek()))
def test_damaged_certificates_are_refused_or_read(data: bytes) -> None:
    """The parser gives a key or its own error, whatever the damage."""
    try:
        assert isinstance(parse_endorsement_key(data), EndorsementKey)
    except DecodeError:
        return


@given(data=st.binary(max_size=2000))
def test_noise_is_refused(data: bytes) -> None:
    """Random bytes raise nothing but the decode error."""
    with pytest.raises(DecodeError):
        parse_endorsement_key(data)
