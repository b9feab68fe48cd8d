"""Saying in a test that the rules must refuse a transaction as a whole, and why."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from contracts.errors import RefusedError
from ledger.reason import Reason


@contextmanager
def refuses(reason: Reason) -> Iterator[None]:
    """The block must end in a RefusedError with exactly this reason and a hint."""
    with pytest.raises(RefusedError) as caught:
        yield
    assert caught.value.reason is reason, str(caught.value)
    assert caught.value.hint
