"""docs/operator.md says what the program does: settings, messages, reasons, help texts."""

import ast
import json
import re
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from ledger.reason import Reason
from node.config import NodeConfig
from node.home import Home
from tests.support.documents import document, shown, table
from tests.support.help_texts import DOCUMENT, commands, help_text, section
from tests.support.repository import ROOT

# Where the messages that an operator meets are written.
SPEAKERS = ("node", "kms", "ledger", "attestation/platforms", "enclave_client")
MESSAGES = [row[0] for row in table(DOCUMENT, "## When a command refuses")]
ELLIPSIS = "…"


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each setting's dotted key, and its default as TOML writes it."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings(field.annotation, f"{prefix}{name}.")
        else:
            default = "none" if field.default is None else f"`{json.dumps(field.default)}`"
            yield f"`{prefix}{name}`", default


def spoken() -> list[str]:
    """Every string in the packages that speak to operators; an ellipsis for what is filled in."""
    files = (path for name in SPEAKERS for path in (ROOT / name).rglob("*.py"))
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text())))
    return [text for text in map(text_of, nodes) if text]


def text_of(node: ast.AST) -> str:
    """A string literal's text, what is formatted into it as an ellipsis."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (text_of(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
        return "".join(parts)
    return ""


def test_settings_are_the_programs() -> None:
    """The table of node.toml has every setting with its default, in order, and no other."""
    rows = table(DOCUMENT, "## node.toml")
    assert [(key, default) for key, default, _ in rows] == list(settings(NodeConfig))


def test_the_home_is_the_programs() -> None:
    """Every file and folder of a home is explained."""
    paths = {row[0].strip("`").partition("/")[0] for row in table(DOCUMENT, "## The home")}
    root = ROOT / "home"
    home = Home(root)
    places = (
        home.config, home.network, home.genesis, home.node_key, home.accounts, home.platform,
        home.key_service, home.data, home.lock,
    )  # fmt: skip
    assert paths == {place.relative_to(root).parts[0] for place in places}


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_are_the_programs(message: str) -> None:
    """Each message in the table begins one that the program gives."""
    wanted = re.compile(".*".join(map(re.escape, message.split(ELLIPSIS))))
    assert [text for text in spoken() if wanted.match(text)]


def test_reasons_are_the_programs() -> None:
    """The table of reasons has every reason of the enum, in its order."""
    rows = table(DOCUMENT, "## When the ledger refuses")
    assert [row[0] for row in rows] == [reason.name for reason in Reason]


@pytest.mark.parametrize("command", list(commands()))
def test_help_texts_are_the_programs(command: str) -> None:
    """A command's help stands in the document as the program prints it."""
    assert shown(DOCUMENT, f"help {command}") == help_text(command)


def test_no_help_text_is_left_over() -> None:
    """The section of commands is exactly what ``python -m tests.support.help_texts`` writes."""
    assert document(DOCUMENT).endswith(section())
