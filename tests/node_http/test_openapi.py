"""The OpenAPI document describes what there is: all of it, and as it answers."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

from node.http.entitled import AskRoutes
from node.http.fact_routes import FactRoutes
from node.http.log_routes import LogRoutes
from node.http.openapi import describe
from node.http.operator_routes import OperatorRoutes
from node.http.watch_routes import WatchRoutes
from tests.support.documents import table
from tests.support.grown_node import Grown
from tests.support.http_walker import fetch

EXAMPLES = {
    parameter["name"]: parameter["example"]
    for path in describe()["paths"].values()
    for method in path.values()
    for parameter in method.get("parameters", ())
}
PATHS = list(describe()["paths"])
READ = [path for path, methods in describe()["paths"].items() if "get" in methods]


def filled(path: str) -> str:
    """The path with the examples of its parameters."""
    return path.format(**EXAMPLES)


async def test_it_is_served(grown: Grown) -> None:
    """The document that a node serves is the one that these tests look at."""
    async with ClientSession() as session:
        assert json.loads(await fetch(session, f"{grown.url}/openapi.json")) == describe()


@pytest.mark.parametrize("path", READ)
async def test_examples_answer(grown: Grown, path: str) -> None:
    """Every described path, with its own examples, gives the 200 that is described, or 404."""
    described = describe()["paths"][path]["get"]["responses"]
    url = grown.url + filled(path)
    async with ClientSession() as session, session.get(url, allow_redirects=False) as said:
        assert str(said.status) == next(iter(sorted(described)))  # the best that is described
        assert said.status == 307 or said.content_type in described["200"]["content"]
        assert re.fullmatch("[0-9a-f]{16}", said.headers["X-Request-Id"])


def test_every_route_is_described() -> None:
    """Each route has a described path and each described path a route, in the text document too."""
    routes = (  # none is called, so nothing stands behind them
        *LogRoutes.__new__(LogRoutes).routes(),
        *FactRoutes.__new__(FactRoutes).routes(),
        *OperatorRoutes.__new__(OperatorRoutes).routes(),
        *AskRoutes.__new__(AskRoutes).routes(),
        *WatchRoutes.__new__(WatchRoutes).routes(),
    )
    found = {next(r.label for r in routes if r.pattern.fullmatch(filled(path))) for path in PATHS}
    assert found == {route.label for route in routes}
    rows = table("docs/http.md", "## Paths")
    assert len(rows) == len(routes)


def schemathesis(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run schemathesis, a program that is not ours; what it leaves stays in the directory."""
    settings = ("--max-examples", "8", "--seed", "1", "--no-color")
    return subprocess.run(
        (sys.executable, "-m", "schemathesis.cli", "run", *arguments, *settings),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_schemathesis_agrees(grown: Grown, tmp_path: Path) -> None:
    """Statuses, types, headers and bodies are as described, for made and for broken requests."""
    # A made signature is never right, so what is accepted cannot be asked of signed questions.
    document, ask = f"{grown.url}/openapi.json", "/v1/ask"
    acceptance = "positive_data_acceptance,negative_data_rejection"
    asked = schemathesis(tmp_path, document, "--include-path", ask, "--exclude-checks", acceptance)
    assert asked.returncode == 0, asked.stdout
    done = schemathesis(tmp_path, document, "--exclude-path", ask)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"Test cases:\n +(\d+) generated, (\d+) passed", done.stdout)
    assert passed, done.stdout
    assert int(passed[1]) == int(passed[2]) > 200


@pytest.mark.slow
def test_schemathesis_finds_a_lie(grown: Grown, tmp_path: Path) -> None:
    """A document that promises a field that is not there does not pass."""
    document = describe()
    document["components"]["schemas"]["StatusView"]["required"].append("promised")
    lie = tmp_path / "openapi.json"
    lie.write_text(json.dumps(document))
    done = schemathesis(tmp_path, str(lie), "--url", grown.url, "--include-path", "/v1/status")
    assert done.returncode == 1, done.stdout
    assert "promised" in done.stdout
