"""Digests and ids as arguments of commands: bytes as hex digits."""

from string import hexdigits

import click


class Hex(click.ParamType[bytes]):
    """Bytes of one of these lengths; a usage fault for anything else."""

    def __init__(self, *sizes: int, name: str = "hex", shortened: bool = False) -> None:
        """`name` is what help texts call the value; `shortened`: tables print its beginning."""
        self.name = name
        self._sizes = sizes
        self._is_shortened = shortened

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """The bytes."""
        text = str(value)
        if not set(text) <= set(hexdigits) or len(text) not in self._digits:
            expected = " or ".join(map(str, self._digits))
            self.fail(f"expected {expected} hex digits{self._got(text)}", param, ctx)
        return bytes.fromhex(text)

    @property
    def _digits(self) -> tuple[int, ...]:
        return tuple(2 * size for size in self._sizes)

    def _got(self, text: str) -> str:
        """How many there are, if they are any, and where the whole stands if it may be a part."""
        if not text or not set(text) <= set(hexdigits):
            return ""
        is_part = self._is_shortened and len(text) < min(self._digits)
        return f", got {len(text)}" + (
            ": tables shorten ids, --json has the whole" if is_part else ""
        )
