"""Who a program is on the software platform, as a verifier will see it. Development only.

Rules: what a manifest says becomes what the TEE's own report can say. SGX: MRENCLAVE, MRSIGNER,
product id, SVN. TDX: the digest of all measured registers, nothing else. SEV-SNP: MEASUREMENT, the
digest of the id key, GUEST_SVN, and the product id as IMAGE_ID.
"""

from dataclasses import dataclass

from attestation.conditions import SnpMatch
from attestation.platforms.software_files import SGX, SNP, TDX
from attestation.platforms.software_manifest import (
    Manifest,
    measure,
    measure_guest,
    software_id_key_digest,
)
from attestation.platforms.software_snp import TCB
from attestation.platforms.software_snp_pki import LINE
from attestation.platforms.software_tdx import td_measurement
from attestation.policy import Match


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareEnclave:
    """The fields of the identity that a verdict on this program will have, all but the platform's.

    `launched` is what its report holds: MRENCLAVE, MRTD or MEASUREMENT.
    """

    tee: str
    launched: bytes
    measurement: bytes
    signer: bytes
    product_id: int
    svn: int

    @property
    def by_code(self) -> Match:
        """Admits exactly this code, on whatever platform of this TEE."""
        tee = SnpMatch(minimum_tcb=TCB, products=(LINE,)) if self.tee == SNP else None
        return Match(measurement=self.measurement, tee=tee)

    @property
    def by_signer(self) -> Match:
        """Admits this signer's product from this version on; the code, where nobody signs it.

        SEV-SNP names signers too, but no product: so the code there as well.
        """
        if self.tee != SGX:
            return self.by_code
        return Match(signer=self.signer, product_id=self.product_id, minimum_svn=self.svn)


def enclave_of(manifest: Manifest, tee: str = SGX) -> SoftwareEnclave:
    """Measure the manifest's files for a kind of TEE; raises PlatformError."""
    launched = measure(manifest) if tee == SGX else measure_guest(manifest)
    if tee == TDX:
        return SoftwareEnclave(
            tee=tee,
            launched=launched,
            measurement=td_measurement(launched),
            signer=b"",
            product_id=0,
            svn=0,
        )
    is_sgx = tee == SGX
    return SoftwareEnclave(
        tee=tee,
        launched=launched,
        measurement=launched,
        signer=manifest.mr_signer if is_sgx else software_id_key_digest(manifest.signer),
        product_id=manifest.product_id if is_sgx else 0,
        svn=manifest.svn,
    )
