"""Every vector of the manifest, through the path of the command and its verifier process."""

import asyncio
from typing import Any

import pytest

from attestation.fields import SgxFields, SnpFields, TdxFields
from attestation.identity import Identity
from attestation.judge_file import judge_file
from attestation.judgement import Decision, Judgement
from attestation.worker import VerificationWorker
from node.cli.evidence_words import judgement_fields, judgement_rows
from tests.support.evidence_vectors import (
    MANIFEST,
    REASON,
    Vector,
    VectorCase,
    all_cases,
    all_vectors,
)

pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason=REASON)

COUNTS = {"sgx": 27, "tdx": 20, "sev-snp": 20, "ra-tls": 6, "ias": 5}

# Where the manifest's own verifier accepted and we do not: by the start of the outcome's name.
STRICTER = {
    "verified-but-debug": "debug-enabled",  # whoever can read an enclave's memory is the enclave
    "ias": "service-retired",  # their signatures are good, and nobody vouches for the key any more
}
# Where both refuse, but we say another reason, because another check comes first.
OTHER_REASON = {
    "sgx/fortanix-debug": "quote-not-canonical",  # the chain in the quote is out of order
    "sgx/fortanix-corrupted": "quote-not-canonical",  # the same
    "sgx/intel-qvl-sample-test-root": "quote-not-canonical",  # holds no chain at all
    "sgx/derived-truncated": "quote-not-canonical",
    "tdx/google-spr-e4": "quote-not-canonical",  # 39 bytes that are not zero behind its end
}
CODES = {
    "reject:debug": "debug-enabled",
    "reject:signature": "signature-invalid",
    "reject:derived": "signature-invalid",
    "reject:self-signature": "signature-invalid",
    "reject:cert-type": "quote-not-canonical",
    "reject:no-tcb-level": "tcb-level-none",
    "reject:td-policy": "td-attributes",
    "reject:chain": "collateral-of-another-platform",
    "signature-valid-no-collateral": "collateral-missing",
}
UNDECIDED = {"reject:chain", "signature-valid-no-collateral"}  # what is beside it is at fault


def _cases() -> list[Any]:
    return [pytest.param(one, id=one.name) for one in all_cases()]


async def _judge_all() -> dict[str, Judgement]:
    worker = VerificationWorker()
    try:
        return {one.name: await judge_file(one.question, worker) for one in all_cases()}
    finally:
        await worker.close()


@pytest.fixture(scope="module")
def judgements() -> dict[str, Judgement]:
    """The answers, by the names of the cases."""
    return asyncio.run(_judge_all())


def expected_code(vector: Vector) -> str:
    """The code of the first reason; nothing for what shall be accepted."""
    outcome = str(vector["outcome_class"])
    if vector["platform"] == "ias":
        return STRICTER["ias"]
    if outcome.startswith("verified:"):
        return ""
    if outcome.startswith("verified-but-debug"):
        return STRICTER["verified-but-debug"]
    return OTHER_REASON.get(vector["id"], CODES.get(outcome, "unexpected"))


def test_every_vector_is_counted() -> None:
    """A new vector, or a missing one, is noticed."""
    found = [vector["platform"] for vector in all_vectors()]
    assert {platform: found.count(platform) for platform in found} == COUNTS
    names = [one.name for one in all_cases()]
    assert len(names) == len(set(names))
    assert {one.vector["id"] for one in all_cases()} == {one["id"] for one in all_vectors()}


@pytest.mark.parametrize("case", _cases())
def test_a_vector_is_judged_as_its_manifest_says(
    case: VectorCase, judgements: dict[str, Judgement]
) -> None:
    """Accepted, refused for the reason that the manifest's verifier gave, or undecided."""
    judgement, code = judgements[case.name], expected_code(case.vector)
    checks = [reason.check for reason in judgement.reasons]
    if not code:
        assert (judgement.decision, checks) == (Decision.ACCEPTED, [])
        return
    is_open = case.vector["outcome_class"] in UNDECIDED
    assert judgement.decision is (Decision.UNDECIDED if is_open else Decision.REFUSED)
    assert code in checks
    assert judgement.verdict is None
    assert all(reason.mend for reason in judgement.reasons)


@pytest.mark.parametrize("case", _cases())
def test_an_accepted_vector_is_told_in_full(
    case: VectorCase, judgements: dict[str, Judgement]
) -> None:
    """Status, advisories and every field that the manifest knows."""
    verdict = judgements[case.name].verdict
    if verdict is None:
        assert expected_code(case.vector)
        return
    identity, named = verdict.identity, case.vector["measurements"]
    assert verdict.report_data.hex() == named["report_data"]
    assert not identity.debug
    if identity.platform == "snp":
        _verify_snp(identity, case.vector)
        assert not judgements[case.name].checks_revocation  # the sources have no lists
        return
    assert judgements[case.name].checks_revocation
    assert verdict.status == case.run["status"]
    assert list(verdict.advisories) == sorted(case.run["advisory_ids"])
    fields = identity.fields
    if isinstance(fields, SgxFields):
        assert identity.measurement.hex() == named["mr_enclave"]
        assert identity.signer.hex() == named["mr_signer"]
        assert (identity.product_id, identity.svn) == (named["isv_prod_id"], named["isv_svn"])
        assert fields.attributes.hex() == named["attributes"]
        return
    assert isinstance(fields, TdxFields)
    assert fields.attributes.hex() == named["td_attributes"]
    for name in ("mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3"):
        assert getattr(fields, name).hex() == named[name]


def _verify_snp(identity: Identity, vector: Vector) -> None:
    named, fields = vector["measurements"], identity.fields
    assert isinstance(fields, SnpFields)
    assert identity.tcb_status == "NotRated"
    assert identity.measurement.hex() == named["measurement"]
    assert identity.svn == named["guest_svn"]
    assert fields.host_data.hex() == named["host_data"]
    assert fields.guest_policy == int(named["policy"], 16)
    assert fields.vmpl == named["vmpl"]
    assert fields.is_vlek is (named["signing_key"] == "VLEK")
    line = str(vector["verification"][0]["root"]).removeprefix("ARK-")
    assert fields.product == line


@pytest.mark.parametrize("case", _cases())
def test_a_vector_is_shown_alike_to_machines_and_people(
    case: VectorCase, judgements: dict[str, Judgement]
) -> None:
    """Only what was verified stands under `identity`; a claim is called one."""
    judgement = judgements[case.name]
    fields = judgement_fields(judgement, case.question)
    rows = dict(judgement_rows(judgement, case.question))
    is_accepted = judgement.decision is Decision.ACCEPTED
    assert fields["verdict"] == rows["verdict"] == judgement.decision
    assert (fields["identity"] is not None) is is_accepted
    assert (fields["report_data"] is not None) is is_accepted
    assert ("measurement" in rows) is is_accepted
    assert fields["claimed"] is None or not is_accepted
    assert ("claimed measurement" in rows) is (fields["claimed"] is not None)
    assert len(rows) == len(list(judgement_rows(judgement, case.question)))


def test_a_debug_enclave_is_refused_even_where_nothing_else_is_known(
    judgements: dict[str, Judgement],
) -> None:
    """Without collateral its own word is enough: no answer could accept it."""
    checks = [one.check for one in judgements["ra-tls/ccc-gramine-interop"].reasons]
    assert checks == ["debug-enabled", "collateral-missing"]
