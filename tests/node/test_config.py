"""node.toml: what is wrong with it is named with file, line, field and what would be right."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from node.config import MAX_CONFIG_BYTES, NodeConfig, read_config
from node.config_lines import line_of
from node.errors import ConfigError

FAULTS = (
    ('[grpc]\nlisten = "here"\n', 2, "grpc.listen", "not of this form", "127.0.0.1:8700"),
    ('[http]\n\nlisten = "h:70000"\n', 3, "http.listen", "at most 65535", "host:port"),
    ("[ledger]\n# few\nqueue_operations = 5\n", 3, "ledger.queue_operations", "256", "1000000"),
    ('ledger.lock = "lock"\n', 1, "ledger.lock", "not an absolute path", "absolute path"),
    ('[platform]\nkind = "magic"\n', 2, "platform.kind", "not of this form", '"software"'),
    ("[stop]\nwithin_s = 0.5\n", 2, "stop.within_s", "integer", "2 to 600"),
    ('[log]\nlevel = "loud"\n', 2, "log.level", "not of this form", '"debug"'),
    (
        "[log]\njson_line = true\n",
        2,
        "log.json_line",
        "no such setting",
        "did you mean json_lines?",
    ),
    ("\n\n[logs]\nlevel = 'info'\n", 3, "logs", "no such setting", "did you mean log?"),
    ("grpc = 7\n", 1, "grpc", "GrpcConfig", "a table"),
    ('grpc = { listen = "here" }\n', 1, "grpc.listen", "not of this form", "host:port"),
    ('a = """\n\n"""\n[http]\nlisten = ""\n', 1, "a", "no such setting", "there are: grpc"),
)


@pytest.mark.parametrize("text, line, field, what, fix", FAULTS)
def test_each_fault_is_placed(
    tmp_path: Path, text: str, line: int, field: str, what: str, fix: str
) -> None:
    """The message names file, line and field; the hint says what would be right."""
    path = tmp_path / "node.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        NodeConfig.load(path)
    assert str(raised.value).startswith(f"{path}:{line}: {field}: ")
    assert what in str(raised.value)
    assert fix in raised.value.hint


def test_every_fault_is_found(tmp_path: Path) -> None:
    """All faults are found at once, in the order of their lines; an error says how many more."""
    path = tmp_path / "node.toml"
    path.write_text('[log]\nlevel = "loud"\n[grpc]\nlisten = "x"\nport = 1\n')
    config, problems = read_config(path)
    assert config == NodeConfig()
    assert [(one.line, one.field) for one in problems] == [
        (2, "log.level"),
        (4, "grpc.listen"),
        (5, "grpc.port"),
    ]
    with pytest.raises(ConfigError) as raised:
        NodeConfig.load(path)
    assert raised.value.hint.endswith("; 2 more: sealedger node config check")


@pytest.fixture
def shallow() -> Iterator[None]:
    """The interpreter's usual limit of recursion; property tests raise it for good."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("shallow")
@pytest.mark.parametrize(
    "data, said, hint",
    [
        (b'[grpc]\nlisten = "x\n', ":2: ", "near column 12"),
        (b"[log]\nlevel = 'a'\nlevel = 'b'\n", ":3: ", "near column"),
        (b'a = """', ": ", "no end"),
        (b"\xff\xfe", "not UTF-8", "text file"),
        (b"a = " + b"[" * 5_000, "recursion", "text file"),
        (b"# " + b"x" * MAX_CONFIG_BYTES, "too large", "at most"),
    ],
)
def test_what_is_no_toml(tmp_path: Path, data: bytes, said: str, hint: str) -> None:
    """A file that does not parse is named with the parser's line and column."""
    path = tmp_path / "node.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as raised:
        NodeConfig.load(path)
    assert str(raised.value).startswith(f"{path}")
    assert said in str(raised.value)
    assert hint in raised.value.hint


def test_missing_and_unreadable(tmp_path: Path) -> None:
    """A file that is not there, and one that is a folder."""
    with pytest.raises(ConfigError, match="is missing") as raised:
        NodeConfig.load(tmp_path / "node.toml")
    assert raised.value.hint == "run sealedger node init"
    with pytest.raises(ConfigError, match="Is a directory"):
        NodeConfig.load(tmp_path)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Settings go into a file and come back; an empty file is all defaults."""
    path = tmp_path / "node.toml"
    path.write_bytes(b"")
    assert NodeConfig.load(path) == NodeConfig()
    lock = {"ledger": {"lock": "/srv/lock"}, "stop": {"within_s": 30}}
    config = NodeConfig.model_validate(lock)
    path.write_bytes(config.encode())
    assert NodeConfig.load(path) == config


@given(st.text(alphabet="abglr.[]=\"'\n #\t{}1,_", max_size=120) | st.text(max_size=120))
def test_any_text_gives_settings_or_problems(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """Whatever stands in the file: settings, or problems whose lines the file has."""
    path = tmp_path_factory.mktemp("any") / "node.toml"
    path.write_bytes(text.encode("utf-8", "replace"))
    _, problems = read_config(path)
    lines = text.count("\n") + 1
    assert all(one.line is None or 1 <= one.line <= lines for one in problems)
    assert all(one.message and one.fix for one in problems)


NUMBERS = st.lists(st.integers(0, 9), max_size=3)
VALUES = st.integers() | st.booleans() | st.text("ab\n", max_size=5) | NUMBERS
KEYS = st.dictionaries(st.text("xyz", max_size=3), VALUES, max_size=4)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), KEYS, max_size=4))
def test_lines_are_where_keys_are_written(tables: dict[str, dict[str, object]]) -> None:
    """Each key of a written table is found on the line that begins with it."""
    text = tomli_w.dumps(tables, multiline_strings=True)
    lines = text.split("\n")
    for table, keys in tables.items():
        for key in keys:
            line = line_of(text, (table, key))
            assert line is not None
            written = lines[line - 1]
            assert written.startswith((f"{key} =", f'"{key}" =', "'' ="))
        assert line_of(text, (table, "absent")) is None
