"""A machine with SGX, and /dev/attestation under Gramine for each enclave that runs on it.

The quotes are real ones under a root of the machine's own: its quoting enclave is the software
platform's. The device's files are pipes and plain files, as Gramine presents them, served by one
thread for as long as a test needs; each enclave has a tree of its own.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from attestation.platforms.gramine import GraminePlatform
from attestation.platforms.software import create_platform
from attestation.platforms.software_enclave import SoftwareEnclave, enclave_of
from attestation.platforms.software_files import PlatformFiles
from attestation.platforms.software_manifest import read_manifest
from attestation.platforms.software_quoting import SgxQuoting, open_quoting

SEALING_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class SgxMachine:
    """A machine: its quoting enclave, and the sealing key that it gives to its enclaves."""

    directory: Path
    sealing_key: bytes

    @classmethod
    def make(cls, directory: Path, now_s: int) -> "SgxMachine":
        """A new machine with keys and collateral of its own."""
        create_platform(directory, now_s)
        return cls(directory, os.urandom(SEALING_KEY_BYTES))

    @property
    def root(self) -> Path:
        """The certificate that its quotes end in."""
        return self.directory / "root.crt"

    @property
    def collateral(self) -> Path:
        """What its quotes are verified with."""
        return self.directory / "collateral.pb"

    def enclave(self, manifest: Path) -> SoftwareEnclave:
        """Who the enclave of these files is."""
        return enclave_of(read_manifest(manifest))

    @contextmanager
    def running(
        self, manifest: Path, tree: Path, *, debug: bool = False, key: bytes | None = None
    ) -> Iterator[Path]:
        """The device of an enclave in the folder `tree`, served until the block ends.

        `key` replaces the machine's sealing key: empty, as outside of SGX, or another machine's.
        """
        quoting = open_quoting(PlatformFiles(self.directory), self.enclave(manifest), 0)
        if not isinstance(quoting, SgxQuoting):
            raise TypeError("not a machine with SGX")
        quoting = replace(quoting, report=replace(quoting.report, debug=debug))
        (tree / "keys").mkdir(parents=True)
        (tree / "attestation_type").write_text("dcap")
        (tree / "keys" / "_sgx_mrsigner").write_bytes(self.sealing_key if key is None else key)
        for name in ("user_report_data", "quote"):
            os.mkfifo(tree / name)
        thread = threading.Thread(target=_serve, args=(tree, quoting), daemon=True)
        thread.start()
        try:
            yield tree
        finally:
            os.close(os.open(tree / "user_report_data", os.O_WRONLY))  # nothing: it ends
            thread.join(timeout=30)
            if thread.is_alive():
                raise AssertionError("somebody asked for a quote and did not read it")

    @contextmanager
    def platform(self, manifest: Path, tree: Path) -> Iterator[GraminePlatform]:
        """The platform of an enclave that runs on this machine."""
        with self.running(manifest, tree) as device:
            yield GraminePlatform.open(device)


def _serve(tree: Path, quoting: SgxQuoting) -> None:
    """A quote over each report data that is written, until nothing is written."""
    while report_data := (tree / "user_report_data").read_bytes():
        (tree / "quote").write_bytes(quoting.evidence(report_data).quote)
