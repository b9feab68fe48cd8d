"""What attestation refuses, by whose fault.

`EvidenceError` is the prover's: its evidence does not prove what it should. `CannotDecideError` is
the verifier's: something it needs is missing, stale or broken; a check that cannot decide refuses.
`DecodeError` is raised by the codecs alone; `verify` turns it into one of the two families.

Every error carries a short code and, where they help, what was expected and what came, never a
secret and never a raw message of the prover: texts are cut, and characters that are not for
printing become question marks.
"""

from enum import StrEnum

MAX_DETAIL = 200


class EvidenceFault(StrEnum):
    """Why evidence was refused."""

    MALFORMED = "evidence-malformed"
    NOT_CANONICAL = "quote-not-canonical"
    UNKNOWN_ROOT = "root-unknown"
    SIGNATURE = "signature-invalid"
    REVOKED = "revoked"
    DEBUG = "debug-enabled"
    NO_TCB_LEVEL = "tcb-level-none"
    TD_ATTRIBUTES = "td-attributes"
    CERTIFICATE_DATES = "certificate-dates"
    REPORT_DATA = "report-data-mismatch"
    PRODUCT = "product-mismatch"  # SEV-SNP: report and certificate speak of other processors
    TCB_MISMATCH = "tcb-mismatch"
    CHIP_MISMATCH = "chip-mismatch"
    RETIRED = "service-retired"  # evidence of a service that is no more
    REFUSED = "quote-refused"


class ShapeFault(StrEnum):
    """What is wrong with the shape of evidence (NOT_CANONICAL), where that has its own mend."""

    NOT_WHOLE = "not whole"  # it ends too early, or other bytes follow
    CHAIN = "PCK chain"  # in a quote
    CERTIFICATE = "certificate"  # beside a report
    NOT_BY_GUEST = "not by its guest"  # a report that the host asked for


class DecisionFault(StrEnum):
    """Why the verifier could not decide."""

    ROOT_UNUSABLE = "root-unusable"
    CERTIFICATE_MISSING = "certificate-missing"  # a SEV-SNP report without those above it
    COLLATERAL_MISSING = "collateral-missing"
    COLLATERAL_MALFORMED = "collateral-malformed"
    COLLATERAL_UNTRUSTED = "collateral-untrusted"
    COLLATERAL_OTHER_PLATFORM = "collateral-of-another-platform"
    COLLATERAL_NUMBER = "collateral-number-outside-limits"
    COLLATERAL_EXPIRED = "collateral-expired"
    COLLATERAL_FROM_FUTURE = "collateral-from-future"
    COLLATERAL_NO_REVOCATIONS = "collateral-without-revocation-list"
    RESULT_UNKNOWN = "verifier-result-unknown"
    VERIFIER_ABORTED = "verifier-aborted"
    VERIFIER_TIMEOUT = "verifier-timeout"
    VERIFIER_BUSY = "verifier-busy"
    VERIFIER_CLOSED = "verifier-closed"


class AttestationError(Exception):
    """Root of the package's errors."""


class DecodeError(AttestationError):
    """Bytes that are not the canonical encoding of what they should be."""


class ShapeError(DecodeError):
    """Evidence of another shape than the one that is accepted, by a fault with its own mend."""

    def __init__(self, fault: ShapeFault, message: str) -> None:
        """Carry the `fault` beside the words."""
        self.fault = fault
        super().__init__(message)


class HandshakeError(AttestationError):
    """A part of a handshake transcript has the wrong size or range."""


class PlatformError(AttestationError):
    """The local platform cannot produce evidence or keys: missing files, wrong modes, bad input."""


class NoSealingKeyError(PlatformError):
    """The platform gives no sealing key at all, so nothing sealed here would survive a restart."""


class _CodedError(AttestationError):
    """A refusal with a code, and what was expected and came."""

    def __init__(self, code: str, *, expected: str = "", got: str = "") -> None:
        self.code = code
        self.expected = _printable(expected)
        self.got = _printable(got)
        details = [
            f"{word} {text}"
            for word, text in (("expected", self.expected), ("got", self.got))
            if text
        ]
        super().__init__(f"{code}: {', '.join(details)}" if details else str(code))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:MAX_DETAIL])


class EvidenceError(_CodedError):
    """The prover's evidence was refused."""

    def __init__(self, code: EvidenceFault, *, expected: str = "", got: str = "") -> None:
        """Carry the fault `code`; the texts are cut at 200 characters."""
        super().__init__(code, expected=expected, got=got)


class CannotDecideError(_CodedError):
    """The verifier lacks something; nothing is known about the evidence."""

    def __init__(self, code: DecisionFault, *, expected: str = "", got: str = "") -> None:
        """Carry the fault `code`; the texts are cut at 200 characters."""
        super().__init__(code, expected=expected, got=got)
