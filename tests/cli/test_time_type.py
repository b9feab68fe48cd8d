"""Moments as people type them: `--at`."""

import click
import pytest

from node.cli.time_type import LATEST_S, TIME
from node.cli.words import time_words


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("0", 0),
        ("1750334400", 1_750_334_400),
        (str(LATEST_S), LATEST_S),
        ("2025-06-19", 1_750_291_200),
        ("2025-06-19T12:00:00Z", 1_750_334_400),
        ("2025-06-19T12:00:00.999Z", 1_750_334_400),
        ("1970-01-01", 0),
        ("9999-12-31T23:59:59Z", LATEST_S),
        ("2024-02-29", 1_709_164_800),
        (time_words(1_750_334_400_000), 1_750_334_400),
    ],
)
def test_seconds_and_utc_are_moments(text: str, seconds: int) -> None:
    """Unix seconds, a day's first second, a second of UTC, and what answers print."""
    assert TIME.convert(text, None, None) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "tomorrow",
        str(LATEST_S + 1),
        "9" * 30,
        "2025-02-29",
        "2025-06-19T24:00:00Z",
        "2025-06-19T12:00:00",
        "2025-06-19T12:00:00+02:00",
        "2025-06-19 12:00:00Z",
        "2025-06-19T12:00Z",
        "1969-12-31",
        "0000-01-01",
        "٢٠٢٥-٠٦-١٩",
        "2025-06-19\n",
    ],
)
def test_other_words_are_none(text: str) -> None:
    """No zone is guessed, no date corrected; the error shows the forms."""
    with pytest.raises(click.BadParameter, match="2025-06-19T12:00:00Z"):
        TIME.convert(text, None, None)
