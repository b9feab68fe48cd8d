"""Targets: SEV-SNP reports and the certificates of their keys, edited and signed again."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from attestation.evidence import SNP_REPORT_BYTES, Evidence, EvidenceKind, encode_evidence
from attestation.platforms.software_snp import encode_signed_region
from attestation.snp.report import SIGNATURE_PART
from tests.fuzz_nightly.evidence import check_endorsement_key, check_report
from tests.fuzz_nightly.resigned_quotes import Fields, field_edits
from tests.fuzz_nightly.target import QUIET, structured
from tests.fuzz_nightly.worlds import TIMES, amd, encoded_collateral, judged
from tests.support.der_edits import body_of, der_edits, resign
from tests.support.snp_world import GUEST, leaf_key, rsa_key

# fmt: off
_FIELDS: Fields = (  # (offset, size)
    (0, 4), (4, 4), (8, 8), (16, 16), (32, 16), (48, 4), (52, 4), (56, 8), (64, 8), (72, 4),
    (76, 4), (80, 64), (144, 48), (192, 32), (224, 48), (272, 48), (320, 32), (352, 32),
    (384, 8), (392, 3), (395, 21), (416, 64), (480, 8), (488, 4), (492, 4), (496, 8),
    (504, 8), (512, 8), (520, 152),
)
# fmt: on
_ECDSA = ec.ECDSA(hashes.SHA384())
_MAX_CERTIFICATE = 8 * 1024


def signed_again(region: bytes) -> bytes:
    """The whole report around a signed region."""
    r, s = decode_dss_signature(leaf_key().sign(region, _ECDSA))
    numbers = b"".join(number.to_bytes(SIGNATURE_PART, "little") for number in (r, s))
    return (region + numbers).ljust(SNP_REPORT_BYTES, b"\0")


@st.composite
def reports(draw: st.DrawFn, kind: str) -> bytes:
    """A report with up to three edited fields, of a version that is known."""
    region = encode_signed_region(GUEST)
    version = draw(st.sampled_from((2, 3, 5)))
    region = version.to_bytes(4, "little") + region[4:]
    if version == 2:
        region = region[:392] + bytes(24) + region[416:]
    if kind == "vlek":
        region = region[:72] + (4).to_bytes(4, "little") + region[76:]
    if draw(st.booleans()):
        region = draw(field_edits(region, _FIELDS))
    return signed_again(region)


@st.composite
def endorsements(draw: st.DrawFn, kind: str) -> bytes:
    """The certificate of a VCEK or VLEK, edited and signed by its signer; small enough to send."""
    world = amd()
    der = world.vcek() if kind == "vcek" else world.vlek()
    if draw(st.booleans()):
        return der
    key = rsa_key("ask" if kind == "vcek" else "asvk")
    return resign(draw(der_edits(body_of(der))), key, der)[:_MAX_CERTIFICATE]


_KINDS = st.sampled_from(("vcek", "vlek"))
_PAIRS = _KINDS.flatmap(lambda kind: st.tuples(reports(kind), endorsements(kind)))


@given(_PAIRS, st.sampled_from(TIMES))
@QUIET
def check_resigned(pair: tuple[bytes, bytes], now_s: int) -> None:
    """Judged at some time by good collateral."""
    report, certificate = pair
    check_report(report)
    check_endorsement_key(certificate)
    evidence = encode_evidence(Evidence(EvidenceKind.SNP, report, certificate))
    judged(evidence, report, encoded_collateral("snp"), now_s)


TARGETS = (structured("resigned-reports", check_resigned),)
