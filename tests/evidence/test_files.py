"""What files are told to be, and that nothing in them makes a reader fail in another way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation.certificate_files import (
    MAX_CERTIFICATES,
    MAX_FILE_BYTES,
    MAX_FILES,
    read_snp_certificates,
)
from attestation.dcap.pem import encode_chain
from attestation.errors import DecodeError, EvidenceFault
from attestation.evidence import Evidence, EvidenceKind, encode_evidence
from attestation.evidence_files import MAX_FILE_BYTES as MAX_EVIDENCE_FILE
from attestation.evidence_files import FileKind, read_evidence_file
from attestation.platforms.tsm_certificates import VCEK_GUID
from attestation.ratls.forms import DICE_OID
from attestation.ratls.make import encode_claims
from tests.support.attested import make_world
from tests.support.mutation import mutations
from tests.support.platform_devices import certificate_table
from tests.support.ratls_certificates import Wanted, dice_value, make_certificate, spki_of
from tests.support.repository import ROOT
from tests.support.snp_world import SnpWorld

WORLD, SNP = make_world(), SnpWorld()
QUOTE, BY_CHIP = WORLD.quote(), SNP.evidence()
REPORT = BY_CHIP.quote
KEY = Wanted()
IAS_OID, OPEN_ENCLAVE_OID = "2.16.840.1.113730.1.13", "1.2.840.113556.10.1.1"
CERTIFICATE = make_certificate(KEY, {DICE_OID: dice_value(WORLD, encode_claims(spki_of(KEY.key)))})
IAS_REPORT = json.dumps({"isvEnclaveQuoteStatus": "OK", "isvEnclaveQuoteBody": "AgAB"}).encode()
ENCODED = encode_evidence(BY_CHIP)
LEAF, CLOUD_LEAF, COLLATERAL = SNP.vcek(), SNP.vlek(), SNP.collateral()
FULL_CHAIN = (LEAF, COLLATERAL.ask, COLLATERAL.ark)


def pem(*certificates: bytes) -> bytes:
    """Certificates as text."""
    return encode_chain(certificates)


@pytest.mark.parametrize(
    "data, kind, evidence",
    [
        (QUOTE, FileKind.QUOTE, Evidence(EvidenceKind.DCAP, QUOTE)),
        (REPORT, FileKind.REPORT, Evidence(EvidenceKind.SNP, REPORT)),
        (ENCODED, FileKind.EVIDENCE, BY_CHIP),
        (encode_evidence(Evidence(EvidenceKind.DCAP, QUOTE)), FileKind.EVIDENCE, None),
        (CERTIFICATE, FileKind.CERTIFICATE, None),
        (pem(CERTIFICATE), FileKind.CERTIFICATE, None),
        (b"\n " + pem(CERTIFICATE).replace(b"\n", b"\r\n"), FileKind.CERTIFICATE, None),
    ],
    ids=["quote", "report", "encoded report", "encoded quote", "DER", "PEM", "PEM of Windows"],
)
def test_evidence_is_recognised(data: bytes, kind: FileKind, evidence: Evidence | None) -> None:
    """Each kind by its bytes alone, and the evidence comes out."""
    file = read_evidence_file(data)
    assert (file.kind, file.fault) == (kind, None)
    assert file.evidence is not None
    assert evidence in (None, file.evidence)
    assert (file.certificate is not None) is (kind is FileKind.CERTIFICATE)


@pytest.mark.parametrize(
    "data, kind, code",
    [
        (IAS_REPORT, FileKind.IAS, EvidenceFault.RETIRED),
        (b"  \n" + IAS_REPORT, FileKind.IAS, EvidenceFault.RETIRED),
        (make_certificate(KEY, {IAS_OID: b"x"}), FileKind.IAS, EvidenceFault.RETIRED),
        (
            make_certificate(Wanted(signer=KEY.key), {OPEN_ENCLAVE_OID: b"x"}),
            FileKind.CERTIFICATE,
            EvidenceFault.SIGNATURE,
        ),
        (make_certificate(KEY, {DICE_OID: b"x"}), FileKind.CERTIFICATE, EvidenceFault.MALFORMED),
        (CERTIFICATE[:-1], FileKind.CERTIFICATE, EvidenceFault.MALFORMED),
        (pem(CERTIFICATE, CERTIFICATE), FileKind.CERTIFICATE, EvidenceFault.MALFORMED),
        (pem(WORLD.root, CERTIFICATE), FileKind.CERTIFICATE, EvidenceFault.MALFORMED),
        (WORLD.root[:-1], FileKind.CERTIFICATE, EvidenceFault.MALFORMED),
        (ENCODED + b"x", FileKind.EVIDENCE, EvidenceFault.MALFORMED),
    ],
)
def test_what_can_only_be_refused_is_refused_for_what_it_is(
    data: bytes, kind: FileKind, code: EvidenceFault
) -> None:
    """A known kind with content that nobody can judge."""
    file = read_evidence_file(data)
    assert (file.kind, file.evidence) == (kind, None)
    assert file.fault is not None
    assert file.fault.code == code


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "0 bytes"),
        (b" \n", "white space"),
        (bytes(MAX_EVIDENCE_FILE + 1), f"expected 1 to {MAX_EVIDENCE_FILE}"),
        (bytes(100), "no DCAP quote"),
        (REPORT[:-1], "no SEV-SNP report"),
        (QUOTE.hex().encode(), "hexadecimal"),
        (QUOTE.hex().upper().encode() + b"\n", "xxd"),
        (b"AwACAAAAAAAKAA8Ak5pyM/fEzKmUCg2zlX8GB\n==", "base64"),
        (b'{"tcb_info": 1}', "option of its own"),
        (b'{"isvEnclaveQuoteStatus": ', "begins as JSON"),
        (b"[" * 100_000, "no DCAP quote"),
        (b"{" * 100_000, "begins as JSON"),
        (b'{"a":' + b"[" * 100_000, "begins as JSON"),
        (REPORT + b"\n", "^evidence: 1185 bytes that are no DCAP quote"),
        (make_certificate(KEY, {}), "^evidence: a certificate without evidence"),
        (pem(make_certificate(KEY, {}), WORLD.root), "^evidence: a certificate without evidence"),
        (WORLD.root, "^evidence: a certificate without evidence"),
        (LEAF, "^evidence: this is AMD's VCEK: give it with --chain beside the report"),
        (pem(CLOUD_LEAF), "^evidence: this is AMD's VLEK: "),
        (COLLATERAL.ark, "^evidence: this is AMD's ARK: "),
        (pem(COLLATERAL.ask, COLLATERAL.ark), "^evidence: this is AMD's ASK and ARK: "),
        (COLLATERAL.asvk + COLLATERAL.ark, "^evidence: this is AMD's ASVK and ARK: "),
        (make_certificate(KEY, {OPEN_ENCLAVE_OID: b"x"}), "Open Enclave"),
    ],
)
def test_what_is_no_evidence_is_said_to_be_none(data: bytes, words: str) -> None:
    """The error says what the file is, or what it is not."""
    with pytest.raises(DecodeError, match=words):
        read_evidence_file(data)


def test_the_page_that_ias_reports_are_sent_to_says_what_became_of_ias() -> None:
    """It is there, and tells when the service ended and what replaces it."""
    fault = read_evidence_file(IAS_REPORT).fault
    assert fault is not None
    page = next(word for word in fault.got.split() if word.startswith("docs/"))
    text = (ROOT / page).read_text()
    section = text.partition("## IAS and EPID")[2].partition("\n## ")[0]
    for words in ("April 2025", "IAS_SPID", "IAS_KEY", "DCAP"):
        assert words in section
    assert page in (ROOT / "attestation/platforms/ias.py").read_text()


@given(
    data=st.binary(max_size=1300)
    | mutations(QUOTE)
    | mutations(CERTIFICATE)
    | mutations(pem(CERTIFICATE))
    | mutations(ENCODED)
    | mutations(IAS_REPORT)
)
def test_any_file_is_read_refused_or_no_evidence(data: bytes) -> None:
    """Nothing else happens, whatever its bytes."""
    try:
        file = read_evidence_file(data)
    except DecodeError:
        return
    assert (file.evidence is None) is (file.fault is not None)


@pytest.mark.parametrize(
    "files",
    [
        (pem(*FULL_CHAIN),),
        (b"".join(FULL_CHAIN),),
        (b"".join(reversed(FULL_CHAIN)),),
        FULL_CHAIN,
        (LEAF, b"a note\n" + pem(COLLATERAL.ask) + b"\nanother\n" + pem(COLLATERAL.ark)),
        (
            certificate_table(
                {VCEK_GUID: LEAF, b"s" * 16: COLLATERAL.ask, b"r" * 16: COLLATERAL.ark}
            ),
        ),
        (certificate_table({VCEK_GUID: pem(LEAF)}), COLLATERAL.ask + COLLATERAL.ark),
        (*FULL_CHAIN, pem(*FULL_CHAIN)),
    ],
    ids=["PEM", "DER", "reversed", "files", "mixed", "table", "table with PEM", "twice"],
)
def test_certificates_are_told_apart_by_their_names(files: tuple[bytes, ...]) -> None:
    """In any spelling and order, in one file or several."""
    found = read_snp_certificates(files)
    assert found.leaf == LEAF
    assert found.authorities == {"SEV-Milan": COLLATERAL.ask, "ARK-Milan": COLLATERAL.ark}


def test_a_cloud_s_key_is_a_leaf_too() -> None:
    """VLEK and ASVK take the places of VCEK and ASK."""
    found = read_snp_certificates([CLOUD_LEAF + COLLATERAL.asvk])
    assert (found.leaf, list(found.authorities)) == (CLOUD_LEAF, ["SEV-VLEK-Milan"])


def test_no_files_are_no_certificates() -> None:
    """Whoever brought nothing has nothing."""
    assert read_snp_certificates([]).authorities == {}


@pytest.mark.parametrize(
    "files, words",
    [
        ([b""], "0 bytes"),
        ([b"x" * (MAX_FILE_BYTES + 1)], "expected 1 to"),
        ([LEAF] * (MAX_FILES + 1), "9 files"),
        ([LEAF * (MAX_CERTIFICATES + 1)], "more than 8"),
        ([LEAF[:-1]], "DER"),
        ([LEAF + b"x"], "DER"),
        ([b"0\x03abc"], "DER"),
        ([b"0\x82\x00\x01a"], "cannot be read"),
        ([b"-----BEGIN X509 CRL-----\n"], "without a certificate"),
        ([pem(LEAF).replace(b"MII", b"!!!")], "base64"),
        ([LEAF, CLOUD_LEAF], "two different"),
        ([COLLATERAL.ark, SnpWorld(now_s=1).collateral().ark], "two different"),
        ([make_certificate(KEY, {})], "'anybody'"),
        ([WORLD.root], "none of AMD's"),
    ],
)
def test_other_files_are_no_chain(files: list[bytes], words: str) -> None:
    """The error says what is wrong with them."""
    with pytest.raises(DecodeError, match=words):
        read_snp_certificates(files)


@given(
    data=st.binary(max_size=200)
    | mutations(b"".join(FULL_CHAIN))
    | mutations(pem(*FULL_CHAIN))
    | mutations(certificate_table({VCEK_GUID: LEAF}))
)
def test_any_chain_is_read_or_refused(data: bytes) -> None:
    """Nothing but the package's own error comes out."""
    try:
        found = read_snp_certificates([data])
    except DecodeError:
        return
    for der in (found.leaf, *found.authorities.values()):
        assert len(der) <= MAX_FILE_BYTES
