"""The certificate of the key that signed a report: a chip's VCEK or a cloud's VLEK. Shape only.

Rules (AMD 57230): X.509 version 3, P-384 key, extensions under 1.3.6.1.4.1.3704.1, each once:
  .1 structVersion 0 or 1; .2 productName, IA5String; .3.1 boot loader, .3.2 TEE, .3.3 SNP,
  .3.8 microcode, on Turin .3.9 FMC: INTEGERs of one byte; .3.4 to .3.7, where there, are 0;
  .4 hwID of 64 bytes (Turin: 8), bare or as OCTET STRING: a VCEK; .5 csp_id instead: a VLEK.
The form around them is `forms`; signatures are judged in `verify`.
"""

from dataclasses import dataclass
from datetime import UTC

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from attestation.errors import DecodeError
from attestation.evidence import MAX_CERTIFICATE_BYTES
from attestation.fields import SnpTcb, is_tcb
from attestation.snp.forms import Extension, SignedCertificate, read_certificate
from attestation.snp.products import line_of_name

EXTENSIONS_OID = "1.3.6.1.4.1.3704.1"
CHIP_ID_SIZES = {"Milan": 64, "Genoa": 64, "Turin": 8}

STRUCT_VERSION, PRODUCT_NAME, CHIP_ID, CLOUD_ID = ".1", ".2", ".4", ".5"
BOOT_LOADER, TEE, SNP, MICROCODE, FMC = ".3.1", ".3.2", ".3.3", ".3.8", ".3.9"

_RESERVED = (".3.4", ".3.5", ".3.6", ".3.7")
_STRUCT_VERSIONS = (0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndorsementKey:
    """A VCEK or VLEK as its certificate describes it; nothing has been verified."""

    is_vlek: bool
    line: str  # the product line: Milan, Genoa or Turin
    tcb: SnpTcb  # what this key was made for
    chip_id: bytes  # 64 bytes, 8 on Turin, none for a VLEK
    public_key: ec.EllipticCurvePublicKey  # P-384
    issuer: bytes  # DER of the issuer's name
    valid_from_s: int  # Unix seconds, both inclusive
    valid_until_s: int
    signed: bytes  # DER: what the signature covers
    signature: bytes


def parse_endorsement_key(der: bytes) -> EndorsementKey:
    """Read the certificate of a VCEK or VLEK, at most 8 KiB of DER; raises DecodeError."""
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise DecodeError(f"endorsement key: {len(der)} bytes, at most {MAX_CERTIFICATE_BYTES}")
    certificate = read_certificate(der)
    try:
        return _read(certificate)
    except DecodeError:
        raise
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("endorsement key: a value of another form") from error


def _read(certificate: SignedCertificate) -> EndorsementKey:
    body = certificate.body
    values = _values(body.extensions)
    line = line_of_name(_text(values, PRODUCT_NAME))
    if line is None:
        raise DecodeError("endorsement key: of no known product")
    is_vlek = CLOUD_ID in values
    return EndorsementKey(
        is_vlek=is_vlek,
        line=line,
        tcb=_tcb(values, line),
        chip_id=_chip_id(values, line, is_vlek=is_vlek),
        public_key=_public_key(asn1.encode_der(body.public_key)),
        issuer=asn1.encode_der(body.issuer),
        valid_from_s=_seconds(body.validity.start),
        valid_until_s=_seconds(body.validity.end),
        signed=certificate.signed,
        signature=certificate.signature,
    )


def _values(extensions: list[Extension]) -> dict[str, bytes]:
    """The vendor's extensions by the end of their identifiers."""
    values: dict[str, bytes] = {}
    for extension in extensions:
        name = extension.oid.dotted_string
        if extension.critical or name in values:
            raise DecodeError(f"endorsement key: extension {name} is critical or repeated")
        values[name] = extension.value
    return {
        name.removeprefix(EXTENSIONS_OID): value
        for name, value in values.items()
        if name.startswith(f"{EXTENSIONS_OID}.")
    }


def _value(values: dict[str, bytes], name: str) -> bytes:
    if name not in values:
        raise DecodeError(f"endorsement key: no extension {EXTENSIONS_OID}{name}")
    return values[name]


def _text(values: dict[str, bytes], name: str) -> str:
    return asn1.decode_der(asn1.IA5String, _value(values, name)).as_str()


def _integer(values: dict[str, bytes], name: str) -> int:
    return asn1.decode_der(int, _value(values, name))


def _tcb(values: dict[str, bytes], line: str) -> SnpTcb:
    has_fmc = line == "Turin"
    if has_fmc != (FMC in values):
        raise DecodeError(f"endorsement key: a TCB that is not of {line}")
    tcb = SnpTcb(
        boot_loader=_integer(values, BOOT_LOADER),
        tee=_integer(values, TEE),
        snp=_integer(values, SNP),
        microcode=_integer(values, MICROCODE),
        fmc=_integer(values, FMC) if has_fmc else 0,
    )
    reserved = [_integer(values, name) for name in _RESERVED if name in values]
    version = _integer(values, STRUCT_VERSION)
    if not is_tcb(tcb) or any(reserved) or version not in _STRUCT_VERSIONS:
        raise DecodeError("endorsement key: a TCB outside its range")
    return tcb


def _chip_id(values: dict[str, bytes], line: str, *, is_vlek: bool) -> bytes:
    if is_vlek:
        _text(values, CLOUD_ID)
        if CHIP_ID in values:
            raise DecodeError("endorsement key: names both a chip and a cloud")
        return b""
    value = _value(values, CHIP_ID)
    size = CHIP_ID_SIZES[line]
    if len(value) != size:  # two forms are in the field: bare, and as OCTET STRING
        value = asn1.decode_der(bytes, value)
    if len(value) != size or not any(value):
        raise DecodeError(f"endorsement key: a chip id of {len(value)} bytes, expected {size}")
    return value


def _public_key(der: bytes) -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(der)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise DecodeError("endorsement key: not a P-384 key")
    return key


def _seconds(moment: asn1.UTCTime | asn1.GeneralizedTime) -> int:
    return int(moment.as_datetime().replace(tzinfo=UTC).timestamp())
