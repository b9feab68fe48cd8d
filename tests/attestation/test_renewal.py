"""Which command renews collateral on a ledger, and when none does."""

import hashlib
import shlex

import pytest

from attestation import renewal
from attestation.renewal import renewal_words, update_command
from node.cli.collateral import update

SGX, TDX, MILAN, TURIN = (
    "sgx/00906ed50000/processor",
    "tdx/00806f050000/platform",
    "snp/Milan",
    "snp/Turin",
)
INTEL, AMD, SOFTWARE = b"Intel's root", b"AMD's root of Milan", b"a root of software"


@pytest.fixture(autouse=True)
def _pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vendors whose roots are short."""
    intel, milan = (hashlib.sha256(root).digest() for root in (INTEL, AMD))
    monkeypatch.setattr(renewal, "INTEL_ROOT", intel)
    monkeypatch.setattr(renewal, "AMD_ROOTS", {"Milan": milan, "Turin": bytes(32)})
    monkeypatch.setattr(renewal, "ROOTS", frozenset((intel, milan, bytes(32))))


@pytest.mark.parametrize(
    "key, roots, command",
    [
        (SGX, (INTEL,), f"sealedger collateral update --key {SGX} --pccs URL"),
        (TDX, (AMD, INTEL), f"sealedger collateral update --key {TDX} --pccs URL"),
        (MILAN, (INTEL, AMD), f"sealedger collateral update --key {MILAN} --kds URL"),
        (SGX, (SOFTWARE,), "sealedger collateral update --platform-directory"),
        (MILAN, (INTEL, SOFTWARE), "sealedger collateral update --platform-directory"),
        (SGX, (INTEL, SOFTWARE), f"sealedger collateral update --key {SGX} --pccs URL"),
    ],
)
def test_the_command_works_as_it_is_typed(key: str, roots: tuple[bytes, ...], command: str) -> None:
    """It names the key and its vendor's service, or the software platform: one source, no more."""
    assert update_command(key, roots) == command
    words = renewal_words(key, roots)
    assert words.startswith(f"an operator of the network mends it with: {command}")
    typed = shlex.split(command.replace("URL", "https://pccs.example"))
    given = update.make_context("update", typed[3:]).params
    sources = [given[name] for name in ("pccs", "kds", "platform_directory") if given[name]]
    assert len(sources) == 1


@pytest.mark.parametrize(
    "key, roots, vendor",
    [
        (MILAN, (INTEL,), "AMD's Milan"),
        (TURIN, (INTEL, AMD), "AMD's Turin"),
        (SGX, (AMD,), "Intel"),
    ],
)
def test_no_update_brings_a_root(key: str, roots: tuple[bytes, ...], vendor: str) -> None:
    """Evidence under a root that genesis does not name stays unbelieved; no command is named."""
    words = renewal_words(key, roots)
    assert words.startswith(f"no update mends it: no root of {vendor} is among those")
    assert "sealedger" not in words


def test_hardware_on_a_network_of_software() -> None:
    """The software platform's own is renewed; for hardware the words say that nothing helps."""
    words = renewal_words(TURIN, (SOFTWARE,))
    assert "for hardware no update does: no root of AMD's Turin" in words
