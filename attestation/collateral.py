"""Collateral: what a verifier needs beside evidence; its kinds, its bytes, what it says of itself.

Rules: collateral is always our own store's, never a prover's. It is kept by its key (the kind of
platform that it is for). A newer one replaces a held one only when none of the pairs that order its
parts has gone back. Reading the facts is each kind's own (`attestation.dcap.collateral`,
`attestation.snp`); signatures, chains and pins are judged by `attestation.verify`.
"""

import hashlib
import re
from dataclasses import dataclass

from attestation.errors import DecodeError
from attestation.wire import decode_message, encode_message
from sealedger.v1 import attestation_pb2 as pb

MAX_COLLATERAL_BYTES = 1024 * 1024
MAX_ORDER = 2**63 - 1

_KEY = re.compile(r"(sgx|tdx)/[0-9a-f]{12}/(processor|platform)|snp/(Milan|Genoa|Turin)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class DcapCollateral:
    """What a DCAP verifier needs beside a quote. Chains are PEM, CRLs DER, signatures r ‖ s."""

    pck_crl_issuer_chain: str
    root_ca_crl: bytes
    pck_crl: bytes
    tcb_info_issuer_chain: str
    tcb_info: str
    tcb_info_signature: bytes
    qe_identity_issuer_chain: str
    qe_identity: str
    qe_identity_signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpCollateral:
    """What a verifier of SEV-SNP reports needs beside the report and its VCEK or VLEK. All DER."""

    product: str  # Milan, Genoa or Turin
    ark: bytes  # the root of the product line
    ask: bytes  # signs VCEKs
    asvk: bytes = b""  # signs VLEKs
    crl: bytes = b""  # signed by the ARK; a ledger takes no collateral without one


Collateral = DcapCollateral | SnpCollateral


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralFacts:
    """What collateral says about itself; trustworthy once its signatures are verified.

    Times are Unix seconds, both ends inclusive. `order` are pairs (number, time of issue), one for
    each part. `substance` is SHA-256 of all that verdicts depend on but dates and numbers.
    """

    key: str
    order: tuple[tuple[int, int], ...]
    lowest_number: int  # of the tcbEvaluationDataNumbers; 0 where there is none
    highest_number: int
    valid_from_s: int
    valid_until_s: int
    substance: bytes

    @property
    def is_numbered(self) -> bool:
        """Whether this kind has tcbEvaluationDataNumbers, which floor and ceiling speak of."""
        return not self.key.startswith("snp/")


def is_key(text: str) -> bool:
    """Whether this is the key of some collateral."""
    return _KEY.fullmatch(text) is not None


def encode_collateral(collateral: Collateral) -> bytes:
    """The canonical bytes, at most 1 MiB; raises DecodeError when larger."""
    if isinstance(collateral, DcapCollateral):
        message = pb.EvidenceCollateral(
            dcap=pb.DcapCollateral(
                pck_crl_issuer_chain=collateral.pck_crl_issuer_chain,
                root_ca_crl=collateral.root_ca_crl,
                pck_crl=collateral.pck_crl,
                tcb_info_issuer_chain=collateral.tcb_info_issuer_chain,
                tcb_info=collateral.tcb_info,
                tcb_info_signature=collateral.tcb_info_signature,
                qe_identity_issuer_chain=collateral.qe_identity_issuer_chain,
                qe_identity=collateral.qe_identity,
                qe_identity_signature=collateral.qe_identity_signature,
            )
        )
    else:
        message = pb.EvidenceCollateral(
            snp=pb.SnpCollateral(
                product=collateral.product,
                ark=collateral.ark,
                ask=collateral.ask,
                asvk=collateral.asvk,
                crl=collateral.crl,
            )
        )
    return encode_message(message, MAX_COLLATERAL_BYTES)


def decode_collateral(data: bytes) -> Collateral:
    """The collateral of canonical bytes; raises DecodeError for anything else."""
    message = decode_message(pb.EvidenceCollateral, data, MAX_COLLATERAL_BYTES)
    if message.HasField("snp"):
        snp = message.snp
        return SnpCollateral(
            product=snp.product, ark=snp.ark, ask=snp.ask, asvk=snp.asvk, crl=snp.crl
        )
    if not message.HasField("dcap"):
        raise DecodeError("collateral: of no kind")
    dcap = message.dcap
    return DcapCollateral(
        pck_crl_issuer_chain=dcap.pck_crl_issuer_chain,
        root_ca_crl=dcap.root_ca_crl,
        pck_crl=dcap.pck_crl,
        tcb_info_issuer_chain=dcap.tcb_info_issuer_chain,
        tcb_info=dcap.tcb_info,
        tcb_info_signature=dcap.tcb_info_signature,
        qe_identity_issuer_chain=dcap.qe_identity_issuer_chain,
        qe_identity=dcap.qe_identity,
        qe_identity_signature=dcap.qe_identity_signature,
    )


def collateral_digest(data: bytes) -> bytes:
    """SHA-256 of the canonical bytes."""
    return hashlib.sha256(data).digest()
