"""Tests of the repository itself: its commands, locks, rules and cleanliness."""
