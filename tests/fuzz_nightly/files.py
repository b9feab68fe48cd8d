"""Targets: what people and services hand over: evidence with files beside it, and answers."""

from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from attestation.certificate_files import read_snp_certificates
from attestation.collateral import encode_collateral
from attestation.collateral_service import Answer, DcapAnswers, dcap_collateral
from attestation.dcap.pem import decode_chain
from attestation.errors import DecodeError
from attestation.evidence_files import FileKind
from attestation.judge_file import judge_file
from attestation.judgement import Decision, Judgement, Question
from attestation.rules import VerificationRules
from attestation.verdict import Verdict
from attestation.verify import collateral_key, verify
from tests.fuzz_nightly import evidence, worlds
from tests.fuzz_nightly.collateral import check_collateral
from tests.fuzz_nightly.target import Target
from tests.support.attestation_examples import POLICY
from tests.support.attested import NOW_S

SEPARATOR = b"\n--- next file ---\n"

_VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"


class _Verifier:
    """The verifier without its process."""

    async def verify(
        self, evidence: bytes, collateral: bytes, rules: VerificationRules, now_s: int
    ) -> Verdict:
        """The verdict."""
        return verify(evidence, collateral, rules, now_s)

    async def collateral_key(self, evidence: bytes) -> str:
        """The key."""
        return collateral_key(evidence)


def finished(coroutine: Coroutine[Any, Any, Judgement]) -> Judgement:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        judgement: Judgement = done.value
        return judgement
    raise AssertionError("it waits")


def check_file(data: bytes) -> None:
    """Files of evidence, collateral and chain are judged, with reasons, or cannot be used."""
    file, *beside = data.split(SEPARATOR)
    for collateral, chain in ((beside, ()), (beside[:1], beside[1:])):
        for root in (None, worlds.amd().collateral().ark, worlds.intel().root):
            question = Question(
                file=file,
                now_s=NOW_S,
                collateral=tuple(collateral),
                chain=tuple(chain),
                root=root,
                policy=POLICY,
            )
            with suppress(DecodeError):
                _check(finished(judge_file(question, _Verifier())))


def _check(judgement: Judgement) -> None:
    if (judgement.decision is Decision.ACCEPTED) != (not judgement.reasons):
        raise AssertionError("accepted with a reason, or refused without one")
    if judgement.decision is Decision.ACCEPTED and judgement.verdict is None:
        raise AssertionError("accepted without a verdict")
    if judgement.kind is FileKind.IAS and judgement.decision is not Decision.REFUSED:
        raise AssertionError("a retired service is believed")


def check_certificates(data: bytes) -> None:
    """AMD's certificates in files: what is read is what was there."""
    with suppress(DecodeError):
        found = read_snp_certificates(data.split(SEPARATOR))
        if not all(found.authorities.values()):
            raise AssertionError("an empty certificate")


def check_answers(data: bytes) -> None:
    """A collateral service's answers: TCB info, QE identity, both lists and three headers."""
    parts = data.split(SEPARATOR)
    if len(parts) != 7:
        return
    tcb, qe, pck, root, *headers = parts
    chains = [one.decode("utf-8", "surrogateescape") for one in headers]
    with suppress(DecodeError):
        collateral = dcap_collateral(
            DcapAnswers(
                tcb=Answer(tcb, chains[0]),
                qe_identity=Answer(qe, chains[1]),
                pck_crl=Answer(pck, chains[2]),
                root_crl=root,
            )
        )
        for text in (collateral.tcb_info, collateral.qe_identity):
            if text.encode() not in tcb + qe:
                raise AssertionError("a document that does not stand in the answer")
        decode_chain(collateral.pck_crl_issuer_chain.encode(), 2)
        check_collateral(encode_collateral(collateral))


def _file_seeds() -> list[bytes]:
    amd = worlds.amd()
    held = amd.collateral()
    snp = [amd.evidence().quote, worlds.encoded_collateral("snp"), amd.vcek()]
    parts = [amd.evidence().quote, held.crl, amd.vcek() + held.ask + held.ark]
    return [
        SEPARATOR.join((worlds.encoded_evidence("sgx"), worlds.encoded_collateral("sgx"))),
        SEPARATOR.join((worlds.td_quote(), worlds.encoded_collateral("tdx"))),
        SEPARATOR.join((worlds.encoded_evidence("snp"), worlds.encoded_collateral("snp"))),
        SEPARATOR.join(snp),
        SEPARATOR.join(parts),
        *(
            SEPARATOR.join((one, worlds.encoded_collateral("sgx")))
            for one in evidence.certificates()
        ),
        *(path.read_bytes() for path in sorted(_VECTORS.glob("ias/*/*"))),
    ]


def _certificate_seeds() -> list[bytes]:
    amd = worlds.amd()
    held = amd.collateral()
    return [
        amd.vcek() + held.ask + held.ark,
        SEPARATOR.join((amd.vlek(), held.asvk, held.ark)),
        *evidence.tables(),
    ]


def _answer_seeds() -> list[bytes]:
    seeds = []
    for tee in ("sgx", "tdx"):
        held = worlds.dcap_collateral(tee)
        documents = (
            ("tcbInfo", held.tcb_info, held.tcb_info_signature),
            ("enclaveIdentity", held.qe_identity, held.qe_identity_signature),
        )
        bodies = [
            f'{{"{name}":{text},"signature":"{signature.hex()}"}}'.encode()
            for name, text, signature in documents
        ]
        lists = (held.pck_crl, held.root_ca_crl.hex().encode())
        chains = (
            held.tcb_info_issuer_chain,
            held.qe_identity_issuer_chain,
            held.pck_crl_issuer_chain,
        )
        headers = [one.replace("\n", "%0A").replace(" ", "%20").encode() for one in chains]
        seeds.append(SEPARATOR.join((*bodies, *lists, *headers)))
    return seeds


TARGETS = (
    Target("evidence-file", check_file, _file_seeds),
    Target("snp-certificates", check_certificates, _certificate_seeds),
    Target("service-answers", check_answers, _answer_seeds),
)
