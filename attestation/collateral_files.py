"""Collateral as people have it in files, read into our own form. Pure; nothing is verified here.

1. Our canonical bytes (`collateral.pb` of a platform directory, or what ``collateral show`` saves).
2. A JSON object with the nine fields of a DCAP verifier, binary ones in hex, as dcap-qvl writes it.
   A `pck_certificate_chain` beside them is the prover's, not collateral, and is left out.
3. AMD's certificates and revocation list: PEM with any number of blocks, or DER; in one file or
   several. Roots, signers and product line are told apart by their common names.
Certificate chains come out in the one spelling that verifiers take (`attestation.dcap.pem`). Not
here: what services answer (`attestation.collateral_service`), and whether any of it is true.
"""

import json
from collections.abc import Sequence
from dataclasses import fields

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from attestation.collateral import (
    Collateral,
    DcapCollateral,
    SnpCollateral,
    decode_collateral,
    encode_collateral,
)
from attestation.dcap.collateral import MAX_JSON_DEPTH, bracket_depth
from attestation.dcap.pem import encode_chain
from attestation.errors import DecodeError
from attestation.fields import PRODUCTS

MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_FILES = 8
MAX_CERTIFICATES = 8  # of one file
MAX_CHAIN_BYTES = 32 * 1024

_NAMES = tuple(field.name for field in fields(DcapCollateral))
_BINARY = frozenset({"root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature"})
_CHAINS = tuple(name for name in _NAMES if name.endswith("_chain"))
_BEGIN = b"-----BEGIN CERTIFICATE-----"
_PROVERS = "pck_certificate_chain"
# common names of AMD's authorities, before the product line; the longer one first
_ROLES = (("SEV-VLEK-", "asvk"), ("SEV-", "ask"), ("ARK-", "ark"))


def read_collateral_files(files: Sequence[bytes]) -> Collateral:
    """The collateral in the contents of 1 to 8 files (1 to 3 above); raises DecodeError.

    SEV-SNP collateral may lack its revocation list or the signer of VLEKs; its ARK and ASK (or
    ASVK) are there.
    """
    if not 0 < len(files) <= MAX_FILES:
        raise DecodeError(f"collateral: {len(files)} files, expected 1 to {MAX_FILES}")
    for data in files:
        if not 0 < len(data) <= MAX_FILE_BYTES:
            raise DecodeError(f"collateral file: {len(data)} bytes, expected 1 to {MAX_FILE_BYTES}")
    collateral = _read_one(files[0]) if len(files) == 1 else None
    if collateral is None:
        collateral = _read_snp(files)
    encode_collateral(collateral)  # raises where it is larger than collateral may be
    return collateral


def canonical_chain(text: bytes) -> str:
    """PEM of certificates in the canonical spelling, order kept; raises DecodeError."""
    if len(text) > MAX_CHAIN_BYTES:
        raise DecodeError(f"certificate chain: {len(text)} bytes, at most {MAX_CHAIN_BYTES}")
    return encode_chain(tuple(map(_der, _load_pem(text)))).decode()


def read_json_object(text: str) -> dict[str, object]:
    """A JSON object without repeated keys; raises DecodeError."""
    if bracket_depth(text) > MAX_JSON_DEPTH:
        raise DecodeError(f"collateral: JSON nested deeper than {MAX_JSON_DEPTH} levels")
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise DecodeError("collateral: not JSON without repeated keys") from error
    if not isinstance(document, dict):
        raise DecodeError("collateral: not a JSON object")
    return document


def read_hex(name: str, value: object) -> bytes:
    """The bytes of hexadecimal text; raises DecodeError that names the field."""
    try:
        if isinstance(value, str) and value.isascii() and value.isalnum():
            return bytes.fromhex(value)
    except ValueError:
        pass
    raise DecodeError(f"collateral: {name} is not hexadecimal")


