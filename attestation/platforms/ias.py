"""The attestation service of the past: settings for it are refused, not ignored.

Intel ended the Attestation Service for EPID (IAS) in April 2025. Whoever sets its variables expects
attestation that nobody can verify any more, and must hear of it before anything else is tried.
"""

from collections.abc import Mapping

from attestation.errors import PlatformError

VARIABLES = ("IAS_SPID", "IAS_KEY")


def verify_no_ias(environment: Mapping[str, str]) -> None:
    """Raise PlatformError if `environment` (the process's, read at the edge) has IAS settings."""
    given = [name for name in VARIABLES if environment.get(name)]
    if given:
        raise PlatformError(
            f"{' and '.join(given)} set: Intel ended its attestation service (IAS) in April 2025, "
            "and EPID evidence cannot be verified any more; unset them and use DCAP "
            "(docs/attestation.md)"
        )
