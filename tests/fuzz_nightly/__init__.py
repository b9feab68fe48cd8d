"""Fuzzing of every decoder that outside bytes of attestation reach. `targets` lists what is fuzzed.

Three ways to run them: their seeds and every input that once broke one (``found/``), in the
ordinary tests; random and structured inputs in a child with limits, there too; and guided by
coverage, each night (``make fuzz``), where a new input is written to ``build/fuzz/found``.
"""
