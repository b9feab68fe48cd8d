"""What docs/releases.md shows is what the program takes."""

import re

import click
import pytest

from enclave_client.policy_file import decode_policy_file
from enclave_client.release_file import decode_release_file
from ledger.format.releases import encode_release, release_digest
from ledger.reason import Reason
from node.cli.main import sealedger
from tests.support.documents import document, table

DOCUMENT = "docs/releases.md"
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    """The blocks of a kind, in order."""
    return [text for name, text in BLOCK.findall(document(DOCUMENT)) if name == kind]


def test_the_release_file() -> None:
    """The shown file is read whole."""
    release = decode_release_file(blocks("toml")[0].encode())
    assert (release.name, str(release.version)) == ("fns", "1.2.0")
    assert [one.platform for one in release.measurements] == [1, 2, 3]
    assert len(release.auditors) == 3


def test_the_digest_that_is_endorsed() -> None:
    """The shown command endorses the shown release."""
    release = decode_release_file(blocks("toml")[0].encode())
    endorsed = [words[words.index("--digest") + 1] for words in COMMANDS if "--digest" in words]
    assert endorsed == [release_digest(encode_release(release)).hex()]


def test_the_policy() -> None:
    """The shown policy is one, and names the auditors of the shown release."""
    release = decode_release_file(blocks("toml")[0].encode())
    terms = decode_policy_file(b'writers = "nobody"\n' + blocks("toml")[1].encode())
    assert all(address in terms.readers for address in release.auditors)


COMMANDS = [line.split() for text in blocks("") for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_are_the_programs(words: list[str]) -> None:
    """Each shown command exists and takes each shown option."""
    program, *rest = words
    assert program == "sealedger"
    command: click.Command = sealedger
    while isinstance(command, click.Group):
        command = command.commands[rest.pop(0)]
    known = {name for param in command.params for name in param.opts}
    assert {word for word in rest if word.startswith("--")} <= known


def test_reasons() -> None:
    """The table of reasons names reasons of the ledger."""
    for reason, _ in table(DOCUMENT, "## When it is refused"):
        assert reason in Reason.__members__
