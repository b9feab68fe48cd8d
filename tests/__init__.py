"""The tests of Sealedger, one folder per package."""
