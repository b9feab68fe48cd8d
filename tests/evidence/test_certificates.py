"""RA-TLS certificates judged from files: evidence, binding, self-signature and dates."""

from dataclasses import replace

import pytest

from attestation.errors import (
    DecisionFault,
    EvidenceFault,
)
from attestation.judgement import Decision, Question
from attestation.ratls.forms import DICE_OID, ratls_report_data
from attestation.ratls.make import encode_claims
from tests.support.attested import NOW_S, make_world
from tests.support.direct_verifier import first, judged
from tests.support.ratls_certificates import (
    Wanted,
    claims_with,
    dice_value,
    make_certificate,
    spki_of,
)

WORLD = make_world()
DAY_S = 86_400
QUOTE = Question(
    file=WORLD.quote(), now_s=NOW_S, collateral=(WORLD.collateral_bytes(),), root=WORLD.root
)


KEY = Wanted()
CLAIMS = encode_claims(spki_of(KEY.key))
GOOD = make_certificate(KEY, {DICE_OID: dice_value(WORLD, CLAIMS)})
CERTIFICATE = replace(QUOTE, file=GOOD)


def test_a_certificate_is_accepted_with_its_form() -> None:
    """Evidence, binding, self-signature and dates."""
    judgement = judged(CERTIFICATE)
    assert (judgement.decision, judgement.form) == (Decision.ACCEPTED, "dice")
    assert judgement.verdict is not None
    assert judgement.verdict.report_data == ratls_report_data(CLAIMS)


@pytest.mark.parametrize(
    "file, code",
    [
        (
            make_certificate(Wanted(key=KEY.key, signer=Wanted().key), {DICE_OID: b""}),
            EvidenceFault.MALFORMED,
        ),
        (
            make_certificate(
                Wanted(key=KEY.key, signer=Wanted().key), {DICE_OID: dice_value(WORLD, CLAIMS)}
            ),
            EvidenceFault.SIGNATURE,
        ),
        (
            make_certificate(Wanted(), {DICE_OID: dice_value(WORLD, CLAIMS)}),
            EvidenceFault.REPORT_DATA,
        ),
        (
            make_certificate(KEY, {DICE_OID: dice_value(WORLD, claims_with(1, bytes(32)))}),
            EvidenceFault.REPORT_DATA,
        ),
        (
            make_certificate(KEY, {DICE_OID: dice_value(WORLD, CLAIMS)}, NOW_S - 2 * DAY_S),
            EvidenceFault.CERTIFICATE_DATES,
        ),
    ],
    ids=["no evidence", "signed by another", "of another key", "other claims", "ended"],
)
def test_a_certificate_that_is_not_its_evidence_s_is_refused(
    file: bytes, code: EvidenceFault
) -> None:
    """Though the quote in it is good: then its identity is no more than a claim of the file."""
    judgement = judged(replace(CERTIFICATE, file=file))
    assert first(judgement) == (Decision.REFUSED, code)
    assert (judgement.verdict, judgement.checks_revocation) == (None, False)


def test_every_reason_is_told_at_once() -> None:
    """A bad certificate without collateral is refused, and lacks collateral too."""
    file = make_certificate(Wanted(), {DICE_OID: dice_value(WORLD, CLAIMS)}, NOW_S - 2 * DAY_S)
    judgement = judged(replace(CERTIFICATE, file=file, collateral=()))
    assert judgement.decision is Decision.REFUSED
    assert [one.check for one in judgement.reasons] == [
        EvidenceFault.REPORT_DATA,
        EvidenceFault.CERTIFICATE_DATES,
        DecisionFault.COLLATERAL_MISSING,
    ]


def test_a_good_certificate_with_a_quote_of_a_bad_shape_is_refused_for_the_quote() -> None:
    """The binding of what cannot be read is not judged."""
    bad = dice_value(WORLD, CLAIMS).replace(b"-----END", b"-----end")
    judgement = judged(replace(CERTIFICATE, file=make_certificate(KEY, {DICE_OID: bad})))
    assert [one.check for one in judgement.reasons] == [EvidenceFault.NOT_CANONICAL]
