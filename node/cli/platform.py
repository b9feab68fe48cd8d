"""``sealedger platform``: the TEE of this machine, and the machines that a network stands for.

What is shown of this machine is what a program can see. Which machines are enrolled is voted on by
the network's members, with their accounts; policies ask for it (`enrolled = true`).
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from attestation.platforms.detect import Found, PlatformPlaces, find_platforms
from attestation.platforms.ias import verify_no_ias
from enclave_client.owner_platforms import Platforms, PlatformVoted
from enclave_client.rows import PlatformRow
from ledger.format.address import encode_address
from ledger.format.platforms import PLATFORM_ID_BYTES
from node.cli.hex_type import Hex
from node.cli.node import home_option, json_option
from node.cli.output import show, show_rows
from node.cli.target import Target, reaching
from node.cli.words import Fields, missing_votes, plain, time_words
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
    Exit code 1 if IAS_SPID or IAS_KEY is set: nothing opens a platform then.
    """
    places = PlatformPlaces(software=Home(home).platform)
    rows = [_row(one, as_json=as_json) for one in find_platforms(places)]
    show_rows("platforms", rows, as_json=as_json)
    verify_no_ias(os.environ)


@platform.command("list")
@click.option("--voted-on", is_flag=True, help="Only those that somebody asks to change.")
@reaching(account=True)
def list_platforms(target: Target, voted_on: bool) -> None:
    """List the platforms that are enrolled, and the votes of members to change that.

    Members may ask, and whoever has a part in a collection. The list is the node's word.
    """

    async def run() -> list[PlatformRow]:
        async with target.owner() as owner:
            return [row async for row in owner.platforms.list() if row.voters or not voted_on]

    rows = asyncio.run(run())
    show_rows("platforms", [_list_row(row, target) for row in rows], as_json=target.as_json)


_platform_id = click.argument(
    "platform_id", metavar="PLATFORM_ID", type=Hex(*PLATFORM_ID_BYTES, name="platform_id")
)


@platform.command()
@_platform_id
@reaching(account=True, receipt=True)
def enrol(target: Target, platform_id: bytes) -> None:
    """Vote, as a member, to let PLATFORM_ID into the list.

    The id is 32 hex digits for Intel (PPID), 128 for AMD (CHIP_ID): `sealedger evidence verify`
    shows it of any evidence that the machine made.
    """
    _vote(target, platform_id, Platforms.enrol, "enrolled")


@platform.command()
@_platform_id
@reaching(account=True, receipt=True)
def remove(target: Target, platform_id: bytes) -> None:
    """Vote, as a member, to take PLATFORM_ID out of the list.

    From then on, sessions of that machine are denied where a policy asks for an enrolled platform.
    """
    _vote(target, platform_id, Platforms.remove, "removed")


@platform.command("take-back")
@_platform_id
@reaching(account=True, receipt=True)
def take_back(target: Target, platform_id: bytes) -> None:
    """Take the account's open vote on PLATFORM_ID back, whatever it asked for."""
    _vote(target, platform_id, Platforms.take_back, "")


def _vote(
    target: Target,
    platform_id: bytes,
    way: Callable[[Platforms, bytes], Awaitable[PlatformVoted]],
    done: str,
) -> None:
    """Cast a vote and show it; `done` is what the platform is when enough are cast."""

    async def run() -> PlatformVoted:
        async with target.owner() as owner:
            return await way(owner.platforms, platform_id)

    voted = asyncio.run(run())
    fields: Fields = {"platform": platform_id.hex()}
    if done:
        fields[done] = voted.is_done
    fields |= {
        "votes": voted.cast,
        "needed": voted.needed,
        "entry": voted.receipt.index,
        "time": time_words(voted.receipt.time_ms),
        **target.save(voted.receipt),
    }
    if target.as_json:
        show(fields, as_json=True)
        return
    fields["votes"] = f"{voted.cast} of {voted.needed}"
    del fields["needed"]
    if done and not voted.is_done:
        fields["next"] = missing_votes(voted.cast, voted.needed)
    show(plain(fields), as_json=False)


def _list_row(row: PlatformRow, target: Target) -> dict[str, object]:
    voters = [encode_address(one) for one in row.voters]
    if target.as_json:
        return {
            "platform": row.platform_id.hex(),
            "enrolled": row.is_enrolled,
            "since_entry": row.index,
            "votes_for_change": voters,
            "needed": row.needed,
        }
    asked = "remove" if row.is_enrolled else "enrol"
    return {
        "platform": row.platform_id.hex(),
        "enrolled": "yes" if row.is_enrolled else "no",
        "since entry": row.index if row.index or row.is_enrolled else None,
        "votes": f"{len(voters)} of {row.needed} to {asked}: {', '.join(voters)}" if voters else "",
    }


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
