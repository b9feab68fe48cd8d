"""Attestation: who an enclave is, proven by evidence and judged by policy."""
