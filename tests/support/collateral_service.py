"""A PCCS and a KDS on a port of this machine, by hand, that can misbehave in every way.

It checks how it is asked: GET, uncompressed, known paths and parameters only, nothing after a
redirect.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import Collateral, DcapCollateral, SnpCollateral
from attestation.collateral_service import MAX_ANSWER_BYTES


class Mood(StrEnum):
    """How one path is answered."""

    HONEST = "honest"
    ABSENT = "absent"
    TOO_LARGE = "too large"
    SLOW = "slow"
    WRONG_TYPE = "wrong type"
    ELSEWHERE = "redirect to another host"
    TRUNCATED = "truncated"
    NO_HEADER = "no header"
    BROKEN = "broken"
    COMPRESSED = "compressed"


@dataclass(slots=True)
class VendorServices:
    """What it has, by key; moods by the end of the path."""

    held: dict[str, Collateral]
    moods: dict[str, Mood] = field(default_factory=dict)
    hex_root_list: bool = True  # as a PCCS gives it
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        self.asked.append(request.path_qs)
        if request.method != "GET" or request.headers.get("Accept-Encoding") != "identity":
            self.faults.append(f"{request.method} {request.path_qs}: not as it should be asked")
        mood = next((m for end, m in self.moods.items() if request.path.endswith(end)), None)
        found = self._find(request)
        if found is None or mood is Mood.ABSENT:
            return web.Response(status=404)
        body, headers = found
        if mood is Mood.SLOW:
            await self.done.wait()
        return await _moody(request, body, headers, mood or Mood.HONEST)

    def _find(self, request: web.BaseRequest) -> tuple[bytes, dict[str, str]] | None:
        parts = request.path.strip("/").split("/")
        if len(parts) > 2 and parts[1:3] == ["certification", "v4"]:
            return self._intel(parts[0], "/".join(parts[3:]), request)
        if len(parts) == 4 and parts[1] == "v1":
            return self._amd(parts[0], parts[2], parts[3])
        self.faults.append(f"{request.path}: unknown")
        return None

    def _intel(
        self, tee: str, what: str, request: web.BaseRequest
    ) -> tuple[bytes, dict[str, str]] | None:
        held = self._dcap(tee, request.query.get("fmspc", ""), request.query.get("ca", ""))
        if held is None:
            return None
        if what == "tcb":
            body = _signed("tcbInfo", held.tcb_info, held.tcb_info_signature)
            return body, {"TCB-Info-Issuer-Chain": quote(held.tcb_info_issuer_chain)}
        if what == "qe/identity":
            body = _signed("enclaveIdentity", held.qe_identity, held.qe_identity_signature)
            chain = quote(held.qe_identity_issuer_chain)
            return body, {"SGX-Enclave-Identity-Issuer-Chain": chain}
        if what == "pckcrl" and tee == "sgx" and request.query.get("encoding") == "der":
            return held.pck_crl, {"SGX-PCK-CRL-Issuer-Chain": quote(held.pck_crl_issuer_chain)}
        if what == "rootcacrl" and tee == "sgx":
            der = held.root_ca_crl
            return (der.hex().encode() if self.hex_root_list else der), {}
        self.faults.append(f"{request.path_qs}: unknown")
        return None

    def _dcap(self, tee: str, fmspc: str, ca: str) -> DcapCollateral | None:
        for key, one in self.held.items():
            parts = key.split("/")
            is_it = isinstance(one, DcapCollateral) and (
                (not fmspc or parts[:2] == [tee, fmspc.lower()]) and (not ca or parts[2] == ca)
            )
            if is_it and isinstance(one, DcapCollateral):
                return one
        return None

    def _amd(self, kind: str, line: str, what: str) -> tuple[bytes, dict[str, str]] | None:
        held = self.held.get(f"snp/{line}")
        if not isinstance(held, SnpCollateral):
            return None
        if what == "crl" and kind == "vcek":
            return held.crl, {}
        signer = {"vcek": held.ask, "vlek": held.asvk}.get(kind, b"")
        if what != "cert_chain" or not signer:
            return None
        return b"".join(map(_pem, (signer, held.ark))), {}


@asynccontextmanager
async def serving(
    services: VendorServices, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """The services, listening; their base URL. What was asked wrongly is an AssertionError."""
    runner = web.ServerRunner(web.Server(services.answer), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    scheme = "http" if tls is None else "https"
    try:
        yield f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        services.done.set()
        await runner.cleanup()
    assert not services.faults, services.faults


async def _moody(
    request: web.BaseRequest, body: bytes, headers: dict[str, str], mood: Mood
) -> web.StreamResponse:
    if mood is Mood.TRUNCATED:
        response = web.StreamResponse(headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        if request.transport is not None:
            request.transport.abort()
        return response
    changed: dict[Mood, web.Response] = {
        Mood.HONEST: web.Response(body=body, headers=headers),
        Mood.SLOW: web.Response(body=body, headers=headers),
        Mood.TOO_LARGE: web.Response(body=bytes(MAX_ANSWER_BYTES + 1), headers=headers),
        Mood.WRONG_TYPE: web.Response(text="<html>log in</html>", headers=headers),
        Mood.ELSEWHERE: web.Response(status=302, headers={"Location": "http://127.0.0.2/x"}),
        Mood.NO_HEADER: web.Response(body=body),
        Mood.BROKEN: web.Response(status=503),
        Mood.COMPRESSED: web.Response(body=body, headers={**headers, "Content-Encoding": "gzip"}),
    }
    return changed[mood]


def _signed(name: str, text: str, signature: bytes) -> bytes:
    return f'{{"{name}":{text},"signature":"{signature.hex()}"}}'.encode()


def _pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
