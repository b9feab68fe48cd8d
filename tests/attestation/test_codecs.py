"""Every format has one encoding; every other byte string is refused with the one decode error."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.collateral_verdict import MAX_PARTS, encode_collateral_verdict
from attestation.conditions import SnpMatch
from attestation.errors import (
    CannotDecideError,
    DecisionFault,
    DecodeError,
    EvidenceError,
    EvidenceFault,
)
from attestation.evidence import (
    MAX_CERTIFICATE_BYTES,
    MAX_QUOTE_BYTES,
    Evidence,
    EvidenceKind,
    encode_evidence,
)
from attestation.fields import SgxFields, SnpFields, SnpTcb, TdxFields
from attestation.identity import MAX_IDENTITY_BYTES, Identity, encode_identity, identity_digest
from attestation.releases import (
    MAX_ENDORSERS,
    MAX_RELEASES,
    MAX_RELEASES_BYTES,
    EndorsedRelease,
    encode_releases,
)
from attestation.verdict import MAX_VERDICT_BYTES, encode_verdict
from attestation.worker_codec import JudgeEvidence, decode_reply, encode_reply, encode_request
from sealedger.v1 import attestation_pb2 as pb
from tests.support.attestation_examples import (
    COLLATERAL_VERDICT,
    ENCODED,
    IDENTITIES,
    IDENTITY,
    REFUSAL,
    REQUEST,
    SNP_IDENTITY,
    SNP_MATCH,
    TDX_IDENTITY,
    VERDICT,
    recode,
)
from tests.support.mutation import mutations

FORMATS = sorted(ENCODED)


@pytest.mark.parametrize("name", FORMATS)
def test_round_trip(name: str) -> None:
    """Decoding and encoding gives the same bytes."""
    assert recode(name, ENCODED[name]) == ENCODED[name]


@pytest.mark.parametrize("name", FORMATS)
def test_every_truncation_is_refused_or_another_value(name: str) -> None:
    """No prefix is accepted as anything but the value that it canonically encodes."""
    data = ENCODED[name]
    for size in range(len(data)):
        try:
            assert recode(name, data[:size]) == data[:size]
        except DecodeError:
            continue


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("tail", [b"\xf8\x07\x01", b"\x00", b"\xfa\x07\x00"])
def test_unknown_fields_are_refused(name: str, tail: bytes) -> None:
    """A field that the format does not have makes the whole refused."""
    with pytest.raises(DecodeError):
        recode(name, ENCODED[name] + tail)


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
def test_mutated_bytes_are_refused_or_canonical(name: str, data: st.DataObject) -> None:
    """Mutated valid bytes give DecodeError, or a value whose encoding they are."""
    changed = data.draw(mutations(ENCODED[name]))
    try:
        assert recode(name, changed) == changed
    except DecodeError:
        return


@pytest.mark.parametrize("name", FORMATS)
@given(junk=st.binary(max_size=400))
def test_random_bytes_are_refused_or_canonical(name: str, junk: bytes) -> None:
    """Random bytes give DecodeError, or a value whose encoding they are."""
    try:
        assert recode(name, junk) == junk
    except DecodeError:
        return


@pytest.mark.parametrize("name", FORMATS)
def test_oversized_bytes_are_refused(name: str) -> None:
    """Two megabytes are refused whatever they hold."""
    with pytest.raises(DecodeError):
        recode(name, bytes(2 * 1024 * 1024))


@pytest.mark.parametrize(
    "change",
    [
        {"platform": "sev"},
        {"measurement": b"short"},
        {"signer": b"short"},
        {"product_id": 65_536},
        {"svn": -1},
        {"svn": 2**32},
        {"tcb_date_s": -1},
        {"tcb_status": "NotRated"},
        {"platform": "tdx"},
        {"fields": TDX_IDENTITY.fields},
        {"measurement": bytes(48)},
        {"platform_id": bytes(65)},
        {"tcb_status": "Revoked"},
        {"advisories": ("b", "a")},
        {"advisories": ("a", "a")},
        {"advisories": ("with space",)},
        {"advisories": tuple(f"SA-{i:03}" for i in range(65))},
        {"fmspc": bytes(5)},
    ],
)
def test_an_identity_out_of_range_has_no_encoding(change: dict[str, object]) -> None:
    """Every field of an identity is checked when it is encoded."""
    with pytest.raises(DecodeError):
        encode_identity(replace(IDENTITY, **change))  # type: ignore[arg-type]  # fields of Identity


@pytest.mark.parametrize(
    "identity, change",
    [
        *((IDENTITY, {name: bytes(15)}) for name in ("attributes", "ext_product_id", "family_id")),
        (IDENTITY, {"config_id": bytes(63)}),
        (IDENTITY, {"config_svn": 2**16}),
        *((TDX_IDENTITY, {f"rtmr{number}": bytes(32)}) for number in range(4)),
        *((TDX_IDENTITY, {name: b""}) for name in ("mr_td", "mr_config_id", "mr_owner")),
        *((TDX_IDENTITY, {name: bytes(16)}) for name in ("attributes", "xfam", "mr_owner_config")),
        (SNP_IDENTITY, {"host_data": bytes(31)}),
        *((SNP_IDENTITY, {name: bytes(48)}) for name in ("family_id", "image_id")),
        (SNP_IDENTITY, {"author_key_digest": bytes(32)}),
        *((SNP_IDENTITY, {name: 2**64}) for name in ("guest_policy", "platform_info")),
        (SNP_IDENTITY, {"vmpl": 4}),
        *((SNP_IDENTITY, {name: SnpTcb(snp=256)}) for name in ("reported_tcb", "launch_tcb")),
        (SNP_IDENTITY, {"product": "Naples"}),
    ],
)
def test_fields_of_a_platform_out_of_range_have_no_encoding(
    identity: Identity, change: dict[str, object]
) -> None:
    """Every field of each kind of TEE has its one size or range."""
    fields = replace(identity.fields, **change)  # type: ignore[arg-type]  # its own fields
    with pytest.raises(DecodeError, match=f"identity: bad {next(iter(change))}"):
        encode_identity(replace(identity, fields=fields))


def test_an_identity_says_the_fields_of_its_own_platform() -> None:
    """An identity without fields, or with those of another TEE, is refused when it is decoded."""
    message = pb.EnclaveIdentity.FromString(ENCODED["identity"])
    message.ClearField("fields")
    with pytest.raises(DecodeError, match="no fields"):
        recode("identity", message.SerializeToString(deterministic=True))
    message.tdx.mr_td = bytes(48)
    with pytest.raises(DecodeError):
        recode("identity", message.SerializeToString(deterministic=True))
    snp = pb.EnclaveIdentity.FromString(ENCODED["identity snp"])
    snp.snp.ClearField("launch_tcb")
    with pytest.raises(DecodeError, match="no TCB"):
        recode("identity", snp.SerializeToString(deterministic=True))


def test_an_identity_with_everything_at_its_limit_fits_its_bounds() -> None:
    """The largest identity and verdict of each platform stay within their documented sizes."""
    most = {
        "signer": b"\xff" * 48,
        "product_id": 65_535,
        "svn": 2**32 - 1,
        "debug": True,
        "tcb_date_s": 2**40,
        "advisories": tuple(f"{i:032}" for i in range(64)),
        "platform_id": b"\xff" * 64,
        "fmspc": b"\xff" * 6,
    }
    tcb = SnpTcb(boot_loader=255, tee=255, snp=255, microcode=255, fmc=255)
    fields = (
        SgxFields(config_svn=2**16 - 1),
        TdxFields(),
        SnpFields(
            author_key_digest=bytes(48),
            guest_policy=2**64 - 1,
            platform_info=2**64 - 1,
            vmpl=3,
            reported_tcb=tcb,
            launch_tcb=tcb,
            is_vlek=True,
        ),
    )
    status = ("ConfigurationAndSWHardeningNeeded", "TDRelaunchAdvisedConfigurationNeeded")
    for identity, its, word in zip(IDENTITIES, fields, (*status, "NotRated"), strict=True):
        largest = replace(identity, fields=its, tcb_status=word, **most)  # type: ignore[arg-type]  # its fields
        assert len(encode_identity(largest)) <= MAX_IDENTITY_BYTES - 100
        verdict = replace(
            VERDICT,
            identity=largest,
            collateral_number=2**32 - 1,
            verified_at_s=2**63 - 1,
            effective_s=2**63 - 1,
            collateral_key=f"{identity.platform}/00906ed50000/processor"
            if identity.platform != "snp"
            else "snp/Milan",
        )
        assert len(encode_verdict(verdict)) <= MAX_VERDICT_BYTES - 200


def test_identity_digests_differ_with_the_identity() -> None:
    """The digest of an identity is one of its canonical bytes."""
    other = encode_identity(replace(IDENTITY, svn=4))
    assert identity_digest(ENCODED["identity"]) != identity_digest(other)
    assert len(identity_digest(other)) == 32


@pytest.mark.parametrize(
    "change",
    [
        {"report_data": bytes(63)},
        {"quote_digest": bytes(31)},
        {"collateral_number": 2**32},
        {"effective_s": 1_800_000_101},
        {"effective_s": -1},
        {"verified_at_s": 2**63},
        {"collateral_digest": bytes(31)},
        {"collateral_key": ""},
        {"collateral_key": "sgx/00906ED50000/processor"},
        {"collateral_key": "sgx/00906ed50000/server"},
        {"collateral_key": "tdx/00906ed50000/processor"},
        {"collateral_key": "snp/Milan"},
    ],
)
def test_a_verdict_out_of_range_has_no_encoding(change: dict[str, object]) -> None:
    """Every field of a verdict is checked when it is encoded; the effective time is never later."""
    with pytest.raises(DecodeError):
        encode_verdict(replace(VERDICT, **change))  # type: ignore[arg-type]  # fields of Verdict


def test_quotes_are_bounded_in_evidence() -> None:
    """Evidence holds a quote of 1 to 65,536 bytes."""
    encode_evidence(Evidence(EvidenceKind.DCAP, bytes(MAX_QUOTE_BYTES)))
    for quote in (b"", bytes(MAX_QUOTE_BYTES + 1)):
        with pytest.raises(DecodeError):
            encode_evidence(Evidence(EvidenceKind.DCAP, quote))


def test_a_report_travels_with_the_certificate_of_its_key() -> None:
    """SNP evidence is 1,184 bytes and a certificate of 1 to 8,192; a quote has none beside it."""
    report = bytes(1184)
    encode_evidence(Evidence(EvidenceKind.SNP, report, bytes(MAX_CERTIFICATE_BYTES)))
    for evidence in (
        Evidence(EvidenceKind.SNP, report),
        Evidence(EvidenceKind.SNP, report, bytes(MAX_CERTIFICATE_BYTES + 1)),
        Evidence(EvidenceKind.SNP, report[1:], b"certificate"),
        Evidence(EvidenceKind.SNP, report + b"\0", b"certificate"),
        Evidence(EvidenceKind.DCAP, b"quote", b"certificate"),
    ):
        with pytest.raises(DecodeError):
            encode_evidence(evidence)


@pytest.mark.parametrize("kind", [0, 3, 9, 77])
def test_unknown_kinds_of_evidence_are_refused(kind: int) -> None:
    """Evidence of a kind that this version does not know is refused."""
    message = pb.AttestationEvidence(kind=kind, quote=b"quote")  # type: ignore[arg-type]  # an unknown number
    with pytest.raises(DecodeError):
        recode("evidence", message.SerializeToString())


def test_a_refusal_crosses_the_pipe_whole() -> None:
    """Family, code and texts of a refusal survive the reply."""
    with pytest.raises(EvidenceError) as evidence:
        decode_reply(encode_reply(REFUSAL))
    assert (evidence.value.code, evidence.value.expected, evidence.value.got) == (
        EvidenceFault.DEBUG,
        "no debug",
        "debug",
    )
    undecided = CannotDecideError(DecisionFault.COLLATERAL_EXPIRED, got="x" * 500)
    with pytest.raises(CannotDecideError) as caught:
        decode_reply(encode_reply(undecided))
    assert caught.value.code == DecisionFault.COLLATERAL_EXPIRED
    assert caught.value.got == "x" * 200


def test_a_refusal_with_an_unknown_code_is_refused() -> None:
    """A reply cannot invent a code, nor use one of the other family."""
    for undecided, code in ((False, "made-up"), (True, EvidenceFault.DEBUG.value)):
        refusal = pb.VerificationRefusal(undecided=undecided, code=code)
        with pytest.raises(DecodeError):
            decode_reply(pb.VerificationReply(refusal=refusal).SerializeToString())


@pytest.mark.parametrize("now_s", [-1, 2**64])
def test_a_time_out_of_range_has_no_request(now_s: int) -> None:
    """A request with an impossible time is refused before it is sent."""
    with pytest.raises(DecodeError):
        encode_request(JudgeEvidence(REQUEST.evidence, REQUEST.collateral, REQUEST.rules, now_s))


def test_an_answer_that_is_no_key_is_refused() -> None:
    """A broken child cannot hand over a key that no collateral has."""
    for text in ("", "sgx", "sgx/00906ed50000/processor/", "snp/Naples", "../../etc"):
        with pytest.raises(DecodeError):
            decode_reply(encode_reply(text))


@pytest.mark.parametrize(
    "fields",
    [
        {"rules": pb.VerificationRules(roots=[b"root"]), "evidence": b"evidence"},
        {"now_s": 1, "evidence": b"evidence"},
        {"evidence": b"evidence", "collateral": b"collateral"},
        {"collateral": b"collateral"},
    ],
)
def test_a_request_is_one_of_three(fields: dict[str, object]) -> None:
    """A request that is neither of the three questions is refused."""
    message = pb.VerificationRequest(**fields)  # type: ignore[arg-type]  # its fields
    with pytest.raises(DecodeError):
        recode("request", message.SerializeToString(deterministic=True))


@pytest.mark.parametrize(
    "change",
    [
        {"key": "sgx"},
        {"key": "snp/milan"},
        {"order": ()},
        {"order": ((1, 1),) * (MAX_PARTS + 1)},
        {"order": ((-1, 1),)},
        {"order": ((1, 2**63),)},
        {"lowest_number": 18},
        {"highest_number": 2**32},
        {"valid_from_s": -1},
        {"valid_until_s": 1_798_999_999},
        {"substance": bytes(31)},
    ],
)
def test_a_collateral_verdict_out_of_range_has_no_encoding(change: dict[str, object]) -> None:
    """Every field of a verdict on collateral is checked; it never ends before it begins."""
    facts = replace(COLLATERAL_VERDICT.facts, **change)  # type: ignore[arg-type]  # fields of facts
    with pytest.raises(DecodeError):
        encode_collateral_verdict(replace(COLLATERAL_VERDICT, facts=facts))


def test_a_collateral_verdict_has_a_digest_a_time_and_whole_pairs() -> None:
    """What stands beside the facts is checked too, and an odd count of numbers is refused."""
    for change in ({"digest": b""}, {"verified_at_s": -1}, {"verified_at_s": 2**63}):
        with pytest.raises(DecodeError):
            encode_collateral_verdict(replace(COLLATERAL_VERDICT, **change))
    message = pb.CollateralVerdict.FromString(ENCODED["collateral_verdict"])
    message.order.append(1)
    with pytest.raises(DecodeError, match="half a pair"):
        recode("collateral_verdict", message.SerializeToString(deterministic=True))


def test_the_largest_collateral_verdict_fits() -> None:
    """Eight pairs of the largest numbers stay within 512 bytes."""
    most = 2**63 - 1
    facts = replace(
        COLLATERAL_VERDICT.facts,
        key="sgx/00906ed50000/processor",
        order=((most, most),) * MAX_PARTS,
        lowest_number=2**32 - 1,
        highest_number=2**32 - 1,
        valid_from_s=most,
        valid_until_s=most,
    )
    encode_collateral_verdict(replace(COLLATERAL_VERDICT, facts=facts, verified_at_s=most))


def _release(**changes: object) -> EndorsedRelease:
    return replace(EndorsedRelease("fns", (1, 2, 0), ()), **changes)  # type: ignore[arg-type]  # its fields


@pytest.mark.parametrize(
    "releases",
    [
        (_release(name=""),),
        (_release(name="fns>=1"),),
        (_release(name="a" * 65),),
        (_release(version=(0, 0, -1)),),
        (_release(version=(2**31, 0, 0)),),
        (_release(endorsers=(bytes(19),)),),
        (_release(endorsers=(bytes(20), bytes(20))),),
        (_release(endorsers=(b"\1" * 20, bytes(20))),),
        (_release(endorsers=tuple(bytes([i]) * 20 for i in range(MAX_ENDORSERS + 1))),),
        (_release(), _release()),
        (_release(version=(1, 3, 0)), _release()),
        tuple(_release(version=(1, 0, i)) for i in range(MAX_RELEASES + 1)),
    ],
)
def test_releases_out_of_order_or_bounds_have_no_encoding(
    releases: tuple[EndorsedRelease, ...],
) -> None:
    """At most 128 releases, sorted by name and version, with at most 16 sorted endorsers."""
    with pytest.raises(DecodeError):
        encode_releases(releases)


def test_the_largest_row_of_releases_fits() -> None:
    """As many releases of the longest names as there may be, fully endorsed, stay within 64 KiB."""
    most = 2**31 - 1
    endorsers = tuple(bytes([i]) * 20 for i in range(MAX_ENDORSERS))
    row = tuple(
        EndorsedRelease(f"{i:064}", (most, most, most), endorsers) for i in range(MAX_RELEASES)
    )
    assert len(encode_releases(row)) <= MAX_RELEASES_BYTES


def test_a_condition_on_snp_always_says_how_old_the_tcb_may_be() -> None:
    """Conditions on SNP without a minimum TCB are refused, and so are those on two TEEs."""
    message = pb.IdentityPolicy.FromString(ENCODED["policy snp"])
    assert isinstance(SNP_MATCH.tee, SnpMatch)
    message.match.snp.ClearField("minimum_tcb")
    with pytest.raises(DecodeError, match="minimum_tcb"):
        recode("policy", message.SerializeToString(deterministic=True))
    both = pb.IdentityPolicy.FromString(ENCODED["policy snp"])
    both.match.sgx.minimum_config_svn = 1
    with pytest.raises(DecodeError, match="more than one kind"):
        recode("policy", both.SerializeToString(deterministic=True))
    release = pb.IdentityPolicy.FromString(ENCODED["policy release"])
    release.match.release.ClearField("minimum")
    with pytest.raises(DecodeError, match="minimum version"):
        recode("policy", release.SerializeToString(deterministic=True))


@pytest.mark.parametrize("field", ["expected", "got"])
def test_a_refusal_with_a_text_that_no_refusal_has_is_refused(field: str) -> None:
    """What is not for printing, or too long, would come back as another text."""
    refusal = pb.VerificationRefusal(code=EvidenceFault.DEBUG.value)
    setattr(refusal, field, "a\0b")
    data = pb.VerificationReply(refusal=refusal).SerializeToString(deterministic=True)
    with pytest.raises(DecodeError, match="a text"):
        decode_reply(data)
