"""Targets: collateral whose documents, lists and authorities are edited and signed again.

So that the edits reach the library, the facts and the rules behind the signatures. The rules are
edited too: which roots a network believes is voted by its members, and a vote must not be able to
crash a verifier.
"""

from contextlib import suppress
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import assume, given
from hypothesis import strategies as st

from attestation.collateral import (
    Collateral,
    DcapCollateral,
    SnpCollateral,
    encode_collateral,
)
from attestation.dcap.pem import encode_chain
from attestation.errors import CannotDecideError
from attestation.evidence import MAX_QUOTE_BYTES
from attestation.platforms.software_pki import sign_raw
from attestation.rules import VerificationRules, load_root
from attestation.verify import verify, verify_collateral
from tests.fuzz_nightly.collateral import check_collateral
from tests.fuzz_nightly.target import QUIET, structured
from tests.fuzz_nightly.worlds import (
    TIMES,
    amd,
    dcap_collateral,
    dcap_evidence,
    encoded_evidence,
    intel,
    judged,
    refusals,
    rules,
)
from tests.support.attested import NOW_S
from tests.support.der_edits import body_of, der_edits, resign
from tests.support.snp_world import rsa_key
from tests.support.tree_edits import json_edits

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_DCAP_PARTS = ("tcb_info", "tcb_info", "qe_identity", "pck_crl", "root_ca_crl", "signer", "pck_ca")
_SNP_PARTS = ("crl", "ask", "asvk")


@st.composite
def dcap(draw: st.DrawFn, tee: str) -> DcapCollateral:
    """DCAP collateral with one part edited and signed by whoever signs it."""
    authority = intel().authority
    held = dcap_collateral(tee)
    part = draw(st.sampled_from(_DCAP_PARTS))
    root = authority.root.public_bytes(Encoding.DER)
    if part in ("tcb_info", "qe_identity"):
        text = draw(json_edits(getattr(held, part)))
        signature = sign_raw(authority.tcb_signer_key, text.encode())
        fields: dict[str, object] = {part: text, f"{part}_signature": signature}
    elif part in ("pck_crl", "root_ca_crl"):
        key = authority.pck_ca_key if part == "pck_crl" else authority.root_key
        fields = {part: _resigned(draw, getattr(held, part), key)}
    elif part == "signer":
        der = authority.tcb_signer.public_bytes(Encoding.DER)
        chain = encode_chain((_resigned(draw, der, authority.root_key), root)).decode()
        which = draw(st.sampled_from(("tcb_info_issuer_chain", "qe_identity_issuer_chain")))
        fields = {which: chain}
    else:
        der = authority.pck_ca.public_bytes(Encoding.DER)
        chain = encode_chain((_resigned(draw, der, authority.root_key), root)).decode()
        fields = {"pck_crl_issuer_chain": chain}
    return replace(held, **fields)  # type: ignore[arg-type]  # by name: text or bytes


@st.composite
def snp(draw: st.DrawFn) -> SnpCollateral:
    """AMD's collateral with one part edited and signed by the root, seldom without one."""
    held = amd().collateral()
    part = draw(st.sampled_from(_SNP_PARTS))
    data = b""
    if draw(st.integers(0, 9)):
        data = _resigned(draw, getattr(held, part), rsa_key("ark"))
    return replace(held, **{part: data})  # type: ignore[arg-type]  # by name: all are bytes


@st.composite
def roots(draw: st.DrawFn) -> tuple[VerificationRules, bytes, bytes]:
    """Rules with an edited, self-signed root, and collateral and evidence that end in it."""
    if draw(st.booleans()):
        held = amd().collateral()
        ark = _resigned(draw, held.ark, rsa_key("ark"))
        changed = replace(rules(), roots=(ark,))
        return changed, encode_collateral(replace(held, ark=ark)), encoded_evidence("snp")
    authority = intel().authority
    old = encode_chain((authority.root.public_bytes(Encoding.DER),))
    root = _resigned(draw, authority.root.public_bytes(Encoding.DER), authority.root_key)
    new = encode_chain((root,))
    collateral, evidence = dcap_collateral("sgx"), intel().quote()
    chains = {
        name: getattr(collateral, name).replace(old.decode(), new.decode())
        for name in ("pck_crl_issuer_chain", "tcb_info_issuer_chain", "qe_identity_issuer_chain")
    }
    # the quote's own chain, with the lengths before it put right
    head, tail = evidence[:432], evidence[436:].replace(old, new)
    cut = 64 + 64 + 384 + 64 + 2 + 32 + 2
    tail = tail[:cut] + (len(tail) - cut - 4).to_bytes(4, "little") + tail[cut + 4 :]
    quote = head + len(tail).to_bytes(4, "little") + tail
    changed = replace(rules(), roots=(root,))
    assume(len(quote) <= MAX_QUOTE_BYTES)
    return changed, encode_collateral(replace(collateral, **chains)), dcap_evidence(quote)


def _resigned(draw: st.DrawFn, der: bytes, key: Key) -> bytes:
    return resign(draw(der_edits(body_of(der))), key, der)


_COLLATERAL = st.one_of(dcap("sgx"), dcap("tdx"), snp())


@given(_COLLATERAL, st.sampled_from(TIMES))
@QUIET
def check_resigned(collateral: Collateral, now_s: int) -> None:
    """Judged by itself, and good evidence by it."""
    try:
        encoded = encode_collateral(collateral)
    except UnicodeEncodeError:
        return  # no protobuf text holds it: it cannot come from outside
    check_collateral(encoded, now_s)
    for tee in ("sgx", "tdx", "snp"):
        evidence = encoded_evidence(tee)
        judged(evidence, evidence[5:], encoded, now_s)


@given(roots())
@QUIET
def check_roots(case: tuple[VerificationRules, bytes, bytes]) -> None:
    """An edited root is refused or used; it never ends the process."""
    changed, collateral, evidence = case
    for der in changed.roots:
        with suppress(CannotDecideError):
            load_root(der)
    with suppress(CannotDecideError):
        verify_collateral(collateral, changed, NOW_S)
    refusals(lambda: verify(evidence, collateral, changed, NOW_S))


TARGETS = (
    structured("resigned-collateral", check_resigned),
    structured("roots", check_roots),
)
