"""Collateral out of files: each form gives the same thing, and nothing else is taken."""

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from attestation.collateral import (
    Collateral,
    DcapCollateral,
    SnpCollateral,
    decode_collateral,
    encode_collateral,
)
from attestation.collateral_files import MAX_FILE_BYTES, canonical_chain, read_collateral_files
from attestation.dcap.collateral import bracket_depth
from attestation.errors import DecodeError
from attestation.fields import SnpTcb
from attestation.platforms.software_collateral import CollateralOptions
from attestation.platforms.software_snp_pki import (
    LeafNumbers,
    SnpAuthority,
    make_snp_collateral,
    new_snp_authority,
)
from tests.support.attested import NOW_S, SoftwareWorld
from tests.support.mutation import mutations

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
_LEAF = LeafNumbers(tcb=SnpTcb(boot_loader=1, tee=0, snp=1, microcode=1))
PARTS = ("ark.der", "ask.der", "asvk.der")


def _json(collateral: DcapCollateral) -> dict[str, Any]:
    return {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in asdict(collateral).items()
    }


def _pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def _crl_pem(der: bytes) -> bytes:
    return x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def dcap(world: SoftwareWorld) -> DcapCollateral:
    """Collateral of the software platform."""
    return world.collateral()


@pytest.fixture(scope="module")
def snp() -> SnpCollateral:
    """Collateral of a SEV-SNP root of our own."""
    authority: SnpAuthority = new_snp_authority(_LEAF, NOW_S)
    return make_snp_collateral(authority, CollateralOptions(issued_s=NOW_S))


def test_canonical_bytes_are_read(dcap: DcapCollateral, snp: SnpCollateral) -> None:
    """What we write of either kind is read back."""
    kinds: tuple[Collateral, ...] = (dcap, snp)
    for one in kinds:
        assert read_collateral_files([encode_collateral(one)]) == one


def test_nine_fields_in_json_are_read(dcap: DcapCollateral) -> None:
    """Binary fields are hex, texts stay as they were signed, a prover's chain is left out."""
    fields = _json(dcap)
    for document in (fields, fields | {"pck_certificate_chain": None}):
        for indent in (None, 2):
            text = json.dumps(document, indent=indent).encode()
            assert read_collateral_files([text]) == dcap


def test_chains_come_out_in_one_spelling(dcap: DcapCollateral) -> None:
    """Line ends, blank lines and comments around certificates do not matter."""
    fields = _json(dcap)
    loose = fields["tcb_info_issuer_chain"].replace("\n", "\r\n").replace("-----END", "-----END")
    fields["tcb_info_issuer_chain"] = "# TCB signer\r\n" + loose.rstrip()
    assert read_collateral_files([json.dumps(fields).encode()]) == dcap
    assert canonical_chain(dcap.pck_crl_issuer_chain.encode()) == dcap.pck_crl_issuer_chain


@pytest.mark.parametrize(
    "change",
    [
        {"tcb_info": None},
        {"tcb_info": ""},
        {"tcb_info": "\ud800"},
        {"root_ca_crl": "zz"},
        {"root_ca_crl": "0 0"},
        {"root_ca_crl": 5},
        {"extra": "x"},
        {"qe_identity_issuer_chain": "no PEM"},
        {"qe_identity_issuer_chain": "x" * 40_000},
    ],
)
def test_other_json_is_refused(dcap: DcapCollateral, change: dict[str, Any]) -> None:
    """A field too many, too few, of another type or spelling is a decode error."""
    with pytest.raises(DecodeError):
        read_collateral_files([json.dumps(_json(dcap) | change).encode()])
    fields = _json(dcap)
    del fields["pck_crl"]
    with pytest.raises(DecodeError):
        read_collateral_files([json.dumps(fields).encode()])


def test_repeated_keys_and_deep_nesting_are_refused(dcap: DcapCollateral) -> None:
    """JSON that two readers could read differently is none; nor does depth hurt."""
    text = json.dumps(_json(dcap))
    with pytest.raises(DecodeError):
        read_collateral_files([text[:-1].encode() + b', "tcb_info": "other"}'])
    hidden = b"".join(b'{"a":"]]}}\\"","b":[' for _ in range(50_000))
    for deep in (b'{"a":' + b"[" * 100_000, b'{"a":"' + b"]" * 99 + b'","b":' + b"[" * 99, hidden):
        with pytest.raises(DecodeError, match="nested"):
            read_collateral_files([deep])


