"""The edges that produce evidence, one per kind of platform."""
