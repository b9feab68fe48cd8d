"""DCAP quotes of SGX and TDX: their layout, and the one verification path."""
