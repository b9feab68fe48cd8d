"""A verifier of RA-TLS certificates that shares nothing with ours: `openssl` and offsets.

It follows the public documents by itself: the extension by `openssl asn1parse`, five CBOR heads by
their bytes, SGX quotes of version 3 by their offsets, every signature by `openssl`. It trusts the
root certificate that it is given and knows nothing of TCB levels or revocation.
"""

import hashlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

OID = "2.23.133.5.4.9"
TAGGED_ARRAY = bytes.fromhex("d9ea6082")  # tag 60000, array of two
CLAIM = b"\xa1\x6bpubkey-hash\x58\x24\x82\x01\x58\x20"  # map of one: bytes of [1, bytes of 32]
QUOTE_START = bytes.fromhex("0300020000000000")  # version 3, ECDSA P-256, SGX
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_DUMP = re.compile(r"\[HEX DUMP\]:([0-9A-F]+)")


class ForeignVerifierError(Exception):
    """What did not hold."""


@dataclass(frozen=True, slots=True)
class ForeignView:
    """What it read: SGX measurements, 32 bytes each, and the quote."""

    mr_enclave: bytes
    mr_signer: bytes
    quote: bytes


@dataclass(frozen=True, slots=True)
class ForeignVerifier:
    """Believes a root (PEM), judges as of a time, writes into a directory of its own."""

    root: Path
    at_s: int
    workspace: Path

    def verify(self, certificate: bytes) -> ForeignView:
        """Judge a PEM certificate; raises ForeignVerifierError."""
        file = self.workspace / "certificate.pem"
        file.write_bytes(certificate)
        self._verify_chain("-CAfile", str(file), str(file))  # signed by itself
        public_key = _openssl("x509", "-in", str(file), "-noout", "-pubkey")
        spki = _openssl("pkey", "-pubin", "-outform", "DER", given=public_key)
        quote, claims = _tagged_evidence(_extension(file))
        _hold(claims == CLAIM + hashlib.sha256(spki).digest(), "the claims name another key")
        report = quote[48:432]
        _hold(report[320:352] == hashlib.sha256(claims).digest(), "the quote binds other claims")
        _hold(report[352:384] == bytes(32), "the quote binds something else too")
        self._verify_quote(quote)
        return ForeignView(report[64:96], report[128:160], quote)

    def _verify_quote(self, quote: bytes) -> None:
        """Root, PCK, quoting enclave, attestation key, report: each signs the next."""
        _hold(quote[:8] == QUOTE_START, "not an SGX quote of version 3")
        rest = quote[436:]
        signature, key, qe_report, qe_signature = (
            rest[:64],
            rest[64:128],
            rest[128:512],
            rest[512:576],
        )
        _hold(rest[576:578] == b"\x20\0" and rest[610:612] == b"\5\0", "another layout")
        _hold(qe_report[320:352] == hashlib.sha256(key + rest[578:610]).digest(), "another key")
        chain = self.workspace / "chain.pem"  # the leaf comes first in it
        chain.write_bytes(rest[616:].rstrip(b"\0"))
        self._verify_chain("-CAfile", str(self.root), "-untrusted", str(chain), str(chain))
        pck_key = _openssl("x509", "-in", str(chain), "-noout", "-pubkey")
        self._verify_ecdsa(pck_key, qe_report, qe_signature)
        attestation_key = _openssl("pkey", "-pubin", "-inform", "DER", "-pubout", given=P256 + key)
        self._verify_ecdsa(attestation_key, quote[:432], signature)

    def _verify_chain(self, *arguments: str) -> None:
        _openssl("verify", "-check_ss_sig", "-attime", str(self.at_s), *arguments)

    def _verify_ecdsa(self, public_key: bytes, data: bytes, signature: bytes) -> None:
        key, file = self.workspace / "key.pem", self.workspace / "signature.der"
        key.write_bytes(public_key)
        file.write_bytes(_der_signature(signature))
        _openssl("dgst", "-sha256", "-verify", str(key), "-signature", str(file), given=data)


def _extension(certificate: Path) -> bytes:
    lines = _openssl("asn1parse", "-in", str(certificate)).decode().splitlines()
    at = [i for i, line in enumerate(lines) if line.rstrip().endswith((f":{OID}", OID))]
    _hold(len(at) == 1, "not one extension with evidence")
    dump = _DUMP.search(lines[at[0] + 1])  # the octet string follows: the flag is left off
    if dump is None:
        raise ForeignVerifierError("the extension is critical, or no octet string")
    return bytes.fromhex(dump[1])


def _tagged_evidence(value: bytes) -> tuple[bytes, bytes]:
    _hold(value[:5] == TAGGED_ARRAY + b"\x59", "not tagged evidence of an Intel quote")
    end = 7 + int.from_bytes(value[5:7], "big")
    _hold(value[end] == 0x58 and len(value) == end + 2 + value[end + 1], "no claims at the end")
    return value[7:end], value[end + 2 :]


def _der_signature(signature: bytes) -> bytes:
    parts = b""
    for half in (signature[:32], signature[32:]):
        number = int.from_bytes(half, "big")
        body = number.to_bytes(number.bit_length() // 8 + 1, "big")
        parts += bytes((0x02, len(body))) + body
    return bytes((0x30, len(parts))) + parts


def _openssl(*arguments: str, given: bytes = b"") -> bytes:
    ran = subprocess.run(
        ("openssl", *arguments), input=given, capture_output=True, timeout=60, check=False
    )
    _hold(not ran.returncode, f"openssl {arguments[0]}: {ran.stderr.decode(errors='replace')}")
    return ran.stdout


def _hold(is_right: bool, fault: str) -> None:
    if not is_right:
        raise ForeignVerifierError(fault)
