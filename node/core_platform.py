"""The platform that a node's core runs on: chosen, opened, and judged before anything needs it.

1. Settings of the ended attestation service stop everything (attestation.platforms.ias).
2. A network that is not for development has no software platform: whoever reads that one's files
   can pretend to be any code.
3. It gives sealing keys: without one, the key service's secrets would be gone after a restart, and
   this version cannot get them from peers or members' shares.
"""

from collections.abc import Mapping
from pathlib import Path

from attestation.platforms.detect import SOFTWARE, PlatformPlaces, open_platform
from attestation.platforms.platform import Platform
from ledger.format.genesis import Profile
from node.config import PlatformConfig
from node.errors import ConfigError
from node.home import Home

_PROBE = b"sealedger/node-start"  # a label of its own: the key is asked for and dropped


def core_places(home: Home, config: PlatformConfig, default_manifest: Path) -> PlatformPlaces:
    """Where a node's platform is looked for; `default_manifest` is the core's own."""
    return PlatformPlaces(
        software=home.platform,
        manifest=config.manifest or default_manifest,
        certificate=config.certificate,
    )


def open_core_platform(
    kind: str, places: PlatformPlaces, profile: Profile, environment: Mapping[str, str]
) -> Platform:
    """Open it (1 to 3 above). Raises PlatformError, or ConfigError for a kind that may not be."""
    if kind == SOFTWARE:
        _verify_allowed(kind, profile)
    platform = open_platform(kind, places, environment)
    _verify_allowed(platform.name, profile)
    platform.sealing_key(_PROBE)
    return platform


def _verify_allowed(name: str, profile: Profile) -> None:
    if name == SOFTWARE and profile is not Profile.DEVELOPMENT:
        raise ConfigError(
            f"the software platform proves nothing, and this network is of the profile "
            f"{profile.name.lower()}",
            'run the core in a TEE, and set [platform] kind = "gramine" in node.toml; '
            "sealedger platform show says what this machine has",
        )
