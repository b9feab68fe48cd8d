"""Targets: collateral as bytes and as people's files."""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import (
    CollateralFacts,
    collateral_digest,
    decode_collateral,
    encode_collateral,
)
from attestation.collateral_files import read_collateral_files
from attestation.collateral_verdict import (
    decode_collateral_verdict,
    encode_collateral_verdict,
    is_successor,
)
from attestation.errors import CannotDecideError, DecodeError
from attestation.verify import read_facts, verify_collateral
from tests.fuzz_nightly.target import Target
from tests.fuzz_nightly.worlds import (
    amd,
    dcap_collateral,
    encoded_collateral,
    encoded_evidence,
    judged,
    rules,
)
from tests.support.attested import NOW_S

_VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
_TEES = ("sgx", "tdx", "snp")
_SEPARATOR = b"\n--- next file ---\n"


def check_collateral(data: bytes, now_s: int = NOW_S) -> None:
    """Facts are read or refused; a verdict says the same, has one encoding, and decides alike."""
    try:
        facts = read_facts(data)
    except CannotDecideError:
        return
    check_facts(facts)
    for tee in _TEES:
        held = read_facts(encoded_collateral(tee))
        if is_successor(facts, held) and is_successor(held, facts):
            raise AssertionError("each is newer than the other")
    try:
        verdict = verify_collateral(data, rules(), now_s)
    except CannotDecideError:
        return
    if verdict.facts != facts or verdict.digest != collateral_digest(data):
        raise AssertionError("a verdict on something else")
    if decode_collateral_verdict(encode_collateral_verdict(verdict)) != verdict:
        raise AssertionError("a verdict with two encodings")
    evidence = encoded_evidence(facts.key.partition("/")[0])
    judged(evidence, evidence[5:], data, now_s)


def check_facts(facts: CollateralFacts) -> None:
    """What the ledger's formats can hold."""
    if not facts.order or len(facts.substance) != 32:
        raise AssertionError("facts without order or substance")
    if not all(0 <= number < 2**63 for pair in facts.order for number in pair):
        raise AssertionError("a number or date that no verdict can hold")


def check_files(data: bytes) -> None:
    """Files that people have: whatever is read is collateral in its one form, and stays so."""
    with suppress(DecodeError):
        collateral = read_collateral_files(data.split(_SEPARATOR))
        encoded = encode_collateral(collateral)
        if decode_collateral(encoded) != collateral:
            raise AssertionError("collateral with two readings")
        if read_collateral_files([encoded]) != collateral:
            raise AssertionError("our own bytes are read otherwise")
        check_collateral(encoded)


def _encoded() -> list[bytes]:
    return [encoded_collateral(tee) for tee in _TEES]


def _files() -> list[bytes]:
    fields = {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in asdict(dcap_collateral("sgx")).items()
    }
    snp = amd().collateral()
    ders = (snp.ark, snp.ask, snp.asvk)
    pems = b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in ders)
    crl = x509.load_der_x509_crl(snp.crl).public_bytes(Encoding.PEM)
    real = [path.read_bytes() for path in sorted(_VECTORS.glob("*/*/collateral.json"))]
    mixed = [pems + crl, _SEPARATOR.join((pems, snp.crl)), _SEPARATOR.join((*ders, snp.crl))]
    return [json.dumps(fields).encode(), *mixed, *_encoded(), *real]


TARGETS = (
    Target("collateral", check_collateral, _encoded),
    Target("collateral-files", check_files, _files),
)
