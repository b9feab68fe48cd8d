"""A Secret shows nothing of itself."""

import copy
import json
import pickle
import traceback
from dataclasses import asdict, dataclass

import pytest

from ledger.crypto import p256, xwing
from ledger.crypto.ed25519 import SigningKey
from ledger.crypto.secret import Secret

PLANTED = b"planted-secret-value-0123456789!"


@dataclass(frozen=True, slots=True)
class Holder:
    """A value with a secret among its fields."""

    name: str
    key: Secret


def shows(text: str) -> bool:
    """Whether a text holds the planted value, as text, repr or hex."""
    return any(form in text for form in (PLANTED.decode(), PLANTED.hex(), repr(PLANTED)[2:-1]))


def test_no_text_of_a_secret_shows_it() -> None:
    """repr, str, every format, and the repr of what holds it give `<secret>`."""
    secret = Secret(PLANTED)
    texts = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>20}",
        f"{secret:x}",
        f"{secret:>40}",
    ]
    texts += [
        "%s %r" % (secret, secret),  # noqa: UP031  # the old way is what is tested
        repr(Holder("a", secret)),
        repr([secret]),
        repr({1: secret}),
    ]
    for text in texts:
        assert "<secret>" in text
        assert not shows(text)


def test_a_secret_is_not_serialised() -> None:
    """pickle, copy, asdict and json refuse, without showing it."""
    secret = Secret(PLANTED)
    for attempt in (
        lambda: pickle.dumps(secret),
        lambda: pickle.dumps(Holder("a", secret)),
        lambda: copy.copy(secret),
        lambda: copy.deepcopy([secret]),
        lambda: asdict(Holder("a", secret)),
        lambda: json.dumps({"key": secret}),
        lambda: bytes(secret),  # type: ignore[call-overload]  # must not work
        lambda: hash(secret),
        lambda: list(secret),  # type: ignore[call-overload]  # must not work
    ):
        with pytest.raises(TypeError) as refused:
            attempt()
        assert not shows("".join(traceback.format_exception(refused.value)))


def test_a_secret_has_no_other_attributes() -> None:
    """Nothing can be hung on it, and it has no dictionary to print."""
    secret = Secret(PLANTED)
    assert not hasattr(secret, "__dict__")
    with pytest.raises(AttributeError):
        secret.value = b""  # type: ignore[attr-defined]  # must not work


def test_equality_is_between_secrets_only() -> None:
    """Equal bytes are equal secrets; plain bytes never are."""
    assert Secret(PLANTED) == Secret(bytes(PLANTED))
    assert Secret(PLANTED) != Secret(PLANTED[:-1])
    assert Secret(PLANTED) != Secret(PLANTED[:-1] + b"?")
    assert Secret(PLANTED) != PLANTED
    assert Secret(b"") == Secret(b"")
    assert len(Secret(PLANTED)) == 32
    assert Secret(PLANTED).reveal() == PLANTED


def test_a_secret_does_not_follow_its_source() -> None:
    """Wiping the buffer that it was made from does not change it."""
    source = bytearray(PLANTED)
    secret = Secret(source)  # type: ignore[arg-type]  # a caller may hold a buffer
    source[:] = bytes(32)
    assert secret.reveal() == PLANTED


def test_signing_keys_show_nothing() -> None:
    """Keys made from secrets do not show or serialise them either."""
    for key in (SigningKey(Secret(PLANTED)), p256.SigningKey(), xwing.DecapsulationKey()):
        assert not shows(repr(key))
        with pytest.raises(TypeError):
            pickle.dumps(key)