def read_text(name: str, value: object) -> str:
    """Text that has bytes in UTF-8; raises DecodeError that names the field."""
    if not isinstance(value, str) or not value:
        raise DecodeError(f"collateral: {name} is not text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DecodeError(f"collateral: {name} is not Unicode") from error
    return value


def _read_one(data: bytes) -> Collateral | None:
    if data.lstrip()[:1] == b"{":
        return _read_json(data)
    try:
        return decode_collateral(data)
    except DecodeError:
        return None


def _read_json(data: bytes) -> DcapCollateral:
    try:
        document = read_json_object(data.decode())
    except UnicodeDecodeError as error:
        raise DecodeError("collateral: not UTF-8") from error
    document.pop(_PROVERS, None)
    if set(document) != set(_NAMES):
        wrong = min(set(document).symmetric_difference(_NAMES))
        raise DecodeError(f"collateral: not exactly the nine fields: see {wrong[:40]!a}")
    texts = {
        name: read_text(name, value) for name, value in document.items() if name not in _BINARY
    }
    for name in _CHAINS:
        texts[name] = canonical_chain(texts[name].encode())
    binary = {name: read_hex(name, document[name]) for name in _BINARY}
    return DcapCollateral(**texts, **binary)  # type: ignore[arg-type]  # by name: text or bytes


def _read_snp(files: Sequence[bytes]) -> SnpCollateral:
    found: dict[str, bytes] = {}
    for data in files:
        certificates, lists = _parts(data)
        for certificate in certificates:
            role, product = _role(certificate)
            _put(found, role, _der(certificate))
            _put(found, "product", product.encode())
        for one in lists:
            _put(found, "crl", one.public_bytes(Encoding.DER))
    if "ark" not in found or not ("ask" in found or "asvk" in found):
        raise DecodeError(
            "collateral: neither our bytes, nor the nine fields in JSON, nor AMD's certificates "
            "(ARK with ASK or ASVK)"
        )
    return SnpCollateral(
        product=found["product"].decode(),
        ark=found["ark"],
        ask=found.get("ask", b""),
        asvk=found.get("asvk", b""),
        crl=found.get("crl", b""),
    )


def _put(found: dict[str, bytes], name: str, value: bytes) -> None:
    if found.setdefault(name, value) != value:
        raise DecodeError(f"collateral: two different values of {name}")


def _parts(
    data: bytes,
) -> tuple[list[x509.Certificate], list[x509.CertificateRevocationList]]:
    if b"-----BEGIN" in data:
        certificates = _load_pem(data) if _BEGIN in data else []
        return certificates, [_load_crl_pem(data)] if b"-----BEGIN X509 CRL-----" in data else []
    return _load_der(data)


def _load_der(
    data: bytes,
) -> tuple[list[x509.Certificate], list[x509.CertificateRevocationList]]:
    try:
        try:
            return [x509.load_der_x509_certificate(data)], []
        except ValueError:
            return [], [x509.load_der_x509_crl(data)]
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("collateral: a file in no form that is known") from error


def _load_pem(data: bytes) -> list[x509.Certificate]:
    try:
        certificates = x509.load_pem_x509_certificates(data)
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("certificates: not PEM that can be read") from error
    if len(certificates) != data.count(_BEGIN):
        raise DecodeError("certificates: a block is cut or has another label")
    if len(certificates) > MAX_CERTIFICATES:
        raise DecodeError(f"certificates: {len(certificates)}, at most {MAX_CERTIFICATES}")
    return certificates


def _load_crl_pem(data: bytes) -> x509.CertificateRevocationList:
    if data.count(b"-----BEGIN X509 CRL-----") != 1:
        raise DecodeError("collateral: more than one revocation list")
    try:
        return x509.load_pem_x509_crl(data)
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("revocation list: not PEM that can be read") from error


def _role(certificate: x509.Certificate) -> tuple[str, str]:
    try:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(names[0].value)
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("collateral: a certificate without a common name") from error
    for start, role in _ROLES:
        product = name.removeprefix(start)
        if name.startswith(start) and product in PRODUCTS:
            return role, product
    raise DecodeError("collateral: a certificate that is not AMD's ARK, ASK or ASVK")


def _der(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.public_bytes(Encoding.DER)
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("certificate: cannot be encoded again") from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("repeated key")
    return document
