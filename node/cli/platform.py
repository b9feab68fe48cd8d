"""``sealedger platform``: which TEE this machine has, as far as a program can see."""

import os
from pathlib import Path

import click

from attestation.errors import PlatformError
from attestation.platforms.detect import Found, PlatformPlaces, find_platforms
from attestation.platforms.ias import verify_no_ias
from node.cli.node import home_option, json_option
from node.cli.output import show_error, show_rows
from node.home import Home


@click.group()
def platform() -> None:
    """The platforms that prove what a program is."""


@platform.command("show")
@home_option
@json_option
def show_platforms(home: Path, as_json: bool) -> None:
    """Say which platforms this machine has, and why each other one was not found.

    In the order in which "auto" chooses: Gramine (SGX), configfs-tsm (TDX, SEV-SNP), Occlum (SGX),
    and the home's software platform, for development. Changes nothing and asks for no evidence.
    """
    places = PlatformPlaces(software=Home(home).platform)
    rows = [_row(one, as_json=as_json) for one in find_platforms(places)]
    show_rows("platforms", rows, as_json=as_json)
    try:
        verify_no_ias(os.environ)
    except PlatformError as error:
        show_error(str(error))


def _row(found: Found, *, as_json: bool) -> dict[str, object]:
    def word(flag: bool) -> object:
        return flag if as_json else "yes" if flag else "no"

    return {
        "platform": found.name,
        "found": word(found.is_found),
        "tee": found.tee,
        "evidence": found.evidence,
        "sealing_keys": word(found.gives_sealing_keys),
        "reason": found.reason,
    }
