"""Codecs: one encoder and one strict decoder per format."""
