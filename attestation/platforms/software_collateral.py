"""The software platform's collateral: TCB info, QE identity and revocation lists, signed.

Rules: the same nine fields, JSON texts and signatures as Intel's service gives for SGX or TDX, in
compact form. Every TCB status and every revocation can be made on purpose. Dates are arguments.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from attestation.collateral import Collateral, DcapCollateral
from attestation.dcap.pem import encode_chain
from attestation.platforms.software_pki import DAY_S, Authority, make_crl, sign_raw

FMSPC = bytes.fromhex("00536f667401")  # fixed: this is no Intel processor family
CPU_SVN = bytes(range(1, 17))
PCE_SVN = 1
TDX_SVN = bytes((3, 0)) + bytes(14)  # TEE_TCB_SVN; module version 0: levels judge all of it
QE_PRODUCT_ID = 1
QE_SVN = 1
DEFAULT_VALIDITY_S = 365 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralOptions:
    """What collateral shall say. Times are Unix seconds.

    SEV-SNP has no TCB status: there the dates, the number (of the revocation list) and `revoke_ask`
    count, and nothing else may be asked for.
    """

    issued_s: int
    validity_s: int = DEFAULT_VALIDITY_S
    evaluation_number: int = 1
    status: str = "UpToDate"  # of the platform's TCB level
    qe_status: str = "UpToDate"  # UpToDate, OutOfDate or Revoked
    advisories: tuple[str, ...] = ()
    tcb_date_s: int = 0  # since when the levels are what they are; 0: since it was issued
    revoke_pck: bool = False
    revoke_pck_ca: bool = False
    revoke_tcb_signer: bool = False
    revoke_ask: bool = False


def make_collateral(
    authority: Authority, qe_signer: bytes, options: CollateralOptions, tee: str = "sgx"
) -> DcapCollateral:
    """Sign collateral for the platform whose quoting enclave has MRSIGNER `qe_signer`.

    `tee` is ``sgx`` or ``tdx``.
    """
    is_tdx = tee == "tdx"
    tcb_info = _compact(_tdx_info(options) if is_tdx else _sgx_info(options))
    qe_identity = _qe_identity("TD_QE" if is_tdx else "QE", qe_signer, options)
    key, chain = authority.tcb_signer_key, _chain(authority.tcb_signer, authority.root)
    return DcapCollateral(
        pck_crl_issuer_chain=_chain(authority.pck_ca, authority.root),
        root_ca_crl=_root_crl(authority, options),
        pck_crl=_pck_crl(authority, options),
        tcb_info_issuer_chain=chain,
        tcb_info=tcb_info,
        tcb_info_signature=sign_raw(key, tcb_info.encode()),
        qe_identity_issuer_chain=chain,
        qe_identity=qe_identity,
        qe_identity_signature=sign_raw(key, qe_identity.encode()),
    )


def read_tcb_date(collateral: Collateral) -> int:
    """Since when, in Unix seconds, the levels of collateral made here are what they are.

    0 for SEV-SNP, whose collateral has no levels.
    """
    if not isinstance(collateral, DcapCollateral):
        return 0
    date = json.loads(collateral.tcb_info)["tcbLevels"][0]["tcbDate"]
    return int(datetime.fromisoformat(date).timestamp())


def _root_crl(authority: Authority, options: CollateralOptions) -> bytes:
    revoked = (
        (options.revoke_pck_ca, authority.pck_ca),
        (options.revoke_tcb_signer, authority.tcb_signer),
    )
    return make_crl(
        authority.root,
        authority.root_key,
        issued_s=options.issued_s,
        next_update_s=options.issued_s + options.validity_s + 1,
        revoked=tuple(
            certificate.serial_number for is_revoked, certificate in revoked if is_revoked
        ),
    )


def _pck_crl(authority: Authority, options: CollateralOptions) -> bytes:
    return make_crl(
        authority.pck_ca,
        authority.pck_ca_key,
        issued_s=options.issued_s,
        next_update_s=options.issued_s + options.validity_s + 1,
        revoked=(authority.pck.serial_number,) if options.revoke_pck else (),
    )


def _sgx_info(options: CollateralOptions) -> dict[str, object]:
    return {
        "id": "SGX",
        "version": 3,
        **_header(options),
        "fmspc": FMSPC.hex().upper(),
        "pceId": "0000",
        "tcbType": 0,
        "tcbLevels": [_level(options, {"sgxtcbcomponents": _components(CPU_SVN)})],
    }


def _tdx_info(options: CollateralOptions) -> dict[str, object]:
    components: dict[str, object] = {
        "sgxtcbcomponents": _components(CPU_SVN),
        "tdxtcbcomponents": _components(TDX_SVN),
    }
    module = {
        "mrsigner": "00" * 48,  # the software TD's report names none
        "attributes": "00" * 8,
        "attributesMask": "FF" * 8,
    }
    return {
        **_sgx_info(options),
        "id": "TDX",
        "tdxModule": module,
        "tcbLevels": [_level(options, components)],
    }


def _components(svns: bytes) -> list[dict[str, int]]:
    return [{"svn": svn} for svn in svns]


def _level(options: CollateralOptions, components: dict[str, object]) -> dict[str, object]:
    level: dict[str, object] = {
        "tcb": {**components, "pcesvn": PCE_SVN},
        "tcbDate": _date(options.tcb_date_s or options.issued_s),
        "tcbStatus": options.status,
    }
    if options.advisories:
        level["advisoryIDs"] = list(options.advisories)
    return level


def _qe_identity(name: str, qe_signer: bytes, options: CollateralOptions) -> str:
    level = {
        "tcb": {"isvsvn": QE_SVN},
        "tcbDate": _date(options.tcb_date_s or options.issued_s),
        "tcbStatus": options.qe_status,
    }
    return _compact(
        {
            "id": name,
            "version": 2,
            **_header(options),
            "miscselect": "00000000",
            "miscselectMask": "FFFFFFFF",
            "attributes": "11000000000000000000000000000000",
            "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
            "mrsigner": qe_signer.hex().upper(),
            "isvprodid": QE_PRODUCT_ID,
            "tcbLevels": [level],
        }
    )


def _header(options: CollateralOptions) -> dict[str, object]:
    return {
        "issueDate": _date(options.issued_s),
        "nextUpdate": _date(options.issued_s + options.validity_s),
        "tcbEvaluationDataNumber": options.evaluation_number,
    }


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _compact(document: dict[str, object]) -> str:
    return json.dumps(document, separators=(",", ":"))


def _chain(*certificates: x509.Certificate) -> str:
    return encode_chain(tuple(c.public_bytes(Encoding.DER) for c in certificates)).decode()
