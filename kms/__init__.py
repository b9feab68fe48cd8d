"""The key service: epochs, derivation, release against a receipt."""
