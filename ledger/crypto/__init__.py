"""Thin, typed wrappers over the cryptography library."""
