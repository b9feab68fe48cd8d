"""What each code of a refusal means, and what mends it: for people who read one.

Rules: every code has its line; docs/attestation.md shows the same table. Where the evidence says
which collateral it takes, the commands have its key and its vendor's service, ready to be typed.
"""

from dataclasses import dataclass

from attestation.errors import DecisionFault, EvidenceFault, ShapeFault
from attestation.renewal import UPDATE, service_option


@dataclass(frozen=True, slots=True)
class Mend:
    """A code's meaning, and what whoever sees it can do."""

    meaning: str
    mend: str


_AGAIN = "take the evidence again, on the machine itself; if it stays so, do not trust its sender"
_VCEK = (
    "fetch the certificate for this very chip and REPORTED_TCB; a firmware update makes a new one"
)
_FETCH = "sealedger collateral fetch KEY --pccs URL --save FILE"
_SHOW = "sealedger collateral show KEY --save FILE"
_TAKE = "--collateral FILE"
_SAVED = "collateral.pb"  # FILE, where a command can be typed as it stands
_UPDATE = f"{UPDATE} --key KEY --pccs URL"
_REFRESH = f"{_FETCH}; for a ledger: {_UPDATE}"
_REPORT_IT = "try again; if it stays so, send us the evidence and the collateral"

_WHOLE = "give the file as the platform made it: binary, whole, nothing around it"

_EVIDENCE = {
    EvidenceFault.MALFORMED: Mend("the bytes are not of the form of their kind", _WHOLE),
    EvidenceFault.NOT_CANONICAL: Mend(
        "a quote or report of another shape than the one that is accepted",
        "take it again in a shape that docs/attestation.md lists, and change nothing in it",
    ),
    EvidenceFault.UNKNOWN_ROOT: Mend(
        "the certificates end in a root that is not believed",
        "use evidence of production hardware; of a development network: --root with its root "
        "(platform/root.crt in the home of its node)",
    ),
    EvidenceFault.SIGNATURE: Mend("a signature that does not verify", _AGAIN),
    EvidenceFault.REVOKED: Mend(
        "the vendor revoked the platform's key, a signer, or its TCB level",
        "update firmware and microcode and provision the machine anew, or use another machine",
    ),
    EvidenceFault.DEBUG: Mend(
        "the host may read this enclave's memory", "build and launch it without debug"
    ),
    EvidenceFault.NO_TCB_LEVEL: Mend(
        "the platform is older than any TCB level that the vendor names",
        "update microcode, firmware and the TDX module",
    ),
    EvidenceFault.TD_ATTRIBUTES: Mend(
        "a TD that the host may observe or take elsewhere",
        "launch it with SEPT_VE_DISABLE, and without profiling, migration and service TD",
    ),
    EvidenceFault.CERTIFICATE_DATES: Mend(
        "a certificate that is not valid at the time of judging",
        "get a fresh certificate; for evidence of the past: --at",
    ),
    EvidenceFault.REPORT_DATA: Mend(
        "the evidence was made for another key or handshake",
        "make evidence and certificate for the same key, in one run",
    ),
    EvidenceFault.PRODUCT: Mend(
        "report and certificate are of different processors", "fetch the VCEK of this chip"
    ),
    EvidenceFault.TCB_MISMATCH: Mend("the certificate was made for another TCB", _VCEK),
    EvidenceFault.CHIP_MISMATCH: Mend("the certificate is that of another chip", _VCEK),
    EvidenceFault.RETIRED: Mend(
        "evidence of a service that is no more: nobody can verify it", "use DCAP"
    ),
    EvidenceFault.REFUSED: Mend("the verification library refused, in its own words", _AGAIN),
}

SHAPE_MENDS = {
    ShapeFault.NOT_WHOLE: Mend("it ends too early, or other bytes follow", _WHOLE),
    ShapeFault.CHAIN: Mend(
        "a quote without the PCK chain, or with another than is accepted",
        "have the quoting library put the PCK chain into the quote (certification type 5): three "
        "PEM blocks, the PCK certificate, its CA, the root, every line ended by one newline",
    ),
    ShapeFault.CERTIFICATE: Mend("a report with a certificate that is no VCEK or VLEK", _VCEK),
    ShapeFault.NOT_BY_GUEST: Mend(
        "a report that the host asked for", "a report has to come from the guest itself"
    ),
}

