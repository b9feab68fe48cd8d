"""What comes out of each platform is what the one verifier accepts, bound to what was asked for.

The devices give what simulated hardware made, so that a whole chain of keys is behind it.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from attestation.errors import PlatformError
from attestation.evidence import Evidence, decode_evidence
from attestation.platforms.gramine import GraminePlatform
from attestation.platforms.platform import Platform
from attestation.platforms.software import SoftwarePlatform, create_platform, read_trust
from attestation.platforms.tsm import TsmPlatform
from attestation.platforms.tsm_certificates import VCEK_GUID
from attestation.rules import VerificationRules
from attestation.verify import verify
from tests.support.platform_devices import FakeConfigfs, attestation_tree, certificate_table

NOW_S = 1_800_000_000
DATA = bytes(range(64))


@dataclass(frozen=True, slots=True)
class Hardware:
    """Simulated hardware of one kind, and one piece of evidence that it made over DATA."""

    tee: str
    rules: VerificationRules
    collateral: bytes
    measurement: bytes
    made: Evidence


async def simulated(directory: Path, tee: str) -> Hardware:
    """New hardware with keys of its own."""
    create_platform(directory / "platform", NOW_S, tee=tee)
    (directory / "app.py").write_text("pass\n")
    manifest = directory / "app.toml"
    manifest.write_text(
        'name = "app"\nsigner = "signer"\nproduct_id = 1\nsvn = 1\nfiles = ["app.py"]\n'
    )
    trust = read_trust(directory / "platform")
    software = SoftwarePlatform.open(directory / "platform", manifest)
    return Hardware(
        tee=tee,
        rules=VerificationRules(roots=(trust.root,), tcb_signer_pins=trust.tcb_signer_pins),
        collateral=trust.collateral,
        measurement=software.enclave.measurement,
        made=decode_evidence(await software.evidence(DATA)),
    )


def guest(hardware: Hardware, *, has_table: bool = True, certificate: bytes = b"") -> Platform:
    """The platform of a guest that runs on this hardware."""
    made = hardware.made
    if hardware.tee == "tdx":
        padded = made.quote.ljust(8000, b"\0")
        return TsmPlatform(FakeConfigfs(give=lambda _: (padded, b"")), certificate)
    table = certificate_table({VCEK_GUID: made.certificate}) if has_table else b""
    files = FakeConfigfs(provider="sev_guest", give=lambda _: (made.quote, table))
    return TsmPlatform(files, certificate)


async def verified(platform: Platform, hardware: Hardware) -> bytes:
    """The measurement that the verifier finds in the platform's evidence."""
    evidence = await platform.evidence(DATA)
    verdict = verify(evidence, hardware.collateral, hardware.rules, NOW_S + 60)
    assert verdict.report_data == DATA
    return verdict.identity.measurement


async def test_gramine(tmp_path: Path) -> None:
    """An SGX quote read from /dev/attestation is accepted."""
    hardware = await simulated(tmp_path, "sgx")
    root = attestation_tree(tmp_path / "attestation", hardware.made.quote)
    assert await verified(GraminePlatform.open(root), hardware) == hardware.measurement


async def test_tdx(tmp_path: Path) -> None:
    """A TDX quote in the kernel's padded buffer is accepted."""
    hardware = await simulated(tmp_path, "tdx")
    assert await verified(guest(hardware), hardware) == hardware.measurement


async def test_snp(tmp_path: Path) -> None:
    """A SEV-SNP report is accepted with the host's certificate, and with the one that was given."""
    hardware = await simulated(tmp_path, "snp")
    assert await verified(guest(hardware), hardware) == hardware.measurement
    given = guest(hardware, has_table=False, certificate=hardware.made.certificate)
    assert await verified(given, hardware) == hardware.measurement


async def test_snp_with_another_chips_certificate(tmp_path: Path) -> None:
    """A certificate that the verifier would refuse is not handed out, whoever gave it."""
    (tmp_path / "other").mkdir()
    hardware = await simulated(tmp_path, "snp")
    other = (await simulated(tmp_path / "other", "snp")).made.certificate
    with pytest.raises(PlatformError, match="another chip's, or from before a firmware update"):
        await guest(hardware, has_table=False, certificate=other).evidence(DATA)
    with pytest.raises(PlatformError, match="the host hands out no VCEK certificate"):
        await guest(hardware, has_table=False).evidence(DATA)
