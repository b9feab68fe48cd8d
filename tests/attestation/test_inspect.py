"""What evidence claims before it is verified: the same fields, and never a status."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.errors import DecodeError, EvidenceError
from attestation.evidence import Evidence, EvidenceKind, decode_evidence
from attestation.identity import NOT_RATED, UNKNOWN, Identity, encode_identity
from attestation.inspect import identity_of_unverified
from attestation.judging import is_admitted
from attestation.policy import Match
from attestation.snp.verify import verify_snp
from attestation.verify import verify
from tests.support import snp_vectors
from tests.support.attested import NOW_S, SoftwareWorld
from tests.support.dcap_vectors import (
    MANIFEST,
    REASON,
    case,
    collateral_of,
    evidence_of,
    intel_rules,
    judged,
)
from tests.support.mutation import mutations
from tests.support.software_machines import Machine, make_machine

needs_vectors = pytest.mark.skipif(not MANIFEST.exists(), reason=REASON)


@pytest.fixture(scope="module", params=["sgx", "tdx", "snp"])
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A software platform of each TEE."""
    directory: Path = tmp_path_factory.mktemp("machine") / request.param
    return make_machine(directory, request.param, NOW_S)


def as_claimed(identity: Identity) -> Identity:
    """A verified identity without what only a verdict tells."""
    status = NOT_RATED if identity.platform == "snp" else UNKNOWN
    return replace(identity, tcb_status=status, tcb_date_s=0, advisories=())


def test_the_claim_is_the_identity_without_its_state(machine: Machine) -> None:
    """What verified evidence says of its enclave is what it claimed before."""
    evidence = machine.evidence.read_bytes()
    verdict = verify(evidence, machine.collateral.read_bytes(), machine.rules, NOW_S)
    assert identity_of_unverified(decode_evidence(evidence)) == as_claimed(verdict.identity)


def test_a_claim_is_no_identity(world: SoftwareWorld) -> None:
    """A claim of a quote has no encoding as an identity, and no policy admits it."""
    claimed = identity_of_unverified(decode_evidence(world.evidence()))
    with pytest.raises(DecodeError, match="bad tcb_status"):
        encode_identity(claimed)
    match = Match(measurement=claimed.measurement)
    assert not is_admitted(match, claimed, development=True, now_s=NOW_S)


def test_debug_is_claimed_too(world: SoftwareWorld) -> None:
    """Evidence that verification refuses for debug shows that it is."""
    assert identity_of_unverified(decode_evidence(world.debug_evidence())).debug


@needs_vectors
@pytest.mark.parametrize(
    "vector, run", [pytest.param(v, r, id=case(v, r)) for v, r in judged() if r["ok"]]
)
def test_quotes_of_real_hardware(vector: dict[str, object], run: dict[str, object]) -> None:
    """The claims of real quotes are what verification finds in them."""
    evidence = evidence_of(vector)
    now_s = int(str(run["now"]))
    verdict = verify(evidence, collateral_of(vector, run), intel_rules(), now_s)
    assert identity_of_unverified(decode_evidence(evidence)) == as_claimed(verdict.identity)


@needs_vectors
@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(vector, id=vector["id"])
        for vector in snp_vectors.snp_vectors()
        if vector["outcome_class"].startswith("verified:")
    ],
)
def test_reports_of_real_hardware(vector: dict[str, object]) -> None:
    """The claims of real reports are what verification finds, with and without a certificate."""
    evidence = snp_vectors.evidence_of(vector)
    verdict = verify_snp(
        evidence,
        snp_vectors.collateral_of(vector),
        snp_vectors.amd_rules(),
        snp_vectors.run_of(vector)["now"],
        needs_revocations=False,
    )
    assert identity_of_unverified(evidence) == verdict.identity
    bare = replace(evidence, certificate=b"")
    if str(vector["format"]).endswith("v2"):
        with pytest.raises(EvidenceError, match="no known processor"):
            identity_of_unverified(bare)
    else:
        assert identity_of_unverified(bare) == verdict.identity


def test_a_guest_that_allows_debugging_claims_it() -> None:
    """The debug bit of a guest's policy is what an identity calls debug."""
    if not MANIFEST.exists():
        pytest.skip(REASON)
    (vector,) = (v for v in snp_vectors.snp_vectors() if v["id"] == "sev-snp/google-milan-debug")
    assert identity_of_unverified(snp_vectors.evidence_of(vector)).debug


@given(st.data())
def test_any_evidence_claims_something_or_is_refused(machine: Machine, data: st.DataObject) -> None:
    """Whatever bytes stand in evidence, the only error is that of evidence."""
    good = decode_evidence(machine.evidence.read_bytes())
    quote = data.draw(mutations(good.quote) | st.binary(max_size=1300))
    certificate = data.draw(st.just(good.certificate) | mutations(good.certificate or b"\0"))
    for kind in EvidenceKind:
        try:
            identity_of_unverified(Evidence(kind, quote, certificate))
        except EvidenceError:
            continue
