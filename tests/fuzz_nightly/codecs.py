"""Targets: every format of attestation. What decodes has that one encoding, and can be judged."""

from contextlib import suppress

from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from attestation.errors import DecodeError
from attestation.explain import explain
from attestation.facts import NOTHING_KNOWN, Facts
from attestation.judging import NEVER, Subject, admitted_until, is_admitted
from attestation.policy import Match, Policy, decode_policy
from sealedger.v1 import attestation_pb2 as pb
from tests.fuzz_nightly.target import QUIET, Target, structured
from tests.support.attestation_examples import ENCODED, IDENTITIES, RELEASES, recode
from tests.support.message_edits import message_edits

_KINDS: dict[str, type[Message]] = {
    "identity": pb.EnclaveIdentity,
    "policy": pb.IdentityPolicy,
    "releases": pb.EndorsedReleases,
    "facts": pb.SubjectFacts,
    "evidence": pb.AttestationEvidence,
    "collateral": pb.EvidenceCollateral,
    "verdict": pb.AttestationVerdict,
    "collateral_verdict": pb.CollateralVerdict,
    "request": pb.VerificationRequest,
    "reply": pb.VerificationReply,
}
_FORMATS = sorted(_KINDS)
_SUBJECTS = tuple(
    Subject(identity, Facts(known, is_enrolled))
    for identity in IDENTITIES
    for known, is_enrolled in (((), False), (tuple(RELEASES), False), ((), True))
)
_TIMES = (0, 1_800_000_000, 2**40)


def check_formats(data: bytes) -> None:
    """The first byte chooses the format: what is decoded encodes to the very bytes."""
    if data:
        check_format(_FORMATS[data[0] % len(_FORMATS)], data[1:])


def check_format(name: str, data: bytes) -> None:
    """The same for the named format."""
    with suppress(DecodeError):
        again = recode(name, data)
        # the words of a refusal lose what would do something to a terminal, once
        if again != (recode(name, again) if name == "reply" else data):
            raise AssertionError(f"{name}: two encodings of one value")
        if name == "policy":
            check_judging(decode_policy(data))


def check_judging(policy: Policy) -> None:
    """Any policy that decodes judges any subject, and its explanation agrees."""
    for subject in _SUBJECTS:
        until = admitted_until(policy, subject, development=False)
        if until < NEVER or until > admitted_until(policy, subject, development=True):
            raise AssertionError("development admits less")
        for now_s in _TIMES:
            findings = explain(policy, subject, development=False, now_s=now_s)
            if isinstance(policy, Match) and all(one.ok for one in findings) != (now_s < until):
                raise AssertionError("explained otherwise than judged")
        if subject.facts == NOTHING_KNOWN:
            is_admitted(policy, subject.identity, development=False, now_s=_TIMES[1])


def _format_seeds() -> list[bytes]:
    return [
        bytes((_FORMATS.index(name.split()[0]),)) + data for name, data in sorted(ENCODED.items())
    ]


def _examples(name: str) -> tuple[Message, ...]:
    messages = []
    for one in sorted(ENCODED):
        if one.split()[0] == name:
            messages.append(_KINDS[name]())
            messages[-1].ParseFromString(ENCODED[one])
    return tuple(messages)


_MESSAGES = st.sampled_from(_FORMATS).flatmap(
    lambda name: st.tuples(st.just(name), message_edits(_examples(name)))
)


@given(_MESSAGES)
@QUIET
def check_messages(case: tuple[str, bytes]) -> None:
    """Messages whose fields were edited one by one."""
    check_format(*case)


TARGETS = (
    Target("formats", check_formats, _format_seeds),
    structured("messages", check_messages),
)
