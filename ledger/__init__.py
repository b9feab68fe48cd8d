"""Pure data structures, formats and rules of the log; imports nothing above sealedger."""
