"""Auditing: the whole log checked from outside, and answers about operations with their proofs."""
