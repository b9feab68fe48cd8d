"""What the vendors' collateral services answer, read into collateral. Pure; nothing is verified.

1. Intel's provisioning certification service, version 4, or a cache of it: a JSON object of one
   signed document and its signature in hex, the issuer chain as URL-encoded PEM in a header;
   revocation lists in DER, PEM or hex.
2. AMD's key distribution service: certificates in PEM, the revocation list in DER (what
   `attestation.collateral_files` reads).
A signed document's text is taken exactly as it stands in the answer, because that was signed.
"""

import json
from dataclasses import dataclass
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import DcapCollateral, encode_collateral
from attestation.collateral_files import canonical_chain, read_hex, read_json_object
from attestation.errors import DecodeError

MAX_ANSWER_BYTES = 512 * 1024
MAX_HEADER_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A body, and the issuer chain of its header."""

    body: bytes
    issuer_chain: str  # as it came


@dataclass(frozen=True, slots=True, kw_only=True)
class DcapAnswers:
    """The four answers that collateral for one kind of platform is made of."""

    tcb: Answer
    qe_identity: Answer
    pck_crl: Answer
    root_crl: bytes


def dcap_collateral(answers: DcapAnswers) -> DcapCollateral:
    """The collateral in a service's answers; raises DecodeError."""
    tcb_info, tcb_info_signature = read_signed("tcbInfo", answers.tcb.body)
    qe_identity, qe_identity_signature = read_signed("enclaveIdentity", answers.qe_identity.body)
    collateral = DcapCollateral(
        pck_crl_issuer_chain=read_chain(answers.pck_crl.issuer_chain),
        root_ca_crl=read_revocations(answers.root_crl),
        pck_crl=read_revocations(answers.pck_crl.body),
        tcb_info_issuer_chain=read_chain(answers.tcb.issuer_chain),
        tcb_info=tcb_info,
        tcb_info_signature=tcb_info_signature,
        qe_identity_issuer_chain=read_chain(answers.qe_identity.issuer_chain),
        qe_identity=qe_identity,
        qe_identity_signature=qe_identity_signature,
    )
    encode_collateral(collateral)  # raises where it is larger than collateral may be
    return collateral


def read_signed(name: str, body: bytes) -> tuple[str, bytes]:
    """Text and signature of the document `name` in ``{name: {...}, "signature": "<hex>"}``.

    Raises DecodeError.
    """
    text = _text(body)
    document = read_json_object(text)
    if set(document) != {name, "signature"} or not isinstance(document[name], dict):
        raise DecodeError(f"answer: expected {name} and its signature")
    signature = read_hex("signature", document["signature"])
    # The signature has no brace, so the second one opens the document.
    start = text.index("{", text.index("{") + 1)
    value, end = json.JSONDecoder().raw_decode(text, start)
    if value != document[name]:
        raise DecodeError(f"answer: {name} is not where it should be")
    return text[start:end], signature


def read_chain(header: str) -> str:
    """The canonical PEM of a header's URL-encoded PEM; raises DecodeError."""
    if len(header) > MAX_HEADER_BYTES:
        raise DecodeError(f"issuer chain: {len(header)} characters, at most {MAX_HEADER_BYTES}")
    # An HTTP client keeps bytes that are no UTF-8 as lone surrogates; no chain has one.
    return canonical_chain(unquote(header, errors="replace").encode(errors="replace"))


def read_revocations(body: bytes) -> bytes:
    """The DER of a revocation list in DER, PEM or hex; raises DecodeError."""
    if len(body) > MAX_ANSWER_BYTES:
        raise DecodeError(f"revocation list: {len(body)} bytes, at most {MAX_ANSWER_BYTES}")
    stripped = body.strip()
    try:
        if stripped.startswith(b"-----BEGIN"):
            return x509.load_pem_x509_crl(stripped).public_bytes(Encoding.DER)
        der = bytes.fromhex(stripped.decode("ascii")) if stripped.isalnum() else body
        x509.load_der_x509_crl(der)
    except Exception as error:  # the parser has no one family of errors
        raise DecodeError("revocation list: neither DER, PEM nor hex") from error
    return der


def _text(body: bytes) -> str:
    if len(body) > MAX_ANSWER_BYTES:
        raise DecodeError(f"answer: {len(body)} bytes, at most {MAX_ANSWER_BYTES}")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise DecodeError("answer: not UTF-8") from error
