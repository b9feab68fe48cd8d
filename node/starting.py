"""The key service's start on the ledger: its nonce, signed by this node, recorded and shown."""

import os

from contracts.prepare import prepare
from contracts.records import decode_signer
from kms.messages import StartRequest, decode_hello_evidence, encode_start_request
from kms.service import KeyService
from ledger import keys
from ledger.crypto.ed25519 import SigningKey
from ledger.format.operation import (
    SALT_BYTES,
    KeyServiceStart,
    encode_operation,
    operation_digest,
)
from ledger.format.transaction import (
    Body,
    Envelope,
    SignerKind,
    encode_body,
    encode_envelope,
    signed_message,
)
from node.candidates import Submission
from node.errors import DamagedError
from node.publisher import load_entry
from node.replica import Replica
from node.service import Engine
from sealedger.v1 import node_pb2 as pb

VALID_MS = 600_000


def own_evidence(key_service: KeyService) -> bytes:
    """The evidence that a started key service shows to clients."""
    return decode_hello_evidence(key_service.hello(bytes(32), bytes(32))).evidence


async def start_key_service(
    key_service: KeyService,
    engine: Engine,
    replica: Replica[pb.SubmitReply],
    node_key: SigningKey,
    now_ms: int,
) -> None:
    """Record this start's nonce and confirm it; DamagedError if the ledger refuses it."""
    signer = decode_signer(replica.view.get(keys.signer(SignerKind.NODE, node_key.public)))
    operation = encode_operation(KeyServiceStart(key_service.start_nonce, key_service.service_key))
    salt = os.urandom(SALT_BYTES)
    body = encode_body(
        Body(
            network_id=key_service.network_id,
            signer_kind=SignerKind.NODE,
            signer=node_key.public,
            sequence=signer.highest + 1,
            valid_until_ms=max(now_ms, replica.head.time_ms) + VALID_MS,
            atomic=False,
            operation_digests=(operation_digest(salt, operation),),
        )
    )
    signature = node_key.sign(signed_message(key_service.network_id, body))
    envelope = encode_envelope(Envelope(body, signature, (operation,), (salt,), (b"",)))
    prepared = prepare(envelope, key_service.network_id)
    reply = await engine.submit(Submission(prepared, None, len(envelope)))
    if not reply.HasField("recorded"):
        raise DamagedError(f"the ledger refused this start: {reply.refusal.hint}")
    entry = load_entry(reply.recorded.index, replica.view)
    request = StartRequest(
        index=entry.index,
        leaf=entry.leaf,
        hashes=replica.tree.inclusion_proof(entry.index, key_service.held.size),
        salt=salt,
        operation=operation,
        outcome=entry.encoded[0],
    )
    key_service.confirm_start(encode_start_request(request))
