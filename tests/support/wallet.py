"""A wallet as a browser has one: it signs what ``eth_signTypedData_v4`` is given, shown as it is.

The digest is computed here by eth-account, the independent oracle, from the typed data themselves.
"""

from typing import Any

from eth_account.messages import encode_typed_data

from ledger.crypto.keccak import keccak256
from ledger.crypto.secp256k1 import SigningKey

# What a page sees: an EIP-1193 provider that asks the test's own server to sign.
PROVIDER = """
globalThis.ethereum = {
  async request({ method, params }) {
    if (method === "eth_requestAccounts") return ["%s"];
    if (method !== "eth_signTypedData_v4") throw new Error("unknown method");
    globalThis.shownByWallet = params[1];
    const answer = await fetch("/test/wallet", { method: "POST", body: params[1] });
    return answer.text();
  },
};
"""


def sign_typed_data(key: SigningKey, typed_data: dict[str, Any]) -> str:
    """The signature, 0x and hex."""
    message = encode_typed_data(full_message=typed_data)
    digest = keccak256(b"\x19" + message.version + message.header + message.body)
    return f"0x{key.sign(digest).hex()}"


def provider(key: SigningKey) -> str:
    """The script that gives a page this wallet."""
    return PROVIDER % f"0x{key.address.hex()}"
