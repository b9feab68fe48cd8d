"""Lengths of time as arguments of commands, such as ``90d``."""

from typing import Any

import click

from enclave_client.durations import decode_duration
from enclave_client.errors import InvalidRequestError


class DurationType(click.ParamType[int]):
    """A length of time, in milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The milliseconds of text such as ``90d``; wrong usage if it is none."""
        if isinstance(value, int):
            return value
        try:
            return decode_duration(str(value))
        except InvalidRequestError as error:
            self.fail(f"{error.message}: {error.hint}", param, ctx)


DURATION = DurationType()
