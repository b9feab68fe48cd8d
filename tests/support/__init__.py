"""What tests of several packages share: fakes, builders, strategies."""
