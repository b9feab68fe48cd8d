"""Moments as arguments of commands: Unix seconds, or UTC as ISO 8601 writes it."""

import datetime as dt
import re
from typing import Any

import click

LATEST_S = 253_402_300_799  # the last second of the year 9999

_SECONDS = re.compile(r"[0-9]{1,12}")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z)?")
_FORMS = "Unix seconds, or UTC as 2025-06-19 (its first second) or 2025-06-19T12:00:00Z"


class TimeType(click.ParamType[int]):
    """A moment, in Unix seconds from 0 to the end of the year 9999; fractions are left out."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The Unix seconds; wrong usage if it is no such moment."""
        text = str(value)
        seconds = int(text) if _SECONDS.fullmatch(text) else _of_iso(text)
        if seconds is None or not 0 <= seconds <= LATEST_S:
            self.fail(f"{text[:40]!a}: expected {_FORMS}, from 1970 to 9999", param, ctx)
        return seconds


def _of_iso(text: str) -> int | None:
    if not _ISO.fullmatch(text):
        return None
    try:
        moment = dt.datetime.fromisoformat(text.partition(".")[0].removesuffix("Z"))
    except ValueError:
        return None
    return int(moment.replace(tzinfo=dt.UTC).timestamp())


TIME = TimeType()
