"""Signing as an account: EIP-712 over the text that a wallet shows.

The key itself stays behind `AccountSigner`: an opened keystore (`ledger.crypto.secp256k1`), a
wallet or a signing service. Every signature is checked here before it is sent, so a signer that
holds another key, or signs another way, is a clear error. Not here: sending (`owner_line`).
"""

from dataclasses import dataclass
from typing import Protocol

from enclave_client.errors import InvalidRequestError
from ledger.crypto.secp256k1 import is_valid
from ledger.format import eip712
from ledger.format.operation import decode_operation
from ledger.format.query import Query, query_hash
from ledger.format.summary import summarize, summarize_question
from ledger.format.transaction import Body, SignerKind, transaction_hash


class AccountSigner(Protocol):
    """Whoever holds an account's secp256k1 key. Calls are short and come one at a time."""

    @property
    def address(self) -> bytes:
        """The account's 20 bytes."""
        ...

    def sign(self, digest: bytes) -> bytes:
        """65 bytes r, s, v (low s, v 27 or 28) over a 32-byte digest that this package made."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """An account on one network, as what signs transactions and questions."""

    network_id: bytes
    signer: AccountSigner

    @property
    def kind(self) -> SignerKind:
        """Always an account."""
        return SignerKind.ACCOUNT

    @property
    def name(self) -> bytes:
        """How bodies name the signer: the 20-byte address."""
        return self.signer.address

    def sign_body(self, body: Body, encoded: bytes, operations: tuple[bytes, ...]) -> bytes:
        """The signature of a transaction; InvalidRequestError if the signer gives another one."""
        summary = summarize(tuple(map(decode_operation, operations)))
        return self._sign(
            eip712.transaction_digest(
                self.network_id, body.sequence, summary, transaction_hash(encoded)
            )
        )

    def sign_query(self, query: Query, encoded: bytes) -> bytes:
        """The signature of a question; InvalidRequestError if the signer gives another one."""
        summary = summarize_question(query.question)
        return self._sign(
            eip712.query_digest(self.network_id, query.time_ms, summary, query_hash(encoded))
        )

    def _sign(self, digest: bytes) -> bytes:
        signature = self.signer.sign(digest)
        if not is_valid(self.name, signature, digest):
            raise InvalidRequestError(
                "the signer's signature is not one of its account",
                "65 bytes r, s, v of the digest as it is given, with low s and v 27 or 28",
            )
        return signature
