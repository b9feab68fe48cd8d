"""Who may sign: roots, chains, and certificates that only look right."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import DcapCollateral
from attestation.dcap.pem import encode_chain
from attestation.dcap.trust import verify_chains
from attestation.errors import CannotDecideError, DecisionFault
from attestation.rules import VerificationRules, load_root
from tests.support.attested import NOW_S, SoftwareWorld, make_world

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


def self_issued(key: Key, signer: Key) -> bytes:
    """A certificate for `key` whose issuer is its subject, signed by `signer`."""
    return _root_builder(key.public_key()).sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


def _root_builder(key: PublicKey) -> x509.CertificateBuilder:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Root")])
    start = datetime.fromtimestamp(NOW_S, tz=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key)
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start.replace(year=start.year + 1))
    )


def p256() -> ec.EllipticCurvePrivateKey:
    """A random P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def der(certificate: x509.Certificate) -> bytes:
    """The bytes of a certificate."""
    return certificate.public_bytes(Encoding.DER)


def untrusted(held: DcapCollateral, rules: VerificationRules) -> str:
    """The collateral is refused; gives what was wrong with it."""
    with pytest.raises(CannotDecideError) as caught:
        verify_chains(held, rules)
    assert caught.value.code == DecisionFault.COLLATERAL_UNTRUSTED
    return caught.value.got


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA"])
def test_a_self_signed_certificate_is_a_root(kind: str) -> None:
    """Self-issued and self-signed, with EC or RSA, is all that a root must be."""
    root = _same_key(_key(kind))
    assert load_root(root).issuer == load_root(root).subject


@pytest.mark.parametrize("kind", ["signed by another key", "Ed25519"])
def test_certificates_that_only_look_like_a_root(kind: str) -> None:
    """A root whose own signature does not verify, or with another kind of key, is unusable."""
    root = _ed25519() if kind == "Ed25519" else self_issued(p256(), p256())
    with pytest.raises(CannotDecideError) as caught:
        load_root(root)
    assert caught.value.code == DecisionFault.ROOT_UNUSABLE


def _key(kind: str) -> Key:
    if kind == "RSA":
        return rsa.generate_private_key(65_537, 2048)
    return ec.generate_private_key(ec.SECP256R1() if kind == "P-256" else ec.SECP384R1())


def _ed25519() -> bytes:
    key = ed25519.Ed25519PrivateKey.generate()
    return _root_builder(key.public_key()).sign(key, None).public_bytes(Encoding.DER)


def _same_key(key: Key) -> bytes:
    return self_issued(key, key)


def test_a_signer_that_the_root_did_not_issue(world: SoftwareWorld) -> None:
    """A pinned key in a certificate of another root's is not trusted."""
    other = make_world()
    chain = encode_chain((der(other.authority.tcb_signer), world.root)).decode()
    rules = replace(world.rules, tcb_signer_pins=other.rules.tcb_signer_pins)
    held = replace(other.collateral(), tcb_info_issuer_chain=chain)
    assert untrusted(held, replace(rules, roots=(world.root, other.root)))
    mixed = replace(world.collateral(), tcb_info_issuer_chain=chain, qe_identity_issuer_chain=chain)
    assert untrusted(mixed, rules) == "a certificate that the root did not issue"


def test_chains_of_two_roots_are_not_mixed(world: SoftwareWorld) -> None:
    """Every chain of one collateral ends in the same root, even where two are configured."""
    other = make_world()
    rules = VerificationRules(
        roots=(world.root, other.root),
        tcb_signer_pins=world.rules.tcb_signer_pins + other.rules.tcb_signer_pins,
    )
    theirs = other.collateral()
    mixed = replace(
        world.collateral(),
        qe_identity=theirs.qe_identity,
        qe_identity_signature=theirs.qe_identity_signature,
        qe_identity_issuer_chain=theirs.qe_identity_issuer_chain,
    )
    assert untrusted(mixed, rules) == "chains with different roots"


def test_a_signer_that_is_no_certificate(world: SoftwareWorld) -> None:
    """A chain of the right shape around junk is not trusted."""
    chain = encode_chain((b"junk", world.root)).decode()
    held = replace(world.collateral(), tcb_info_issuer_chain=chain)
    assert untrusted(held, world.rules) == "certificate: cannot be parsed"


def test_the_root_itself_is_no_signer_of_documents(world: SoftwareWorld) -> None:
    """Only the pinned key signs documents: not even the root may."""
    chain = encode_chain((world.root, world.root)).decode()
    held = replace(world.collateral(), tcb_info_issuer_chain=chain)
    with pytest.raises(CannotDecideError) as caught:
        verify_chains(held, world.rules)
    assert caught.value.code == DecisionFault.COLLATERAL_UNTRUSTED
    assert world.rules.tcb_signer_pins[0].hex() in caught.value.expected
