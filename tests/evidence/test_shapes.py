"""Evidence of another shape than is accepted: what is wrong is told, and what mends just that."""

from dataclasses import replace

import pytest

from attestation.dcap.layout import parse_quote
from attestation.dcap.pem import encode_chain
from attestation.errors import EvidenceFault, ShapeFault
from attestation.evidence import Evidence, EvidenceKind, encode_evidence
from attestation.judgement import Decision, Question
from attestation.mends import MENDS, SHAPE_MENDS
from tests.support.attested import NOW_S, make_world
from tests.support.direct_verifier import first, judged
from tests.support.evidence_vectors import MANIFEST, REASON, case_of
from tests.support.snp_world import GUEST, SnpWorld

SIGNATURE_AT = 432  # of a quote of version 3: the length of what follows
CHAIN_TYPE_AT = 436 + 128 + 448 + 34

WORLD, SNP = make_world(), SnpWorld()
QUOTE = Question(
    file=WORLD.quote(), now_s=NOW_S, collateral=(WORLD.collateral_bytes(),), root=WORLD.root
)
CERTIFICATES = parse_quote(QUOTE.file).chain
CHAIN = encode_chain(CERTIFICATES)
HELD = SNP.collateral()
REPORT = Question(
    file=SNP.evidence().quote,
    now_s=NOW_S,
    root=HELD.ark,
    chain=(SNP.vcek(), HELD.ask, HELD.ark),
)


def chained(text: bytes, kind: int = 5) -> bytes:
    """The quote with this for its certificates, and every length right."""
    body = QUOTE.file[:CHAIN_TYPE_AT] + kind.to_bytes(2, "little")
    body += len(text).to_bytes(4, "little") + text
    size = (len(body) - SIGNATURE_AT - 4).to_bytes(4, "little")
    return body[:SIGNATURE_AT] + size + body[SIGNATURE_AT + 4 :]


@pytest.mark.parametrize(
    "file, got, fault",
    [
        (QUOTE.file[:500], "quote: 500 bytes, ends inside a field", ShapeFault.NOT_WHOLE),
        (QUOTE.file + b"xyz", "quote: 3 bytes after the end", ShapeFault.NOT_WHOLE),
        (chained(encode_chain(CERTIFICATES[:2])), "2 PEM blocks, expected 3", ShapeFault.CHAIN),
        (chained(b""), "0 PEM blocks, expected 3", ShapeFault.CHAIN),
        (chained(CHAIN.rstrip()), "without its newline", ShapeFault.CHAIN),
        (chained(b"\n" + CHAIN), "not in canonical form", ShapeFault.CHAIN),
        (chained(CHAIN + b"\n"), "3 PEM blocks, with other text", ShapeFault.CHAIN),
        (chained(CHAIN, kind=3), "certification type 3, expected 5", ShapeFault.CHAIN),
        (chained(encode_chain(CERTIFICATES[::-1])), "no SGX extension", ShapeFault.CHAIN),
        (b"\x03\0\x03" + QUOTE.file[3:], "attestation key type 3", None),
    ],
)
def test_a_quote_of_a_bad_shape(file: bytes, got: str, fault: ShapeFault | None) -> None:
    """Only a chain that is missing or odd is the quoting library's to mend; a cut file is not."""
    (reason,) = judged(replace(QUOTE, file=file)).reasons
    assert reason.check == EvidenceFault.NOT_CANONICAL
    assert got in reason.got
    mend = MENDS[reason.check] if fault is None else SHAPE_MENDS[fault]
    assert reason.mend == mend.mend


def test_a_report_that_the_host_asked_for() -> None:
    """It has to come from the guest, and the guest's firmware is not blamed."""
    file = SNP.evidence(replace(GUEST, vmpl=0xFFFFFFFF)).quote
    judgement = judged(replace(REPORT, file=file))
    assert first(judgement) == (Decision.REFUSED, EvidenceFault.NOT_CANONICAL)
    assert judgement.reasons[0].mend == SHAPE_MENDS[ShapeFault.NOT_BY_GUEST].mend


def test_a_report_with_a_certificate_of_another_shape() -> None:
    """The certificate is to be fetched anew."""
    file = encode_evidence(Evidence(EvidenceKind.SNP, REPORT.file, WORLD.root))
    judgement = judged(replace(REPORT, file=file, chain=(HELD.ask, HELD.ark)))
    assert first(judgement) == (Decision.REFUSED, EvidenceFault.NOT_CANONICAL)
    assert judgement.reasons[0].mend == SHAPE_MENDS[ShapeFault.CERTIFICATE].mend


def test_a_report_with_reserved_bytes() -> None:
    """No more can be said than which shapes are accepted."""
    (reason,) = judged(replace(REPORT, file=REPORT.file[:-1] + b"x")).reasons
    assert reason.mend == MENDS[EvidenceFault.NOT_CANONICAL].mend


@pytest.mark.skipif(not MANIFEST.exists(), reason=REASON)
@pytest.mark.parametrize(
    "name, got, fault",
    [
        ("sgx/derived-truncated", "quote: 2000 bytes, ends", ShapeFault.NOT_WHOLE),
        ("tdx/google-spr-e4", "quote: 39 bytes after the end", ShapeFault.NOT_WHOLE),
        ("sgx/fortanix-debug", "3 PEM blocks, the last line without", ShapeFault.CHAIN),
    ],
)
def test_real_quotes_of_a_bad_shape(name: str, got: str, fault: ShapeFault) -> None:
    """As people found them."""
    (reason,) = judged(case_of(name).question).reasons
    assert got in reason.got
    assert reason.mend == SHAPE_MENDS[fault].mend
