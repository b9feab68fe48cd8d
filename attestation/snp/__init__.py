"""AMD SEV-SNP attestation reports: their layout, and the one way in which they are verified."""
