"""Saying in a test that the key service must refuse, and why."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kms.errors import KeyServiceRefusal
from ledger.reason import Reason


@contextmanager
def refused(reason: Reason) -> Iterator[None]:
    """The block must end in a KeyServiceRefusal with exactly this reason."""
    with pytest.raises(KeyServiceRefusal) as caught:
        yield
    assert caught.value.reason is reason, str(caught.value)
