"""What the rest of the house asks of the machine it runs on.

An implementation is one adapter beside this one: `gramine`, `tsm`, `occlum`, and `software` for
development; `detect` finds and opens them.
"""

from typing import Protocol

from ledger.crypto.secret import Secret


class Platform(Protocol):
    """Evidence and sealing keys of the enclave that this process runs in.

    Contract: `evidence` and `sealing_key` may be called at any time, also at once from several
    tasks of one event loop. Evidence is fresh for every call and binds exactly the given report
    data. A failure raises PlatformError; only a kernel that says that it is busy is asked again, a
    few times. No call blocks the loop: what takes long runs in a thread.
    """

    @property
    def name(self) -> str:
        """The platform's short name, such as ``software``."""
        ...

    async def evidence(self, report_data: bytes) -> bytes:
        """Encoded `attestation.evidence.Evidence` of a quote over 64 bytes of report data."""
        ...

    def sealing_key(self, label: bytes, *, svn: int | None = None) -> Secret:
        """A 32-byte key that only this machine gives, and only to this signer's product.

        The key depends on `label` (1-64 bytes) and on a security version: the enclave's own, or an
        older `svn` (to open what an older version sealed). It differs on every other machine, for
        every other signer or product, and is never given for a newer version. It may change with
        the machine's firmware: what it seals is a cache. Raises NoSealingKeyError where the
        platform gives none (TDX, SEV-SNP, Occlum), PlatformError where it does not give this one.
        """
        ...
