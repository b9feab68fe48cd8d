"""Digests and ids as arguments of commands: bytes as hex digits."""

import click


class Hex(click.ParamType[bytes]):
    """Bytes of one of these lengths; a usage fault for anything else."""

    def __init__(self, *sizes: int, name: str = "hex") -> None:
        """`name` is what help texts call the value."""
        self.name = name
        self._sizes = sizes

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """The bytes."""
        try:
            data = bytes.fromhex(str(value))
        except ValueError:
            data = b""
        if len(data) not in self._sizes:
            digits = " or ".join(str(2 * size) for size in self._sizes)
            short = (
                f", got {2 * len(data)}: tables shorten ids, --json has the whole" if data else ""
            )
            self.fail(f"expected {digits} hex digits{short}", param, ctx)
        return data
