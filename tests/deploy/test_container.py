"""The container file, read here: no container engine builds it in the tests.

What is checked: what it copies exists and is all that the program needs, it starts commands of
ours, it runs as nobody, and home and lock are volumes apart. The distribution that it installs is
built and run by test_distribution.py.
"""

import json
import re
from collections.abc import Iterator

from tests.support.help_texts import commands
from tests.support.repository import ROOT, packages

FILE = ROOT / "deploy" / "container" / "Containerfile"


def steps() -> list[tuple[str, str]]:
    """Each instruction with its arguments, lines joined."""
    text = re.sub(r"(?m)^#.*\n", "", FILE.read_text()).replace("\\\n", " ")
    lines = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return [(word, " ".join(rest.split())) for word, rest in lines]


def arguments(word: str) -> Iterator[str]:
    """The arguments of all instructions of a kind."""
    return (rest for name, rest in steps() if name == word)


def test_what_it_copies_is_there() -> None:
    """Every path that is copied from the repository exists."""
    copied = [
        source
        for rest in arguments("COPY")
        if not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]
    assert copied
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert set(packages()) <= set(copied)


def test_it_installs_the_pinned_lock() -> None:
    """Dependencies come from the lock with hashes, ours without any other."""
    runs = " ".join(arguments("RUN"))
    assert "--require-hashes" in runs
    assert "-r /src/requirements/run.lock" in runs
    assert "--no-deps --no-build-isolation /src" in runs


def test_it_runs_commands_of_ours() -> None:
    """What is started and what asks for its health are commands that the program has."""
    (entry,) = map(json.loads, arguments("ENTRYPOINT"))
    (start,) = map(json.loads, arguments("CMD"))
    (health,) = arguments("HEALTHCHECK")
    asked = json.loads(health.partition("CMD ")[2])
    assert entry == asked[:1] == ["sealedger"]
    for words in (start, asked[1:]):
        assert " ".join(words[: words.index("--home")]) in set(commands())


def test_it_runs_as_nobody_on_volumes_apart() -> None:
    """The last stage has a numbered user of its own; home and lock are two volumes."""
    (user,) = arguments("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    (volumes,) = map(json.loads, arguments("VOLUME"))
    (start,) = map(json.loads, arguments("CMD"))
    assert start[start.index("--home") + 1] in volumes
    assert len(set(volumes)) == 2
    assert [name for name, _ in steps()].index("USER") > [
        at for at, (name, _) in enumerate(steps()) if name == "FROM"
    ][-1]
    assert list(arguments("STOPSIGNAL")) == ["SIGTERM"]
