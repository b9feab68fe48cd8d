"""The first thing after each start: this start's nonce must stand on the ledger.

1. The leaf is included in the held checkpoint.
2. It is a transaction for this network, signed by the Ed25519 key of a cosigner of the trust
   document.
3. Its operation 0 is KeyServiceStart{this nonce, this service key}, and its outcome is OK.

The nonce is younger than the start, so the held checkpoint is too, and the quorum stands behind it.
That is what makes an old or a copied sealed state harmless: alone it releases nothing.
"""

from kms.anchor import TrustAnchor
from kms.entry import Entry, Place, verify_entry
from kms.errors import KeyServiceRefusal
from kms.messages import StartRequest
from kms.state import Held
from ledger.crypto import ed25519
from ledger.errors import FormatError
from ledger.format.operation import KeyServiceStart
from ledger.format.receipt import Opened, OpenedOperation, open_operation
from ledger.format.transaction import SignerKind, signed_message
from ledger.reason import Reason


def verify_start(
    request: StartRequest, anchor: TrustAnchor, held: Held, expected: KeyServiceStart
) -> None:
    """Check 1 to 3; KeyServiceRefusal otherwise."""
    place = Place(request.index, held.size, held.root, request.hashes)
    entry = verify_entry(request.leaf, place, anchor.network_id)
    _verify_signer(entry, anchor)
    opened = _open_first(entry, request)
    if opened.operation != expected:
        raise KeyServiceRefusal(Reason.NOT_STARTED, "the entry is of another start or service")
    if opened.outcome.reason is not Reason.OK:
        raise KeyServiceRefusal(Reason.NOT_GRANTED, "the ledger did not accept the start")


def _verify_signer(entry: Entry, anchor: TrustAnchor) -> None:
    body = entry.body
    nodes = {cosigner.public_key for cosigner in anchor.trust.cosigners}
    if body.signer_kind is not SignerKind.NODE or body.signer not in nodes:
        raise KeyServiceRefusal(Reason.WRONG_SIGNER, "the signer is no cosigner of this network")
    message = signed_message(anchor.network_id, entry.leaf.body)
    if not ed25519.is_valid(body.signer, entry.leaf.signature, message):
        raise KeyServiceRefusal(Reason.BAD_SIGNATURE, "the cosigner did not sign this")


def _open_first(entry: Entry, request: StartRequest) -> OpenedOperation:
    opened = Opened(0, request.salt, request.operation, request.outcome)
    try:
        return open_operation(entry.leaf, entry.body, opened)
    except FormatError as error:
        raise KeyServiceRefusal(error.reason, str(error)) from error
