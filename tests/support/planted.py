"""Values and names that attacks store, to be looked for where they must not be."""

NAME = "planted/name-5e0f"
VALUE = b"planted value 91c3 that nobody may see"
HIDDEN = (NAME.encode(), b"planted value", b"name-5e0f", VALUE.hex().encode())
