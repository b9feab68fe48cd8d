"""docs/policies.md: its policies are policies, and admit the evidence that they speak of."""

from dataclasses import replace
from typing import Any

import pytest

from attestation.collateral import encode_collateral
from attestation.conditions import SnpMatch
from attestation.evidence import encode_evidence
from attestation.explain import explain
from attestation.facts import Facts
from attestation.fields import SnpFields, TdxFields
from attestation.identity import Identity
from attestation.judging import FOREVER, NEVER, Subject, admitted_until, is_admitted
from attestation.policy import AnyOf, Match, Policy, encode_policy
from attestation.releases import EndorsedRelease
from attestation.snp.verify import verify_snp
from attestation.verify import verify
from enclave_client.policy_doubts import policy_doubts
from enclave_client.policy_entries import PolicyEntry
from enclave_client.policy_file import decode_single_policy, encode_single_policy
from tests.support import dcap_vectors, snp_vectors
from tests.support.attested import NOW_S, REPORT, make_world
from tests.support.documents import document, marks, shown

PAGE = "docs/policies.md"
DAY_S = 86_400
DOUBTS = {"product line": ["a signer without minimum_svn"]}
needs_vectors = pytest.mark.skipif(not dcap_vectors.MANIFEST.exists(), reason=dcap_vectors.REASON)


def policy(name: str) -> Policy:
    """The policy of the page under this mark."""
    return decode_single_policy(shown(PAGE, f"policy {name}").encode())


def match(name: str) -> Match:
    """The same, of one match."""
    found = policy(name)
    assert isinstance(found, Match)
    return found


def software(measurement: bytes = REPORT.mr_enclave) -> Identity:
    """An enclave of that measurement on an UpToDate platform, verified."""
    world = make_world()
    evidence = world.evidence(replace(REPORT, mr_enclave=measurement))
    return verify(evidence, world.collateral_bytes(), world.rules, NOW_S).identity


def judged(name: str) -> tuple[Identity, int]:
    """The verified identity of a real quote, and when it was judged."""
    vector, run = dcap_vectors.first_run(name)
    evidence, collateral = dcap_vectors.evidence_of(vector), dcap_vectors.collateral_of(vector, run)
    verdict = verify(evidence, collateral, dcap_vectors.intel_rules(), run["now"])
    return verdict.identity, int(run["now"])


def refused(found: Policy, identity: Identity, now_s: int) -> list[str]:
    """The fields that are not met; none for who is admitted."""
    findings = explain(found, Subject(identity), development=False, now_s=now_s)
    failed = [one.field for one in findings if not one.ok]
    if isinstance(found, Match):
        assert is_admitted(found, identity, development=False, now_s=now_s) is not bool(failed)
    return failed


def test_all_policies() -> None:
    """Each block is read, encodes, survives its file, and raises only the doubt that is told."""
    names = [name.removeprefix("policy ") for name in marks(PAGE)]
    assert len(names) == 6
    for name in names:
        found = policy(name)
        encode_policy(found)
        assert decode_single_policy(encode_single_policy(found)) == found
        doubts = policy_doubts(found)
        assert [doubt.partition(" admits")[0] for doubt in doubts] == DOUBTS.get(name, [])
        assert all(f"`{doubt}`" in document(PAGE) for doubt in doubts)


def test_every_field_is_in_the_tables() -> None:
    """What can be written in a file is explained on the page."""
    page = document(PAGE)
    fields = {name for name in PolicyEntry.model_fields if name not in ("any", "all")}
    tees = {"sgx", "tdx", "snp"}
    for name in fields - tees:
        assert f"`{name}`" in page
    for tee in tees:
        annotation: Any = PolicyEntry.model_fields[tee].annotation
        kind = annotation.__args__[0]
        for name in kind.model_fields:
            ranged = name in ("rtmr1", "rtmr2")  # rtmr0 to rtmr3
            assert f"`{name}`" in page or f"`{tee}.{name}`" in page or ranged


def test_one_exact_build_that_is_up_to_date() -> None:
    """The build is admitted on an UpToDate platform, another build is not."""
    found = match("one build")
    assert refused(found, software(found.measurement), NOW_S) == []
    assert refused(found, software(), NOW_S) == ["measurement"]


def test_an_enrolled_machine() -> None:
    """The build is admitted where its machine is known to be enrolled, and nowhere else."""
    found = match("enrolled")
    identity = software(found.measurement)
    assert refused(found, identity, NOW_S) == ["enrolled"]
    known = Subject(identity, Facts(is_enrolled=True))
    assert admitted_until(found, known, development=False) == FOREVER
    stranger = Subject(software(), Facts(is_enrolled=True))
    assert admitted_until(found, stranger, development=False) == NEVER


