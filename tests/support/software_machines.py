"""Software platforms of each TEE with one app on them, as files that commands take."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from attestation.platforms.software import SoftwarePlatform, create_platform, read_trust
from attestation.rules import VerificationRules

MANIFEST = 'name = "app"\nproduct_id = 7\nsvn = 3\nsigner = "acme"\nfiles = ["app.py"]\n'
REPORT_DATA = bytes(range(64))


@dataclass(frozen=True, slots=True)
class Machine:
    """One platform: its root, its collateral and evidence of the app, each also in a file."""

    tee: str
    root: Path
    collateral: Path
    evidence: Path
    pins: tuple[bytes, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """What makes a command believe this platform."""
        return ("--root", str(self.root), "--collateral", str(self.collateral))

    @property
    def rules(self) -> VerificationRules:
        """Rules that believe this platform."""
        pins = self.pins or (bytes(32),)
        return VerificationRules(roots=(self.root.read_bytes(),), tcb_signer_pins=pins)


def make_machine(directory: Path, tee: str, now_s: int) -> Machine:
    """Create a platform and let its app attest once."""
    directory.mkdir()
    (directory / "app.py").write_text("print('app')\n")
    manifest = directory / "app.toml"
    manifest.write_text(MANIFEST)
    platform = directory / "platform"
    create_platform(platform, now_s, tee=tee)
    trust = read_trust(platform)
    evidence = asyncio.run(SoftwarePlatform.open(platform, manifest).evidence(REPORT_DATA))
    files = {"root": trust.root, "collateral": trust.collateral, "evidence": evidence}
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return Machine(
        tee=tee,
        pins=trust.tcb_signer_pins,
        **{name: directory / name for name in files},
    )
