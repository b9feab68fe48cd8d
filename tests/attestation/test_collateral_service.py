"""Answers of the vendors' services: the signed text comes out as it was signed, nothing else."""

import json
from dataclasses import replace
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from attestation.collateral import DcapCollateral
from attestation.collateral_service import (
    MAX_ANSWER_BYTES,
    MAX_HEADER_BYTES,
    Answer,
    DcapAnswers,
    dcap_collateral,
    read_chain,
    read_revocations,
    read_signed,
)
from attestation.errors import DecodeError
from tests.support.attested import SoftwareWorld
from tests.support.mutation import mutations


def signed(name: str, text: str, signature: bytes) -> bytes:
    """A service's answer."""
    return f'{{"{name}":{text},"signature":"{signature.hex()}"}}'.encode()


def answers_of(held: DcapCollateral) -> DcapAnswers:
    """What a service that has this collateral answers."""
    chains = (
        held.tcb_info_issuer_chain,
        held.qe_identity_issuer_chain,
        held.pck_crl_issuer_chain,
    )
    tcb, qe, crl = (quote(chain, safe="") for chain in chains)
    return DcapAnswers(
        tcb=Answer(signed("tcbInfo", held.tcb_info, held.tcb_info_signature), tcb),
        qe_identity=Answer(
            signed("enclaveIdentity", held.qe_identity, held.qe_identity_signature), qe
        ),
        pck_crl=Answer(held.pck_crl, crl),
        root_crl=held.root_ca_crl,
    )


@pytest.fixture(scope="module")
def held(world: SoftwareWorld) -> DcapCollateral:
    """Collateral of the software platform."""
    return world.collateral()


def test_answers_make_the_collateral(held: DcapCollateral) -> None:
    """Every field comes out as it was signed or issued."""
    assert dcap_collateral(answers_of(held)) == held


@pytest.mark.parametrize(
    "shape",
    [
        '{{"tcbInfo":{text},"signature":"{hex}"}}',
        '{{ "tcbInfo" : {text} ,\n "signature" : "{hex}" }}\n',
        '{{"signature":"{hex}","tcbInfo":{text}}}',
        '{{"signature":"{HEX}","tcbInfo":{text}}}',
    ],
)
def test_the_text_is_the_one_that_was_signed(shape: str) -> None:
    """Spaces, escapes and the order of keys inside the document are kept; around it they vary."""
    text = '{"b": 1.50,  "a\\u0041":["\\/", "{}{", {"x":"}"}], "id":"SGX"}'
    body = shape.format(text=text, hex="ab" * 64, HEX="AB" * 64)
    assert read_signed("tcbInfo", body.encode()) == (text, bytes.fromhex("ab" * 64))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"not found",
        b"<html></html>",
        b'{"tcbInfo":{},"signature":"zz"}',
        b'{"tcbInfo":{},"signature":"{}"}',
        b'{"tcbInfo":{},"signature":1}',
        b'{"tcbInfo":[],"signature":"ab"}',
        b'{"tcbInfo":{"a":1,"a":2},"signature":"ab"}',
        b'{"tcbInfo":{},"signature":"ab","more":1}',
        b'{"tcbInfo":{},"tcbInfo":{"a":1},"signature":"ab"}',
        b'{"enclaveIdentity":{},"signature":"ab"}',
        b'{"tcbInfo":{},"signature":"ab"',
        b'{"tcbInfo":{},"signature":"\xff"}',
        b'{"tcbInfo":' + b'{"a":' * 50_000,
        b" " * (MAX_ANSWER_BYTES + 1),
    ],
)
def test_other_answers_are_refused(body: bytes) -> None:
    """Another shape, another document, repeated keys, depth or size: a decode error."""
    with pytest.raises(DecodeError):
        read_signed("tcbInfo", body)


def test_revocation_lists_come_in_three_forms(held: DcapCollateral) -> None:
    """DER, PEM and hex are the same list."""
    der = held.pck_crl
    pem = x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)
    for form in (der, pem, b"\n" + pem, der.hex().encode(), der.hex().upper().encode() + b"\n"):
        assert read_revocations(form) == der
    for bad in (b"", b"abc", b"zz", der[:-1], pem[:-40], b"\0" * (MAX_ANSWER_BYTES + 1)):
        with pytest.raises(DecodeError):
            read_revocations(bad)


def test_chains_of_headers_are_bounded(held: DcapCollateral) -> None:
    """A chain is URL-encoded PEM of a bounded size."""
    chain = held.tcb_info_issuer_chain
    assert read_chain(quote(chain)) == chain
    assert read_chain(quote(chain.rstrip("\n"))) == chain
    not_utf8 = b"\xff\xed\xa0\x80".decode(errors="surrogateescape")  # as HTTP clients keep it
    for bad in ("", "%ff%fe", not_utf8, "x" * (MAX_HEADER_BYTES + 1), quote(chain)[:-200]):
        with pytest.raises(DecodeError):
            read_chain(bad)


@given(data=st.data())
@settings(max_examples=150)
def test_damaged_answers_raise_nothing_but_decode_errors(
    data: st.DataObject, held: DcapCollateral
) -> None:
    """Whatever a service answers, it is read or refused."""
    answers = answers_of(held)
    part = data.draw(st.sampled_from(("tcb", "qe_identity", "pck_crl", "root", "chain")))
    if part == "root":
        changed = replace(answers, root_crl=data.draw(mutations(answers.root_crl)))
    elif part == "chain":
        chain = data.draw(mutations(answers.tcb.issuer_chain.encode())).decode("latin-1")
        changed = replace(answers, tcb=replace(answers.tcb, issuer_chain=chain))
    else:
        answer: Answer = getattr(answers, part)
        body = data.draw(st.one_of(mutations(answer.body), st.binary(max_size=100)))
        changed = replace(answers, **{part: replace(answer, body=body)})  # type: ignore[arg-type]  # by name
    try:
        found = dcap_collateral(changed)
    except DecodeError:
        return
    assert json.loads(found.tcb_info) is not None
