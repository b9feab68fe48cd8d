"""What the ledger knows of one enclave, as far as a policy asks: releases and enrolment. Pure.

Rules: canonical bytes; empty for a policy that asks for nothing of the ledger. They begin with the
ledger's rows of releases, joined in the order of their names; `ENROLLED` behind them says that the
members voted the enclave's platform into their list. Who finds them out is `contracts`.
"""

from dataclasses import dataclass
from functools import lru_cache

from attestation.releases import MAX_RELEASES_BYTES, EndorsedRelease, releases_of_messages
from attestation.wire import decode_message
from sealedger.v1 import attestation_pb2 as pb

ENROLLED = pb.SubjectFacts(is_enrolled=True).SerializeToString(deterministic=True)


@dataclass(frozen=True, slots=True)
class Facts:
    """The releases with the enclave's measurement, and whether its platform is enrolled."""

    releases: tuple[EndorsedRelease, ...] = ()
    is_enrolled: bool = False


NOTHING_KNOWN = Facts()


@lru_cache(maxsize=128)  # of up to 130 KB each
def decode_facts(data: bytes) -> Facts:
    """The facts of canonical bytes; nothing is known by no bytes; raises DecodeError."""
    message = decode_message(pb.SubjectFacts, data, MAX_RELEASES_BYTES + len(ENROLLED))
    return Facts(releases_of_messages(message.releases), message.is_enrolled)
