"""Every byte counts: evidence of each kind with any one byte changed is refused.

Each byte is changed twice: its lowest bit, and to another value drawn with a fixed seed.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from attestation.collateral import encode_collateral
from attestation.dcap.layout import parse_quote
from attestation.errors import DecodeError
from attestation.judgement import Decision, Question
from attestation.ratls.forms import DICE_OID, GRAMINE_LEGACY_OID
from attestation.ratls.make import encode_claims
from attestation.snp.report import SIGNED_SIZE
from tests.support.attested import NOW_S, make_world
from tests.support.direct_verifier import judged
from tests.support.evidence_vectors import MANIFEST, REASON, case_of
from tests.support.ratls_certificates import (
    Wanted,
    dice_value,
    legacy_value,
    make_certificate,
    spki_of,
)

needs_vectors = pytest.mark.skipif(not MANIFEST.exists(), reason=REASON)

SGX = "sgx/zkdcap-types"
TDX = ("tdx/oasis-v4", "tdx/google-v5", "tdx/openenclave-v5-seamldr5:collateral")
SNP = ("sev-snp/virtee-milan", "sev-snp/ms-genoa", "sev-snp/ms-turin")
SNP_VLEK = "sev-snp/trustee-milan-vlek"
GRAMINE = "ra-tls/konvera-gramine:collateral"


def changed(data: bytes, places: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """`data` with the byte at each place changed, in two ways."""
    drawn = random.Random(7)
    for at in places:
        for other in (data[at] ^ 1, (data[at] + drawn.randrange(1, 256)) % 256):
            yield at, data[:at] + bytes((other,)) + data[at + 1 :]


def decision(question: Question) -> Decision:
    """What is decided; a file that is not even recognised is refused as well."""
    try:
        return judged(question).decision
    except DecodeError:
        return Decision.REFUSED


def verify_refused(question: Question, places: Iterable[int]) -> None:
    """Every change at these places of the file is refused; the file itself is accepted."""
    assert decision(question) is Decision.ACCEPTED
    for at, data in changed(question.file, places):
        assert decision(replace(question, file=data)) is Decision.REFUSED, f"byte {at}"


def verify_not_accepted(question: Question, places: Iterable[int]) -> None:
    """The same where a change may also turn good collateral into another platform's."""
    assert decision(question) is Decision.ACCEPTED
    for at, data in changed(question.file, places):
        assert decision(replace(question, file=data)) is not Decision.ACCEPTED, f"byte {at}"


def sections(quote: bytes) -> tuple[range, range, range]:
    """Where a quote's signed region, its QE part up to the chain, and the rest stand."""
    signed = len(parse_quote(quote).signed_region)
    chain = quote.index(b"-----BEGIN CERTIFICATE-----")
    return range(signed), range(signed, chain), range(chain, len(quote))


@needs_vectors
def test_every_byte_of_an_sgx_quote_is_covered() -> None:
    """The enclave's report, its signature, the quoting enclave's report and what it vouches for."""
    question = case_of(SGX).question
    signed, vouched, _ = sections(question.file)
    verify_refused(question, (*signed, *vouched))


@pytest.mark.slow
@needs_vectors
@pytest.mark.parametrize("name", TDX)
def test_every_byte_of_a_tdx_quote_is_covered(name: str) -> None:
    """The same for the forms of version 4, and of version 5 with reports of TDX 1.0 and 1.5."""
    question = case_of(name).question
    signed, vouched, _ = sections(question.file)
    verify_refused(question, (*signed, *vouched))


@needs_vectors
@pytest.mark.parametrize("name", TDX)
def test_the_fields_of_a_tdx_quote_are_covered(name: str) -> None:
    """One byte of each sixteen of a TD's report, and of what stands behind it."""
    question = case_of(name).question
    signed, vouched, rest = sections(question.file)
    verify_refused(question, (*signed[::16], *vouched[::16]))
    verify_not_accepted(question, rest[::64])


@pytest.mark.slow
@needs_vectors
@pytest.mark.parametrize("name", [SGX, *TDX])
def test_every_byte_of_the_chain_in_a_quote_is_covered(name: str) -> None:
    """Certificates, their spelling as PEM, and the padding behind them."""
    question = case_of(name).question
    verify_not_accepted(question, sections(question.file)[2])


@needs_vectors
@pytest.mark.parametrize("name", [*SNP, SNP_VLEK])
def test_every_byte_of_a_snp_report_is_covered(name: str) -> None:
    """All that is signed, for each version of the report and both kinds of key."""
    question = case_of(name).question
    verify_refused(question, range(SIGNED_SIZE))


@needs_vectors
@pytest.mark.parametrize("name", [*SNP, SNP_VLEK])
def test_every_byte_of_a_snp_signature_counts(name: str) -> None:
    """The signature, and the zeros around it."""
    question = case_of(name).question
    verify_refused(question, range(SIGNED_SIZE, len(question.file)))


@needs_vectors
@pytest.mark.parametrize("name", [*SNP, SNP_VLEK])
def test_every_certificate_above_a_snp_report_is_covered(name: str) -> None:
    """One byte of each sixteen of the leaf, the signer and the root."""
    question = case_of(name).question
    assert decision(question) is Decision.ACCEPTED
    for position, certificate in enumerate(question.chain):
        for at, data in changed(certificate, range(0, len(certificate), 16)):
            chain = (*question.chain[:position], data, *question.chain[position + 1 :])
            decided = decision(replace(question, chain=chain))
            assert decided is not Decision.ACCEPTED, f"certificate {position}, byte {at}"


@pytest.mark.slow
@needs_vectors
def test_every_byte_of_gramine_s_certificate_is_covered() -> None:
    """A real certificate of the legacy form, with the quote in it."""
    question = case_of(GRAMINE).question
    verify_not_accepted(question, range(len(question.file)))


@pytest.fixture(scope="module", params=["dice", "legacy"])
def own_certificate(request: pytest.FixtureRequest) -> Question:
    """A certificate over a quote of a software platform, whose root is given."""
    world, wanted = make_world(), Wanted()
    spki = spki_of(wanted.key)
    if request.param == "dice":
        extension = {DICE_OID: dice_value(world, encode_claims(spki))}
    else:
        extension = {GRAMINE_LEGACY_OID: legacy_value(world, spki)}
    return Question(
        file=make_certificate(wanted, extension),
        now_s=NOW_S,
        collateral=(encode_collateral(world.collateral()),),
        root=world.root,
    )


def test_the_parts_of_a_certificate_are_covered(own_certificate: Question) -> None:
    """One byte of each sixteen of a certificate of ours, in both forms."""
    verify_not_accepted(own_certificate, range(0, len(own_certificate.file), 16))


@pytest.mark.slow
def test_every_byte_of_a_certificate_is_covered(own_certificate: Question) -> None:
    """Every byte of it: claims, key, names, dates, quote and signature."""
    verify_not_accepted(own_certificate, range(len(own_certificate.file)))
