"""What the commands about releases are told: names, versions, digests, and apps to measure."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import click

from attestation.platforms.software_enclave import enclave_of
from attestation.platforms.software_files import SGX, TEES
from attestation.platforms.software_manifest import read_manifest
from enclave_client.release_file import PLATFORMS
from ledger.errors import FormatError
from ledger.format.releases import ReleaseMeasurement, is_release_name, parse_version
from node.cli.hex_type import Hex

_C = TypeVar("_C", bound=Callable[..., None])
Measured = tuple[ReleaseMeasurement, ...]

_FILE = click.Path(path_type=Path, dir_okay=False)
_MEASURING = (
    click.option(
        "--measure", "manifests", type=_FILE, multiple=True, metavar="MANIFEST",
        help="The manifest of an app of the software platform: what it measures now, beside what "
        "the file says. Repeatable.",
    ),
    click.option(
        "--tee", "tees", type=click.Choice(TEES), default=(SGX,), multiple=True,
        show_default=True, help="The kind of TEE to measure for. Repeatable.",
    ),
)  # fmt: skip


class _ReleaseName(click.ParamType[str]):
    """A name of releases."""

    name = "name"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value)
        if not is_release_name(text):
            self.fail("a name is 1 to 64 characters of A-Z a-z 0-9 . _ / - in segments", param, ctx)
        return text


class _Version(click.ParamType[str]):
    """A version."""

    name = "version"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        try:
            return str(parse_version(str(value)))
        except FormatError as error:
            self.fail(str(error), param, ctx)


RELEASE_NAME, VERSION, DIGEST = _ReleaseName(), _Version(), Hex(32)


def measuring(command: _C) -> _C:
    """The options that measure apps, handed over as ``measured``."""

    @functools.wraps(command)
    def with_measured(manifests: tuple[Path, ...], tees: tuple[str, ...], **given: object) -> None:
        codes = {name: code for code, name in PLATFORMS.items()}
        found = (
            ReleaseMeasurement(codes[tee], enclave_of(read_manifest(one), tee).measurement)
            for one in manifests
            for tee in tees
        )
        command(measured=tuple(found), **given)

    for option in reversed(_MEASURING):
        option(with_measured)
    return cast("_C", with_measured)
