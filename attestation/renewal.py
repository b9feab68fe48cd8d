"""How collateral on a ledger is renewed, and when it cannot be: in words for people. Pure.

Rules: a network believes the roots of its genesis and no other. Of a vendor whose root stands there
the vendor's service has newer collateral; a network with a root of software has its own; evidence
of anybody else is believed by no update. The commands can be typed as they stand, up to URL.
"""

import hashlib
from collections.abc import Iterable

from attestation.vendors import AMD_ROOTS, INTEL_ROOT, ROOTS

UPDATE = "sealedger collateral update"
_SNP = "snp/"
_SOFTWARE = f"{UPDATE} --platform-directory"
_BY_OPERATOR = "an operator of the network mends it with:"


def service_option(key: str) -> str:
    """The option that names the vendor's service for a key of collateral."""
    return "--kds URL" if key.startswith(_SNP) else "--pccs URL"


def update_command(key: str, roots: Iterable[bytes]) -> str:
    """What renews collateral of `key`, which is in force where `roots` (DER) are believed."""
    digests = _digests(roots)
    if _vendor(key)[1] in digests or digests <= ROOTS:
        return f"{UPDATE} --key {key} {service_option(key)}"
    return _SOFTWARE


def renewal_words(key: str, roots: Iterable[bytes]) -> str:
    """Who mends collateral of `key` where `roots` (DER) are believed; or that nobody can."""
    digests, (vendor, root) = _digests(roots), _vendor(key)
    if root in digests:
        return f"{_BY_OPERATOR} {UPDATE} --key {key} {service_option(key)}"
    never = f"no root of {vendor} is among those of the network, and none can be added"
    if digests <= ROOTS:
        return f"no update mends it: {never}"
    return f"{_BY_OPERATOR} {_SOFTWARE}; for hardware no update does: {never}"


def _vendor(key: str) -> tuple[str, bytes]:
    """Whose platforms a key is about, and the digest of their root; none of an unknown line."""
    if not key.startswith(_SNP):
        return "Intel", INTEL_ROOT
    line = key.removeprefix(_SNP)
    return f"AMD's {line}", AMD_ROOTS.get(line, b"")


def _digests(roots: Iterable[bytes]) -> frozenset[bytes]:
    return frozenset(hashlib.sha256(root).digest() for root in roots)