@needs_vectors
def test_one_exact_build_on_a_real_machine() -> None:
    """The real quote of that build is refused for the state of its platform, and only for that."""
    identity, now_s = judged("sgx/konvera-gramine")
    assert refused(match("one build"), identity, now_s) == ["tcb_status", "advisories"]
    mended = replace(identity, tcb_status="UpToDate", advisories=())
    assert refused(match("one build"), mended, now_s) == []


@needs_vectors
def test_a_product_line_until_its_grace_ends() -> None:
    """The real quote is admitted for 60 days after its TCB level's date, with both advisories."""
    found = match("product line")
    identity, now_s = judged("sgx/oasis-mainnet-block-25300000")
    assert refused(found, identity, now_s) == []
    end = admitted_until(found, Subject(identity), development=False)
    assert end == identity.tcb_date_s + 60 * DAY_S > now_s
    assert refused(found, identity, end) == ["grace"]
    third = replace(identity, advisories=(*identity.advisories, "INTEL-SA-99999"))
    assert refused(found, third, now_s) == ["advisories"]
    assert refused(found, replace(identity, signer=bytes(32)), now_s) == ["signer"]


@needs_vectors
def test_the_ages_that_the_page_tells() -> None:
    """The real quotes that were not UpToDate were so many days past their TCB level's date."""
    ages = []
    for vector, run in dcap_vectors.judged():
        if run["ok"] and run["status"] != "UpToDate":
            evidence = dcap_vectors.evidence_of(vector)
            collateral = dcap_vectors.collateral_of(vector, run)
            rules = dcap_vectors.intel_rules()
            verdict = verify(evidence, collateral, rules, run["now"])
            ages.append((run["now"] - verdict.identity.tcb_date_s) // DAY_S)
    assert f"were {min(ages)} to {max(ages)} days past that date" in document(PAGE)


@needs_vectors
def test_a_confidential_vm() -> None:
    """The real TD is admitted; other kernels and attributes are not."""
    found = match("confidential vm")
    identity, now_s = judged("tdx/phala-sample")
    assert refused(found, identity, now_s) == []
    other, at_s = judged("tdx/flashbots-dcap")
    assert {"tdx.mr_td", "tdx.rtmr1", "tdx.rtmr2"} <= set(refused(found, other, at_s))
    assert isinstance(identity.fields, TdxFields)
    for byte, bits in ((0, 0x01), (0, 0x80), (3, 0x20), (3, 0x10), (7, 0x80)):
        attributes = bytearray(identity.fields.attributes)
        attributes[byte] ^= bits
        fields = replace(identity.fields, attributes=bytes(attributes))
        assert refused(found, replace(identity, fields=fields), now_s) == ["tdx.attributes"]


@needs_vectors
def test_a_guest_on_an_enrolled_chip() -> None:
    """The real guest is admitted; on another chip, with other data or older firmware it is not."""
    found = match("guest")
    (vector,) = (v for v in snp_vectors.snp_vectors() if v["id"] == "sev-snp/dstack-milan")
    now_s = snp_vectors.run_of(vector)["now"]
    evidence, collateral = snp_vectors.evidence_of(vector), snp_vectors.collateral_of(vector)
    encode_evidence(evidence)
    encode_collateral(collateral)
    identity = verify_snp(
        evidence, collateral, snp_vectors.amd_rules(), now_s, needs_revocations=False
    ).identity
    assert refused(found, identity, now_s) == []
    assert refused(found, replace(identity, platform_id=bytes(64)), now_s) == ["platform_id"]
    assert isinstance(identity.fields, SnpFields)
    for change, field in (
        ({"host_data": bytes(32)}, "snp.host_data"),
        ({"is_vlek": True}, "snp.vlek"),
        ({"vmpl": 1}, "snp.maximum_vmpl"),
        ({"guest_policy": 1 << 18}, "snp.migration"),
        ({"product": "Genoa"}, "snp.products"),
    ):
        fields = replace(identity.fields, **change)
        assert refused(found, replace(identity, fields=fields), now_s) == [field]
    tee = found.tee
    assert isinstance(tee, SnpMatch)
    newer = replace(found, tee=replace(tee, minimum_tcb=replace(tee.minimum_tcb, microcode=214)))
    assert refused(newer, identity, now_s) == ["snp.minimum_tcb"]


def test_whatever_was_audited() -> None:
    """An enclave is admitted by a release with two endorsements, and away from the ledger never."""
    found = policy("audited")
    assert isinstance(found, AnyOf)
    first = found.members[0]
    assert isinstance(first, Match)
    assert first.release is not None
    auditors = first.release.auditors
    identity = software()
    for count, end in ((0, NEVER), (1, NEVER), (2, FOREVER), (3, FOREVER)):
        release = EndorsedRelease("fns", (1, 3, 0), auditors[:count])
        subject = Subject(identity, Facts((release,)))
        assert admitted_until(found, subject, development=False) == end
    assert admitted_until(found, Subject(identity), development=False) == NEVER
