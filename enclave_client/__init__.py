"""The SDK: mutual attestation, sealing, receipts."""
