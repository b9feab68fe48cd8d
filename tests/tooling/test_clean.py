"""Nothing in the repository ties it to one machine or one package index."""

import re

from tests.support.repository import ROOT, project_files

# Written in parts, so that this file does not hold what it looks for.
REGISTRIES = (
    ("pypi", "org"), ("files", "pythonhosted", "org"), ("crates", "io"), ("proxy", "golang", "org"),
    ("registry", "npmjs", "org"), ("repo1", "maven", "org"), ("deb", "debian", "org"),
)  # fmt: skip
MACHINE_FOLDERS = ("work", "root", "home", "Users")
LOCAL_PATH = re.compile(rf"(?<![\w.~/-])/(?:{'|'.join(MACHINE_FOLDERS)})/[\w.-]+/")
HOST = re.compile("|".join(re.escape(".".join(parts)) for parts in REGISTRIES))


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Each line of each text file that the pattern is found in, as path:number."""
    found = []
    for path in project_files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        if pattern.search(text):
            numbered = enumerate(text.splitlines(), 1)
            hits = [number for number, line in numbered if pattern.search(line)]
            found += [f"{path.relative_to(ROOT)}:{number}" for number in hits]
    return found


def test_the_patterns_find_what_they_are_for() -> None:
    """A registry's host and a path of one machine are recognised; a system path is not."""
    assert HOST.search("https://" + ".".join(REGISTRIES[0]) + "/simple")
    assert LOCAL_PATH.search("see /" + "work/main/x")
    assert not LOCAL_PATH.search("/etc/ssl/certs, docs/work/main/x")


def test_no_registry_is_named() -> None:
    """No file names the host of a package registry: the client's own configuration decides."""
    assert lines_with(HOST) == []


def test_no_path_of_one_machine() -> None:
    """No file holds an absolute path of somebody's work folder."""
    assert lines_with(LOCAL_PATH) == []


def test_the_licence_is_whole() -> None:
    """LICENSE is the Apache License 2.0 in full."""
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
