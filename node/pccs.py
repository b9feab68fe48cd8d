"""Fresh collateral from a vendor's service or a cache of it: which documents, under which paths.

Intel, provisioning certification service, version 4 (what a PCCS serves too):
``{tee}/certification/v4/tcb?fmspc=``, ``{tee}/certification/v4/qe/identity``,
``sgx/certification/v4/pckcrl?ca=&encoding=der``, and a PCCS' ``sgx/certification/v4/rootcacrl``.
Intel's own service has no such list at that path; it is handed in then.
AMD, key distribution service: ``vcek/v1/{line}/cert_chain``, ``vlek/v1/{line}/cert_chain`` (where
there is one) and ``vcek/v1/{line}/crl``.
No service is named here: whoever runs the node says which one. Not here: HTTP (`fetching`), reading
the answers (`attestation.collateral_service`), judging what they say (`attestation.verify`).
"""

from typing import Protocol

from attestation.collateral import Collateral
from attestation.collateral_files import read_collateral_files
from attestation.collateral_service import (
    MAX_ANSWER_BYTES,
    Answer,
    DcapAnswers,
    dcap_collateral,
)
from attestation.errors import DecodeError
from node.errors import FetchError
from node.fetching import Fetched

_TCB_CHAIN = ("tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain")
_QE_CHAIN = ("sgx-enclave-identity-issuer-chain",)
_CRL_CHAIN = ("sgx-pck-crl-issuer-chain",)
_PATHS = ("/sgx/certification/v4", "/tdx/certification/v4")


class Source(Protocol):
    """Where documents come from; see node.fetching."""

    async def get(self, url: str, most_bytes: int) -> Fetched | None:
        """The answer, None if there is no such document; FetchError."""
        ...


async def fetch_dcap(
    source: Source, base: str, key: str, root_crl: bytes | None = None
) -> Collateral:
    """Collateral for a key of SGX or TDX from the service at `base`; FetchError.

    `root_crl` is the root's revocation list, for a service that has none.
    """
    tee, fmspc, ca = key.split("/")
    root = base.rstrip("/")
    for path in _PATHS:
        root = root.removesuffix(path)
    sgx, own = f"{root}/sgx/certification/v4", f"{root}/{tee}/certification/v4"
    answers = DcapAnswers(
        tcb=await _answer(source, f"{own}/tcb?fmspc={fmspc.upper()}", _TCB_CHAIN),
        qe_identity=await _answer(source, f"{own}/qe/identity", _QE_CHAIN),
        pck_crl=await _answer(source, f"{sgx}/pckcrl?ca={ca}&encoding=der", _CRL_CHAIN),
        root_crl=root_crl or await _root_crl(source, f"{sgx}/rootcacrl"),
    )
    try:
        return dcap_collateral(answers)
    except DecodeError as error:
        raise FetchError(f"{base}: {key}: {error}", "is this a PCCS of version 4?") from error


async def fetch_snp(source: Source, base: str, key: str) -> Collateral:
    """Collateral for a product line of SEV-SNP from the service at `base`; FetchError."""
    line = key.partition("/")[2]
    root = base.rstrip("/")
    chain = await _document(source, f"{root}/vcek/v1/{line}/cert_chain")
    crl = await _document(source, f"{root}/vcek/v1/{line}/crl")
    vlek = await source.get(f"{root}/vlek/v1/{line}/cert_chain", MAX_ANSWER_BYTES)
    parts = [chain.body, crl.body, *([] if vlek is None else [vlek.body])]
    try:
        return read_collateral_files(parts)
    except DecodeError as error:
        raise FetchError(f"{base}: {key}: {error}", "is this a KDS of version 1?") from error


async def _root_crl(source: Source, url: str) -> bytes:
    fetched = await source.get(url, MAX_ANSWER_BYTES)
    if fetched is None:
        raise FetchError(
            f"{url}: no such document",
            "a service that is no PCCS has no revocation list of the root there: fetch it from the "
            "vendor and give it with --root-crl",
        )
    return fetched.body


async def _answer(source: Source, url: str, chains: tuple[str, ...]) -> Answer:
    fetched = await _document(source, url)
    for name in chains:
        if name in fetched.headers:
            return Answer(fetched.body, fetched.headers[name])
    raise FetchError(f"{url}: no header {chains[0]}", "is this a PCCS of version 4?")


async def _document(source: Source, url: str) -> Fetched:
    fetched = await source.get(url, MAX_ANSWER_BYTES)
    if fetched is None:
        raise FetchError(f"{url}: no such document", "check the URL, and the key: --key")
    return fetched
