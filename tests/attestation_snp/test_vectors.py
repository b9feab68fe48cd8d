"""Reports of real hardware, judged as their manifest says."""

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from attestation.errors import AttestationError, CannotDecideError, DecisionFault, EvidenceError
from attestation.fields import SnpFields
from attestation.snp.verify import snp_collateral_key, verify_snp
from attestation.verdict import Verdict, decode_verdict, encode_verdict
from tests.support.snp_vectors import (
    AMD_ROOTS_SHA256,
    MANIFEST,
    amd_rules,
    collateral_of,
    evidence_of,
    line_of_root,
    run_of,
    snp_vectors,
)

pytestmark = pytest.mark.skipif(
    not MANIFEST.exists(), reason="the attestation vectors are not beside this checkout"
)

REFUSALS = {
    "verified-but-debug-policy": (EvidenceError, {"debug-enabled"}),
    "reject:signature": (EvidenceError, {"signature-invalid"}),
    "reject:chain": (CannotDecideError, {"collateral-of-another-platform"}),
}


def _name(vector: dict[str, Any]) -> str:
    return Path(vector["id"]).name


def _judge(vector: dict[str, Any], now_s: int | None = None) -> Verdict:
    return verify_snp(
        evidence_of(vector),
        collateral_of(vector),
        amd_rules(),
        run_of(vector)["now"] if now_s is None else now_s,
        needs_revocations=False,
    )


ACCEPTED = [v for v in snp_vectors() if v["outcome_class"].startswith("verified:")]
REFUSED = [v for v in snp_vectors() if v not in ACCEPTED]


def test_the_manifest_holds_what_this_file_expects() -> None:
    """Each vector is judged here: accepted, or refused for a reason that is known."""
    assert len(ACCEPTED) == 13
    assert {vector["outcome_class"] for vector in REFUSED} == set(REFUSALS)
    assert {line_of_root(vector) for vector in ACCEPTED} == set(AMD_ROOTS_SHA256)


def test_roots_are_those_that_amd_published() -> None:
    """The roots of the vectors are the published ones, by digest."""
    digests = {hashlib.sha256(root).hexdigest() for root in amd_rules().roots}
    assert digests == set(AMD_ROOTS_SHA256.values())


@pytest.mark.parametrize("vector", ACCEPTED, ids=_name)
def test_good_evidence_is_accepted_with_its_fields(vector: dict[str, Any]) -> None:
    """The verdict says what the manifest measured."""
    verdict = _judge(vector)
    said, identity = vector["measurements"], verdict.identity
    fields = identity.fields
    assert isinstance(fields, SnpFields)
    line = line_of_root(vector)
    assert identity.measurement.hex() == said["measurement"]
    assert verdict.report_data.hex() == said["report_data"]
    assert fields.host_data.hex() == said["host_data"]
    assert (identity.svn, fields.vmpl) == (said["guest_svn"], said["vmpl"])
    assert fields.guest_policy == int(said["policy"], 16)
    assert fields.is_vlek == (said["signing_key"] == "VLEK")
    chip = bytes.fromhex(said["chip_id"])
    assert identity.platform_id == (chip if any(chip) else b"")
    assert (identity.platform, identity.tcb_status) == ("snp", "NotRated")
    assert (fields.product, verdict.collateral_key) == (line, f"snp/{line}")
    assert snp_collateral_key(evidence_of(vector)) == f"snp/{line}"
    tcb = run_of(vector)["report_tcb"]
    names = {"bl": "boot_loader", "tee": "tee", "snp": "snp", "ucode": "microcode", "fmc": "fmc"}
    assert {key: getattr(fields.reported_tcb, names[key]) for key in tcb} == tcb
    assert decode_verdict(encode_verdict(verdict)) == verdict


@pytest.mark.parametrize("vector", REFUSED, ids=_name)
def test_bad_evidence_is_refused_for_the_reason_that_its_manifest_gives(
    vector: dict[str, Any],
) -> None:
    """Forged, damaged, debuggable and mispaired evidence is refused."""
    kind, codes = REFUSALS[vector["outcome_class"]]
    with pytest.raises(kind) as caught:
        _judge(vector)
    assert str(caught.value).partition(":")[0] in codes


@pytest.mark.parametrize("vector", ACCEPTED, ids=_name)
def test_the_dates_of_the_leaf_count(vector: dict[str, Any]) -> None:
    """Before its certificate begins, and after it ends, good evidence is refused."""
    first, last = (_unix(text) for text in run_of(vector)["leaf_validity"])
    for now_s in (first, last):
        assert _judge(vector, now_s).verified_at_s == now_s
    for now_s in (first - 1, last + 1):
        with pytest.raises(EvidenceError, match="certificate-dates"):
            _judge(vector, now_s)


@pytest.mark.parametrize("vector", ACCEPTED, ids=_name)
def test_without_a_revocation_list_nothing_is_decided(vector: dict[str, Any]) -> None:
    """Only a caller that says so goes without a revocation list."""
    with pytest.raises(CannotDecideError) as caught:
        verify_snp(evidence_of(vector), collateral_of(vector), amd_rules(), run_of(vector)["now"])
    assert caught.value.code == DecisionFault.COLLATERAL_NO_REVOCATIONS


def test_evidence_is_refused_with_the_certificate_of_every_other_report() -> None:
    """A report is believed with no other chip's certificate."""
    for vector in ACCEPTED:
        for other in ACCEPTED:
            mine, theirs = evidence_of(vector), evidence_of(other)
            if mine.certificate == theirs.certificate:
                continue
            mixed = replace(mine, certificate=theirs.certificate)
            with pytest.raises(AttestationError):
                verify_snp(
                    mixed,
                    collateral_of(other),
                    amd_rules(),
                    run_of(other)["now"],
                    needs_revocations=False,
                )


def _unix(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
