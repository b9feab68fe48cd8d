"""Which collateral a node's evidence is judged by: genesis', or newer that the ledger put in force.

1. A node may hand over collateral with the receipt of the entry that put it in force. The receipt
   is certified by the pinned rule and opens an UpdateCollateral of exactly these bytes that went
   well. Without one, genesis holds it.
2. It is for the evidence's kind of platform, and verifies under our own roots, pins and floor.
3. It is not older than genesis', nor than the newest that this client has seen: a node that shows
   yesterday's collateral, to hide that its platform has become vulnerable, is refused.
Pure; what was seen is kept in memory, by key. Not here: judging evidence by it (`attest`).
"""

import hashlib

from attestation.collateral import CollateralFacts
from attestation.collateral_verdict import is_successor
from attestation.renewal import renewal_words
from attestation.rules import VerificationRules
from attestation.verify import read_facts, verify_collateral
from enclave_client.checkpoints import CheckpointBook
from enclave_client.errors import (
    AttestationFailedError,
    Check,
    LogForkedError,
    ReceiptInvalidError,
)
from enclave_client.network_file import NetworkFile
from enclave_client.offline import verify_receipt_file
from enclave_client.wire import OfferedCollateral
from ledger.format.hygiene import UpdateCollateral
from ledger.format.receipt import VerifiedReceipt, decode_receipt
from ledger.reason import Reason


class CollateralFloor:
    """The newest collateral of each key that was verified. Never goes back."""

    def __init__(self) -> None:
        """Start empty."""
        self._newest: dict[str, CollateralFacts] = {}

    def verify(self, facts: CollateralFacts) -> None:
        """Check that these are not older than what was seen; AttestationFailedError if they are."""
        seen = self._newest.get(facts.key)
        if seen is not None and facts.order != seen.order and not is_successor(facts, seen):
            raise AttestationFailedError(
                Check.EVIDENCE,
                f"the collateral for {facts.key} is older than what this client has seen already",
                "the node is behind or hides what is known of its platform: use another endpoint",
            )

    def raise_to(self, facts: CollateralFacts) -> None:
        """Remember verified facts that passed `verify`."""
        self._newest[facts.key] = facts


def collateral_for(
    key: str,
    genesis: tuple[bytes, ...],
    offered: OfferedCollateral | None,
    roots: tuple[bytes, ...],
) -> bytes:
    """The offered collateral, or genesis' for this key; AttestationFailedError if there is none.

    `roots` (DER) are those that the client believes: its error says whether anything mends it.
    """
    if offered is not None:
        return offered.collateral
    for data in genesis:
        if read_facts(data).key == key:
            return data
    raise AttestationFailedError(
        Check.EVIDENCE, f"the network has no collateral for {key}", renewal_words(key, roots)
    )


def verify_offered(
    offered: OfferedCollateral, network: NetworkFile, book: CheckpointBook
) -> VerifiedReceipt:
    """The verified receipt of offered collateral (1 above); AttestationFailedError.

    LogForkedError if its checkpoint contradicts one that was seen.
    """
    try:
        verified = verify_receipt_file(offered.receipt, network)
        book.verify(decode_receipt(offered.receipt).checkpoint)
    except ReceiptInvalidError as error:
        if isinstance(error, LogForkedError):
            raise
        raise _unproven(error.message) from error
    opened = verified.opened[0]
    operation = opened.operation
    if not isinstance(operation, UpdateCollateral) or opened.outcome.reason is not Reason.OK:
        raise _unproven("its receipt is of another operation, or of one that was refused")
    if hashlib.sha256(offered.collateral).digest() != operation.digest:
        raise _unproven("its receipt is of other collateral")
    return verified


def verify_current(
    key: str,
    collateral: bytes,
    genesis: tuple[bytes, ...],
    rules: VerificationRules,
    now_s: int,
) -> CollateralFacts:
    """The facts of collateral for `key` (2 above, and 3 as far as genesis goes).

    Raises CannotDecideError or AttestationFailedError.
    """
    facts = verify_collateral(collateral, rules, now_s).facts
    if facts.key != key:
        raise AttestationFailedError(
            Check.EVIDENCE, f"the node offers collateral for {facts.key}, its evidence needs {key}"
        )
    floor = CollateralFloor()
    for data in genesis:
        first = read_facts(data)
        if first.key == key:
            floor.raise_to(first)
    floor.verify(facts)
    return facts


def _unproven(why: str) -> AttestationFailedError:
    return AttestationFailedError(
        Check.EVIDENCE,
        f"the offered collateral is not proven to be on the ledger: {why}",
        "only collateral that the network put in force counts: use another endpoint",
    )