@pytest.mark.parametrize("end", ["", "\\", '"', '\\"[['])
def test_strings_without_an_end_cost_no_more(end: str) -> None:
    """Text that is one open string full of escaped quotes is read once, not once a quote."""
    text = '"' + '\\"' * 40_000 + end
    began_s = time.process_time()
    assert bracket_depth(text) == 0
    assert time.process_time() - began_s < 1


def test_amds_certificates_are_told_apart(snp: SnpCollateral) -> None:
    """Any order, PEM or DER, one file or several, repeated or not."""
    assert read_collateral_files([snp.ark, snp.ask, snp.crl]) == snp
    bundle = _pem(snp.ask) + _pem(snp.ark)
    assert read_collateral_files([bundle + _crl_pem(snp.crl)]) == snp
    assert read_collateral_files([_crl_pem(snp.crl) + bundle]) == snp
    assert read_collateral_files([snp.crl, bundle, _pem(snp.ark)]) == snp
    assert read_collateral_files([bundle]) == replace(snp, crl=b"")


def test_amds_certificates_must_fit_together(snp: SnpCollateral, dcap: DcapCollateral) -> None:
    """A missing root, two lists, another vendor's certificate or two roots are decode errors."""
    other = new_snp_authority(_LEAF, NOW_S)
    newer = make_snp_collateral(other, CollateralOptions(issued_s=NOW_S))
    for files in (
        [snp.ask],
        [snp.ark, snp.crl],
        [snp.ark, snp.ask, snp.crl, newer.crl],
        [snp.ark, newer.ark, snp.ask],
        [snp.ark, snp.ask, dcap.tcb_info_issuer_chain.encode()],
        [_crl_pem(snp.crl) * 2 + _pem(snp.ark) + _pem(snp.ask)],
        [_pem(snp.ark) * 9],
    ):
        with pytest.raises(DecodeError):
            read_collateral_files(files)


def test_sizes_and_counts_are_bounded(snp: SnpCollateral) -> None:
    """No file, an empty one, a huge one, or too many are refused before they are read."""
    for files in ([], [b""], [bytes(MAX_FILE_BYTES + 1)], [snp.ark] * 9):
        with pytest.raises(DecodeError):
            read_collateral_files(files)


@given(data=st.data())
@settings(max_examples=150)
def test_damaged_files_raise_nothing_but_decode_errors(
    data: st.DataObject, dcap: DcapCollateral, snp: SnpCollateral
) -> None:
    """Mutations of every form are read or refused, and what is read can be encoded."""
    forms = (
        encode_collateral(dcap),
        json.dumps(_json(dcap)).encode(),
        _pem(snp.ark) + _pem(snp.ask) + _crl_pem(snp.crl),
        snp.crl,
    )
    form = data.draw(st.sampled_from(forms))
    changed = data.draw(st.one_of(mutations(form), st.binary(max_size=200)))
    try:
        found = read_collateral_files([changed])
    except DecodeError:
        return
    assert decode_collateral(encode_collateral(found)) == found


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors are not beside this checkout")
def test_real_files_are_read() -> None:
    """Every collateral file of the vectors, and AMD's certificates, come out as they went in."""
    files = sorted(VECTORS.glob("*dx/*/collateral*.json")) + sorted(
        VECTORS.glob("sgx/*/collateral*.json")
    )
    assert len(files) > 30
    for path in files:
        found = read_collateral_files([path.read_bytes()])
        assert isinstance(found, DcapCollateral)
        assert _json(found) == json.loads(path.read_text())
    seen = set()
    for ark in sorted(VECTORS.glob("sev-snp/*/ark.der")):
        parts = [(ark.parent / name) for name in PARTS]
        found = read_collateral_files([one.read_bytes() for one in parts if one.exists()])
        assert isinstance(found, SnpCollateral)
        seen.add(found.product)
    assert seen == {"Milan", "Genoa", "Turin"}