_DECISION = {
    DecisionFault.ROOT_UNUSABLE: Mend(
        "the root is none of a vendor, or no root at all",
        "use collateral under the roots of Intel and AMD, which are built in; of a development "
        "network: --root with its root (platform/root.crt in the home of its node)",
    ),
    DecisionFault.CERTIFICATE_MISSING: Mend(
        "a SEV-SNP report needs the certificates above it",
        "--chain FILE with VCEK, ASK and ARK, or VLEK, ASVK and ARK",
    ),
    DecisionFault.COLLATERAL_MISSING: Mend(
        "nothing says how the platform fares",
        f"{_TAKE}; from a service: {_FETCH}; from a ledger: {_SHOW}",
    ),
    DecisionFault.COLLATERAL_MALFORMED: Mend("collateral that cannot be read", _REFRESH),
    DecisionFault.COLLATERAL_UNTRUSTED: Mend(
        "collateral that its vendor did not sign", f"do not use it; {_REFRESH}"
    ),
    DecisionFault.COLLATERAL_OTHER_PLATFORM: Mend(
        "collateral for other platforms than this one",
        f"give that of the key which is expected: {_FETCH}",
    ),
    DecisionFault.COLLATERAL_NUMBER: Mend(
        "older or newer collateral than the network allows", _REFRESH
    ),
    DecisionFault.COLLATERAL_EXPIRED: Mend(
        "collateral or a signer past its end", f"{_REFRESH}; for evidence of the past: --at"
    ),
    DecisionFault.COLLATERAL_FROM_FUTURE: Mend(
        "collateral made after the time of judging",
        "set the clock; for evidence of the past: collateral of its time",
    ),
    DecisionFault.COLLATERAL_NO_REVOCATIONS: Mend(
        "AMD's collateral without its revocation list",
        "--collateral FILE with the list of the product line, from AMD's service",
    ),
    DecisionFault.RESULT_UNKNOWN: Mend("an answer that this version does not know", _REPORT_IT),
    DecisionFault.VERIFIER_ABORTED: Mend("the verifier process died", _REPORT_IT),
    DecisionFault.VERIFIER_TIMEOUT: Mend("the verifier process took too long", _REPORT_IT),
    DecisionFault.VERIFIER_BUSY: Mend("too many wait for the verifier", "try again"),
    DecisionFault.VERIFIER_CLOSED: Mend("the verifier has been ended", "try again"),
}

# where the signers of a report came in --chain and no collateral was given
_OF_CHAIN = {
    DecisionFault.ROOT_UNUSABLE: (
        "--chain FILE with the ARK of AMD, whose roots are built in; of a development network: "
        "--root with its root (platform/root.crt in the home of its node)"
    ),
    DecisionFault.COLLATERAL_UNTRUSTED: (
        "--chain FILE with the ASK and ARK (or ASVK and ARK) that AMD hands out; do not use others"
    ),
    DecisionFault.COLLATERAL_OTHER_PLATFORM: (
        "--chain FILE with those of the line that is expected: "
        "https://kdsintf.amd.com/vcek/v1/LINE/cert_chain (of a VLEK: /vlek/)"
    ),
    DecisionFault.COLLATERAL_EXPIRED: (
        "--chain FILE with those that are valid now; for evidence of the past: --at"
    ),
}
CHAIN_MENDS: dict[str, str] = {str(code): words for code, words in _OF_CHAIN.items()}

MENDS: dict[str, Mend] = {str(code): one for code, one in (*_EVIDENCE.items(), *_DECISION.items())}


def mend_needs_key(code: str) -> bool:
    """Whether what mends a code is a command about one key of collateral."""
    return _FETCH in MENDS[code].mend


def mend_words(code: str, key: str = "") -> str:
    """What mends a code, for the key of the collateral that is needed, if that is known."""
    words = MENDS[code].mend
    if not key:
        return words
    for general in (_FETCH, _UPDATE, _SHOW, _TAKE):
        ready = general.replace("KEY", key).replace("--pccs URL", service_option(key))
        words = words.replace(general, ready.replace("FILE", _SAVED))
    return words


def chain_mend_words(code: str, line: str = "") -> str:
    """What mends a code about signers that came in a chain alone; `line`: the expected, if known.

    Empty where it is no different from what `mend_words` says.
    """
    words = CHAIN_MENDS.get(code, "")
    return words.replace("LINE", line) if line else words
