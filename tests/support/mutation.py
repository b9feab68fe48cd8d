"""Mutations of valid bytes for property tests."""

from hypothesis import strategies as st


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` after one to four edits: bits flipped, bytes set, inserted, removed, copied, cut."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(changed)))
        edit = draw(st.sampled_from(("flip", "set", "insert", "remove", "copy", "cut")))
        if edit == "insert":
            changed[at:at] = draw(st.binary(min_size=1, max_size=8))
        elif edit == "cut":
            del changed[at:]
        elif edit == "copy":
            size = draw(st.integers(1, 32))
            start = draw(st.integers(0, len(changed)))
            changed[at:at] = changed[start : start + size]
        elif at < len(changed):
            if edit == "flip":
                changed[at] ^= 1 << draw(st.integers(0, 7))
            elif edit == "set":
                changed[at] = draw(st.integers(0, 255))
            else:
                del changed[at : at + draw(st.integers(1, 16))]
    return bytes(changed)
