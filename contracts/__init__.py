"""The rules: pure functions from state and transaction to outcomes and changes."""
