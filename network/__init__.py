"""Ordering engines; knows the rules only through its Application protocol."""
