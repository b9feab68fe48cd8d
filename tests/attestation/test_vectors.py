"""Real evidence from public sources, through our own path, judged as its manifest says.

Covered here: SGX and TDX quotes. SEV-SNP reports are `tests/attestation_snp`, certificates of
RA-TLS `tests/attestation_ratls`; reports of Intel's service of before 2025 (ias) have no verifier.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from attestation.dcap.layout import parse_quote
from attestation.errors import AttestationError, CannotDecideError, EvidenceError
from attestation.evidence import MAX_QUOTE_BYTES
from attestation.fields import SgxFields, TdxFields
from attestation.identity import Identity
from attestation.rules import VerificationRules
from attestation.verify import collateral_key, read_facts, verify, verify_collateral
from tests.support.dcap_vectors import (
    FORMATS,
    MANIFEST,
    REASON,
    all_vectors,
    case,
    collateral_of,
    dcap_vectors,
    evidence_of,
    first_run,
    intel_rules,
    judged,
    quote_path,
)

OTHER_PLATFORMS = {"sev-snp", "ra-tls", "ias"}
EARLIEST_LEVEL_S = int(datetime(2017, 1, 1, tzinfo=UTC).timestamp())

pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason=REASON)


@pytest.fixture(scope="module")
def rules() -> VerificationRules:
    """Rules that believe Intel."""
    return intel_rules()


def test_every_kind_of_vector_is_accounted_for() -> None:
    """The folder holds the kinds that are tested here and those that are tested elsewhere."""
    covered = {vector["format"] for vector in all_vectors()} & FORMATS
    others = {vector["platform"] for vector in all_vectors() if vector["format"] not in FORMATS}
    assert covered == FORMATS
    assert others == OTHER_PLATFORMS


@pytest.mark.parametrize("vector, run", [pytest.param(v, r, id=case(v, r)) for v, r in judged()])
def test_a_vector_is_judged_as_its_manifest_says(
    vector: dict[str, Any], run: dict[str, Any], rules: VerificationRules
) -> None:
    """Accepted with the same status, advisories and report fields, or refused."""
    evidence, collateral = evidence_of(vector), collateral_of(vector, run)
    if not run["ok"]:
        with pytest.raises(EvidenceError):
            verify(evidence, collateral, rules, run["now"])
        return
    verdict = verify(evidence, collateral, rules, run["now"])
    assert (verdict.status, verdict.advisories) == (
        run["status"],
        tuple(sorted(run["advisory_ids"])),
    )
    named = vector["measurements"]
    assert verdict.report_data.hex() == named["report_data"]
    assert verdict.identity.fmspc.hex() == vector["fmspc"].lower()
    assert verdict.identity.debug is named["debug"]
    assert verdict.collateral_key == collateral_key(evidence) == read_facts(collateral).key
    assert EARLIEST_LEVEL_S < verdict.identity.tcb_date_s < run["now"]
    _verify_code(verdict.identity, named)


def _verify_code(identity: Identity, named: dict[str, Any]) -> None:
    """The measured fields are the manifest's."""
    if isinstance(identity.fields, SgxFields):
        assert identity.measurement.hex() == named["mr_enclave"]
        assert identity.signer.hex() == named["mr_signer"]
        assert (identity.product_id, identity.svn) == (named["isv_prod_id"], named["isv_svn"])
        assert identity.fields.attributes.hex() == named["attributes"]
        return
    fields = identity.fields
    assert isinstance(fields, TdxFields)
    for name in ("mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3"):
        assert getattr(fields, name).hex() == named[name]
    assert fields.attributes.hex() == named["td_attributes"]
    assert (identity.signer, identity.product_id, identity.svn) == (b"", 0, 0)


@pytest.mark.parametrize(
    "vector, run",
    [pytest.param(v, r, id=case(v, r)) for v, r in judged() if "after_window" in r],
)
def test_a_vector_decides_nothing_outside_its_window(
    vector: dict[str, Any], run: dict[str, Any], rules: VerificationRules
) -> None:
    """Before and after its collateral's window no vector verifies."""
    evidence, collateral = evidence_of(vector), collateral_of(vector, run)
    for window in ("before_window", "after_window"):
        with pytest.raises((EvidenceError, CannotDecideError)):
            verify(evidence, collateral, rules, run[window]["now"])


@pytest.mark.parametrize("vector, run", [pytest.param(v, r, id=case(v, r)) for v, r in judged()])
def test_collateral_is_good_by_itself_in_its_window(
    vector: dict[str, Any], run: dict[str, Any], rules: VerificationRules
) -> None:
    """Real collateral is accepted without evidence where evidence is judged by it, not after."""
    collateral = collateral_of(vector, run)
    verdict = verify_collateral(collateral, rules, run["now"])
    named = run.get("tcb_evaluation_data_number", verdict.facts.lowest_number)
    assert named in (verdict.facts.lowest_number, verdict.facts.highest_number)
    with pytest.raises(CannotDecideError):
        verify_collateral(collateral, rules, verdict.facts.valid_until_s + 1)


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=v["id"]) for v in dcap_vectors() if not v.get("verification")]
)
def test_a_vector_without_collateral_is_never_accepted(
    vector: dict[str, Any], rules: VerificationRules
) -> None:
    """With another platform's collateral, or in a form we do not take, a quote is refused."""
    sample, run = first_run("sgx/phala-sample")
    with pytest.raises(AttestationError):
        verify(evidence_of(vector), collateral_of(sample, run), rules, run["now"])


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["id"]) for v in dcap_vectors()])
def test_the_shape_of_a_vector_is_as_measured(vector: dict[str, Any]) -> None:
    """A quote whose shape passes ends where the manifest says, with zeros after it at most."""
    quote = quote_path(vector).read_bytes()
    assert len(quote) <= MAX_QUOTE_BYTES
    try:
        parsed = parse_quote(quote)
    except AttestationError:
        assert vector["outcome_class"].startswith(("reject", "derived"))
        return
    if "structure" in vector:
        assert len(parsed.canonical) == vector["structure"]["exact_len"]
        assert parsed.version == vector["structure"]["version"]
