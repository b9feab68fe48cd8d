"""Example bytes of accounts: one fixed key, kept in tests/vectors/accounts/accounts.json.

``python -m tests.ledger_account.make_vectors`` writes the file anew; tests compare it, and the
examples in docs/spec/accounts.md, with what is built here.
"""

import json

from ledger.crypto.secp256k1 import SigningKey
from ledger.crypto.secret import Secret
from ledger.format.address import encode_address
from ledger.format.eip712 import (
    query_digest,
    query_typed_data,
    transaction_digest,
    transaction_typed_data,
)
from ledger.format.operation import Operation
from ledger.format.policy_text import policy_text
from ledger.format.summary import summarize, summarize_question
from ledger.format.terms import CollectionTerms, CreateCollection
from sealedger.v1 import attestation_pb2 as pb
from tests.ledger_format import make_vectors as formats
from tests.support.repository import ROOT

FILE = ROOT / "tests/vectors/accounts/accounts.json"
ORIGIN = "made by tests/ledger_account/make_vectors.py with fixed inputs"

SEED = Secret(formats.fixed("account key"))
KEY = SigningKey(SEED)
NETWORK_ID = formats.NETWORK_ID
SEQUENCE = 7
TIME_MS = formats.TIME_MS
BODY_HASH = formats.fixed("body hash")
POLICY = pb.IdentityPolicy(
    any=pb.IdentityPolicyList(
        members=(
            pb.IdentityPolicy(
                match=pb.IdentityMatch(
                    measurement=formats.fixed("measurement"), tcb_statuses=("UpToDate",)
                )
            ),
            pb.IdentityPolicy(
                match=pb.IdentityMatch(
                    signer=formats.fixed("enclave signer"),
                    product_id=1,
                    minimum_svn=3,
                    tcb_statuses=("SWHardeningNeeded", "UpToDate"),
                    grace_s=2_592_000,
                )
            ),
            pb.IdentityPolicy(
                match=pb.IdentityMatch(
                    tcb_statuses=("UpToDate",),
                    release=pb.ReleaseMatch(
                        name="fns",
                        minimum=pb.ReleaseVersion(major=1, minor=2),
                        auditors=formats.RELEASE.auditors,
                        threshold=2,
                    ),
                )
            ),
            pb.IdentityPolicy(
                match=pb.IdentityMatch(
                    measurement=formats.fixed("SNP measurement", 48),
                    tcb_statuses=("UpToDate",),
                    snp=pb.SnpMatch(
                        host_data=formats.fixed("host data"),
                        minimum_tcb=pb.SnpTcb(boot_loader=4, snp=22, microcode=213),
                        allow_vlek=True,
                    ),
                )
            ),
        )
    )
).SerializeToString(deterministic=True)
TERMS = CollectionTerms(POLICY, POLICY, (formats.fixed("auditor", 20),), 86_400_000)
OPERATIONS: tuple[Operation, ...] = (
    formats.OPERATIONS["operation Put"],
    formats.OPERATIONS["operation Read"],
    formats.OPERATIONS["operation Delete"],
    CreateCollection("team/secrets", TERMS),
    formats.OPERATIONS["operation FreezeCollection"],
    formats.OPERATIONS["operation Destroy"],
    formats.OPERATIONS["operation PublishRelease"],
    formats.OPERATIONS["operation EndorseRelease"],
    formats.OPERATIONS["operation RevokeRelease"],
    formats.OPERATIONS["operation RevokeSession"],
    formats.OPERATIONS["operation VotePlatform of an AMD platform"],
)
SUMMARY = summarize(OPERATIONS)
ASKED = summarize_question(formats.QUESTIONS["query ListSecrets"])
DIGEST = transaction_digest(NETWORK_ID, SEQUENCE, SUMMARY, BODY_HASH)


def build_examples() -> dict[str, str]:
    """Every example by name, as it is written down: hex, or text."""
    typed = transaction_typed_data(NETWORK_ID, SEQUENCE, SUMMARY, BODY_HASH)
    asked = query_typed_data(NETWORK_ID, TIME_MS, ASKED, BODY_HASH)
    return {
        "private key": SEED.reveal().hex(),
        "address": encode_address(KEY.address),
        "summary": SUMMARY,
        "policy": POLICY.hex(),
        "policy text": policy_text(POLICY),
        "transaction typed data": json.dumps(typed, indent=1),
        "transaction digest": DIGEST.hex(),
        "transaction signature": KEY.sign(DIGEST).hex(),
        "query typed data": json.dumps(asked, indent=1),
        "query digest": query_digest(NETWORK_ID, TIME_MS, ASKED, BODY_HASH).hex(),
    }


def encode_file() -> str:
    """The content of the file of vectors."""
    return json.dumps({"origin": ORIGIN, "examples": build_examples()}, indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(encode_file(), encoding="utf-8")
