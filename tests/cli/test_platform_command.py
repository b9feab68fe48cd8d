"""``sealedger platform`` as members and others type it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.owners import account, copy_of, found_governed
from tests.support.real_node import RealNetwork, Serving, serving

MEMBERS = (7, 8)
INTEL, AMD = "11" * 16, "aa" * 64


@pytest.fixture(scope="session")
def _governed_once(tmp_path_factory: pytest.TempPathFactory) -> RealNetwork:
    directory = tmp_path_factory.mktemp("governed") / "network"
    return found_governed(directory, MEMBERS, len(MEMBERS))


@pytest.fixture
async def node(_governed_once: RealNetwork, tmp_path: Path) -> AsyncIterator[Serving]:
    """A node of a network with two members, in this process."""
    async with serving(copy_of(_governed_once, tmp_path)) as running:
        yield running


def lines(out: bytes) -> dict[str, str]:
    """What people read, by its words."""
    read = (line.split("  ", 1) for line in out.decode().splitlines())
    return {name: value.strip() for name, value in read}


async def test_votes(shell: Shell, tmp_path: Path) -> None:
    """Each vote says how many there are and whose are missing; the last one changes the list."""
    first, second = (shell.by(number) for number in MEMBERS)
    said = lines((await shell("platform", "enrol", INTEL, *first)).done.out)
    assert (said["platform"], said["enrolled"], said["votes"]) == (INTEL, "no", "1 of 2")
    assert said["next"] == "the vote of another member"
    again = (await shell("platform", "enrol", INTEL, *first)).failed()
    assert "NO_CHANGE" in again
    assert "platform list" in again
    receipt = tmp_path / "enrolled.receipt"
    arguments = ("platform", "enrol", INTEL.upper(), *second, "--receipt", str(receipt))
    done = (await shell(*arguments, "--json")).done.fields
    assert (done["enrolled"], done["votes"], done["needed"]) == (True, 2, 2)
    proven = (await shell("receipt", "verify", str(receipt), *shell.where[2:])).done.out
    for word in (b"VotePlatform", INTEL.encode(), b"enrol", b"votes needed"):
        assert word in proven
    said = lines((await shell("platform", "remove", INTEL, *second)).done.out)
    assert (said["removed"], said["votes"]) == ("no", "1 of 2")
    said = lines((await shell("platform", "take-back", INTEL, *second)).done.out)
    assert said["votes"] == "0 of 2"
    assert {"next", "removed", "enrolled"}.isdisjoint(said)


async def test_the_list(shell: Shell) -> None:
    """What is enrolled and voted on, as a table and in JSON; a stranger is told nothing."""
    first, second = (shell.by(number) for number in MEMBERS)
    assert (await shell("platform", "list", *first)).err == "no platforms\n"
    await shell("platform", "enrol", INTEL, *first)
    entry = (await shell("platform", "enrol", INTEL, *second, "--json")).done.fields["entry"]
    await shell("platform", "remove", INTEL, *first)
    await shell("platform", "enrol", AMD, *second)
    votes = [account(number).address for number in MEMBERS]
    rows = (await shell("platform", "list", *first, "--json")).done.fields["platforms"]
    assert [(row["platform"], row["enrolled"], row["since_entry"]) for row in rows] == [
        (INTEL, True, entry),
        (AMD, False, 0),
    ]
    assert [bytes.fromhex(row["votes_for_change"][0][2:]) for row in rows] == votes
    table = (await shell("platform", "list", *second)).done.out.decode()
    assert f"{INTEL}  " in table
    assert "yes" in table
    assert "1 of 2 to remove: 0x" in table
    assert "1 of 2 to enrol: 0x" in table
    await shell("platform", "take-back", INTEL, *first)
    voted_on = (await shell("platform", "list", "--voted-on", *first, "--json")).done.fields
    assert [row["platform"] for row in voted_on["platforms"]] == [AMD]
    assert "members ask" in (await shell("platform", "list", *shell.by(99))).failed()


@pytest.mark.parametrize("wrong", ["", "11", "zz" * 16, "11" * 17, "0x" + INTEL])
async def test_what_is_no_platform(shell: Shell, wrong: str) -> None:
    """An id is 32 or 128 hex digits; anything else is a usage fault and sends nothing."""
    said = await shell("platform", "enrol", wrong, *shell.by(MEMBERS[0]))
    assert said.code == 2
    assert "32 or 128 hex digits" in said.err


async def test_who_is_no_member(shell: Shell) -> None:
    """A stranger is told that members vote."""
    said = (await shell("platform", "enrol", INTEL, *shell.by(99))).failed()
    assert "DENIED" in said
    assert "only members" in said
