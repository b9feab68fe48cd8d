"""Structure-aware edits of DER: a tree of items whose lengths are right again after each change.

For tests only, so lenient: what does not parse as items is a leaf. An OCTET STRING or BIT STRING
that holds DER is opened too, because that is where X.509 keeps its extensions and keys.
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import strategies as st

CONSTRUCTED = 0x20
SEQUENCE, OCTETS, BITS = 0x30, 0x04, 0x03
# fmt: off
TAGS = (
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13, 0x16, 0x17, 0x18, 0x30, 0x31, 0x80, 0xA0,
    0xA3,
)
# fmt: on

# short ones, and some that are longer than numbers, names and lists of anybody's
_CONTENTS = st.binary(max_size=40) | st.sampled_from((100, 2_000, 20_000)).flatmap(
    lambda size: st.sampled_from((b"\x7f", b"0", b"\xff")).map(lambda one: one * size)
)
_SHA256, _SHA384 = hashes.SHA256(), hashes.SHA384()
_PSS = padding.PSS(mgf=padding.MGF1(_SHA384), salt_length=48)


@dataclass
class Item:
    """One item: either bytes or items; `prefix` stands before the items (a BIT STRING's count)."""

    tag: int
    content: bytes = b""
    items: list["Item"] = field(default_factory=list)
    prefix: bytes = b""


def read_items(data: bytes) -> list[Item] | None:
    """The items that `data` is made of, or None where it is not."""
    items, at = [], 0
    while at < len(data):
        if at + 2 > len(data) or data[at] & 0x1F == 0x1F:
            return None
        tag, size = data[at], data[at + 1]
        at += 2
        if size >= 0x80:
            count = size & 0x7F
            if not 1 <= count <= 3:
                return None
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
        if at + size > len(data):
            return None
        items.append(_item(tag, data[at : at + size]))
        at += size
    return items


def write(item: Item) -> bytes:
    """The bytes of an item, with the length that it has."""
    content = item.content
    if item.items:
        content = item.prefix + b"".join(map(write, item.items))
    return wrap(item.tag, content)


def wrap(tag: int, content: bytes) -> bytes:
    """Tag, shortest length, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def nodes(item: Item) -> list[Item]:
    """The item and all below it."""
    return [item, *(below for inner in item.items for below in nodes(inner))]


@st.composite
def der_edits(draw: st.DrawFn, data: bytes, at_most: int = 3) -> bytes:
    """One DER item after up to `at_most` edits of its tree: each stays well-formed DER outside."""
    read = read_items(data)
    if read is None or len(read) != 1:
        raise AssertionError("not one DER item")
    root = read[0]
    for _ in range(draw(st.integers(0, at_most))):
        every = nodes(root)
        _edit(draw, every[draw(st.integers(0, len(every) - 1))])
    return write(root)


def resign(body: bytes, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, like: bytes) -> bytes:
    """A certificate or revocation list with this body, signed by `key` as issuers here sign.

    The algorithm that stands beside the signature is that of `like`, another such structure.
    """
    read = read_items(like)
    if read is None:
        raise AssertionError("not DER")
    _, algorithm, _ = read[0].items
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(body, _PSS, _SHA384)
    else:
        signature = key.sign(body, ec.ECDSA(_SHA256))
    return wrap(SEQUENCE, body + write(algorithm) + wrap(BITS, b"\0" + signature))


def body_of(der: bytes) -> bytes:
    """What a certificate's or revocation list's signature covers."""
    read = read_items(der)
    if read is None:
        raise AssertionError("not DER")
    return write(read[0].items[0])


def _item(tag: int, content: bytes) -> Item:
    prefix = content[:1] if tag == BITS else b""
    if tag & CONSTRUCTED or tag in (OCTETS, BITS):
        inner = content[len(prefix) :]
        items = read_items(inner)
        # a string that happens to look like DER must come out as it went in
        if items and b"".join(map(write, items)) == inner:
            return Item(tag, content, items, prefix)
    return Item(tag, content)


def _edit(draw: st.DrawFn, item: Item) -> None:
    edit = draw(
        st.sampled_from(("tag", "content", "flip", "drop", "repeat", "nest", "swap", "new"))
    )
    inner = item.items
    if edit == "tag":
        item.tag = draw(st.sampled_from(TAGS))
    elif edit == "content":
        item.items, item.content = [], draw(_CONTENTS)
    elif edit == "flip" and not inner and item.content:
        at = draw(st.integers(0, len(item.content) - 1))
        changed = item.content[at] ^ 1 << draw(st.integers(0, 7))
        item.content = item.content[:at] + bytes((changed,)) + item.content[at + 1 :]
    elif edit == "nest":
        item.items = [Item(item.tag, item.content, item.items, item.prefix)]
        item.tag, item.prefix = SEQUENCE, b""
    elif edit == "new":
        at = draw(st.integers(0, len(inner)))
        inner.insert(at, Item(draw(st.sampled_from(TAGS)), draw(st.binary(max_size=12))))
    elif inner:
        at = draw(st.integers(0, len(inner) - 1))
        if edit == "drop":
            del inner[at]
            item.content = b"" if not inner else item.content
        elif edit == "repeat":
            inner[at:at] = [inner[at]] * draw(st.integers(1, 3))
        elif edit == "swap":
            other = draw(st.integers(0, len(inner) - 1))
            inner[at], inner[other] = inner[other], inner[at]
