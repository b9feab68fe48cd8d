"""Evidence that says anything at all under a good signature, by the network's own quoting keys.

What an attacker with a broken quoting enclave could send, and what other kinds of TEE would.
"""

import os
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from attestation.dcap.layout import INTEL_QE_VENDOR, KEY_TYPE_P256, TEE_SGX
from attestation.evidence import Evidence, EvidenceKind, encode_evidence
from attestation.platforms.software_files import ATTESTATION_KEY, QE_PART, PlatformFiles
from attestation.platforms.software_pki import sign_raw
from attestation.platforms.software_quote import EnclaveReport, encode_report
from attestation.platforms.software_tdx import GuestReport, make_td_quote
from enclave_client import session as sessions
from enclave_client import wire
from ledger.reason import Reason
from sealedger.v1 import node_pb2 as pb
from tests.fuzz_nightly.worlds import amd
from tests.support.attested import evidence_of
from tests.support.raw_client import RawClient, now_ms
from tests.support.real_node import NodeProcess
from tests.support.snp_world import GUEST

pytestmark = pytest.mark.slow  # all of them together; the fast checks have test_wire

# (offset, size) of what a report says: name -> field
FIELDS = {
    "cpu_svn": (0, 16),
    "misc_select": (16, 4),
    "ext_product_id": (32, 16),
    "flags": (48, 8),
    "xfrm": (56, 8),
    "measurement": (64, 32),
    "signer": (128, 32),
    "config_id": (192, 64),
    "product_and_svn": (256, 4),
    "config_svn": (260, 2),
    "family_id": (304, 16),
    "report_data": (320, 64),
}
# by field, what may come of a report that says something else there
EXPECTED = {
    "measurement": {Reason.NOT_ADMITTED},
    "report_data": {Reason.WRONG_REPORT_DATA},
    "flags": {Reason.OK, Reason.EVIDENCE_REFUSED},  # debug or not
}
USUAL = {Reason.OK}


@dataclass(frozen=True, slots=True)
class Forger:
    """The network's own quoting keys, in the wrong hands."""

    files: PlatformFiles
    node: NodeProcess

    def report(self, report_data: bytes) -> bytes:
        """The app's report."""
        enclave = self.node.network.app("app").enclave
        return encode_report(
            EnclaveReport(
                mr_enclave=enclave.launched,
                mr_signer=enclave.signer,
                product_id=enclave.product_id,
                svn=enclave.svn,
                report_data=report_data,
            )
        )

    def quote(self, report: bytes) -> bytes:
        """Evidence over any report."""
        header = struct.pack("<HHIHH", 3, KEY_TYPE_P256, TEE_SGX, 0, 0)
        signed = header + INTEL_QE_VENDOR + bytes(20) + report
        key, rest = self.files.read_key(ATTESTATION_KEY), self.files.read(QE_PART)
        section = sign_raw(key, signed) + rest
        return evidence_of(signed + struct.pack("<I", len(section)) + section)

    def td_quote(self, report_data: bytes) -> bytes:
        """A TDX quote under the same keys; the network has no collateral for it."""
        report = GuestReport(mr_td=b"\x31" * 48, report_data=report_data)
        key, rest = self.files.read_key(ATTESTATION_KEY), self.files.read(QE_PART)
        return evidence_of(make_td_quote(key, rest, report))


@pytest.fixture
def forger(node: NodeProcess) -> Forger:
    """Whoever reads the platform's directory."""
    return Forger(PlatformFiles(node.network.home.platform), node)


async def opened(client: RawClient, make: Callable[[bytes], bytes]) -> Reason:
    """What Attest says to evidence that `make` gives for its report data."""
    opening = sessions.begin(client.network.network_id, client.link.peer)
    sent = opening.transaction(make(opening.report_data), os.urandom(16), now_ms())
    envelope = pb.SubmitRequest.FromString(sent.request).envelope
    reply = await client.link.transport.attest(wire.encode_submit(envelope))
    result = wire.decode_answer(reply).result
    return result.reason if isinstance(result, wire.Refusal) else Reason.OK


@pytest.mark.parametrize("name", FIELDS)
async def test_a_signed_report_that_says_something_else(
    client: RawClient, forger: Forger, rng: random.Random, rounds: int, name: str
) -> None:
    """Each field of a report is judged or means nothing; none ends in an internal error."""
    at, size = FIELDS[name]
    for _ in range(max(2, rounds // 8)):
        new = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size)))

        def make(report_data: bytes, new: bytes = new) -> bytes:
            report = forger.report(report_data)
            return forger.quote(report[:at] + new + report[at + size :])

        allowed = EXPECTED.get(name, USUAL) | {Reason.TOO_MANY_SESSIONS}
        assert await opened(client, make) in allowed


async def test_evidence_of_kinds_that_the_network_does_not_know(
    client: RawClient, forger: Forger
) -> None:
    """TDX under the same root is undecided for want of collateral, and so is SEV-SNP."""
    assert await opened(client, forger.td_quote) is Reason.EVIDENCE_UNDECIDED

    def snp(report_data: bytes) -> bytes:
        return encode_evidence(amd().evidence(replace(GUEST, report_data=report_data)))

    assert await opened(client, snp) is Reason.EVIDENCE_UNDECIDED


async def test_random_reports_of_the_size_of_one(
    client: RawClient, rng: random.Random, rounds: int
) -> None:
    """1,184 random bytes with a good certificate are refused."""
    certificate = amd().vcek()
    for _ in range(rounds):
        evidence = Evidence(EvidenceKind.SNP, rng.randbytes(1184), certificate)

        def make(_: bytes, evidence: Evidence = evidence) -> bytes:
            return encode_evidence(evidence)

        assert await opened(client, make) in {Reason.EVIDENCE_REFUSED, Reason.EVIDENCE_UNDECIDED}
