"""The operator's settings, node.toml: read once, frozen, unknown keys refused.

Every problem of the file is found at once and named with file, line, field and what would be right.
"""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeGuard

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from node.config_lines import line_of
from node.errors import ConfigError
from node.problems import Problem, raise_first

MAX_CONFIG_BYTES = 64 * 1024

_MAX_PORT = 65535


def _verify_port(address: str) -> str:
    if int(address.rpartition(":")[2]) > _MAX_PORT:
        raise ValueError(f"a port is at most {_MAX_PORT}")
    return address


Address = Annotated[
    str,
    Field(
        pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$",
        description='host:port in quotes, such as "127.0.0.1:8700"',
    ),
    AfterValidator(_verify_port),
]


def _verify_absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("not an absolute path")
    return path


AbsolutePath = Annotated[Path, AfterValidator(_verify_absolute)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GrpcConfig(_Model):
    """Where the node listens; loopback unless said otherwise."""

    listen: Address = "127.0.0.1:8700"


class HttpConfig(_Model):
    """Where the public log, metrics and health are served; loopback unless said otherwise."""

    listen: Address = "127.0.0.1:8701"


class LedgerConfig(_Model):
    """Queues; and the rollback lock, which belongs on another disk or at least another backup."""

    queue_operations: int = Field(
        default=8192, ge=256, le=1_000_000, description="a number from 256 to 1000000"
    )
    lock: AbsolutePath | None = Field(default=None, description="an absolute path in quotes")


class PlatformConfig(_Model):
    """Which TEE the core runs in, and what it needs.

    The default is `software`, for development networks alone: their genesis names a software root,
    so evidence of a TEE that a developer's machine happens to have would convince nobody, and
    `auto` would choose it. Other networks refuse `software`, so that they have to say which. The
    key service's state is sealed by the platform: `gramine` and `software` have a key for that;
    `tsm` (TDX, SEV-SNP) and `occlum` have none, so a node on them does not start yet.
    """

    kind: str = Field(
        default="software",
        pattern="^(auto|gramine|tsm|occlum|software)$",
        description='"auto", "gramine", "tsm", "occlum" or "software"',
    )
    manifest: AbsolutePath | None = Field(default=None, description="an absolute path in quotes")
    certificate: AbsolutePath | None = Field(default=None, description="an absolute path in quotes")


class StopConfig(_Model):
    """How a node stops."""

    within_s: int = Field(default=10, ge=2, le=600, description="a number from 2 to 600")


class LogConfig(_Model):
    """Structured logs on standard error."""

    level: str = Field(
        default="info",
        pattern="^(debug|info|warning|error)$",
        description='"debug", "info", "warning" or "error"',
    )
    json_lines: bool = Field(default=True, description="true or false")


class NodeConfig(_Model):
    """Everything in node.toml; an empty file means all defaults."""

    grpc: GrpcConfig = Field(default=GrpcConfig(), description="a table")
    http: HttpConfig = Field(default=HttpConfig(), description="a table")
    ledger: LedgerConfig = Field(default=LedgerConfig(), description="a table")
    platform: PlatformConfig = Field(default=PlatformConfig(), description="a table")
    stop: StopConfig = Field(default=StopConfig(), description="a table")
    log: LogConfig = Field(default=LogConfig(), description="a table")

    @classmethod
    def load(cls, path: Path) -> "NodeConfig":
        """Read and check; ConfigError names the file, the line, the field and what is wrong."""
        config, problems = read_config(path)
        raise_first(problems)
        return config

    @classmethod
    def check(cls, table: dict[str, object], source: str) -> "NodeConfig":
        """The checked settings of a table; ConfigError names `source` and the bad field."""
        try:
            return cls.model_validate(table)
        except ValidationError as error:
            found = _faults(error, source, "")
            raise ConfigError(found[0].message, found[0].fix) from error

    def encode(self) -> bytes:
        """The TOML bytes; settings left at None are omitted."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True)).encode()


def read_config(path: Path) -> tuple[NodeConfig, tuple[Problem, ...]]:
    """The settings of a file, and every problem with it; with problems, the settings are defaults.

    A missing file is a problem too. Nothing is raised.
    """
    text = ""
    try:
        text = _read(path)
        return NodeConfig.model_validate(tomllib.loads(text)), ()
    except FileNotFoundError:
        problem = Problem(str(path), f"{path} is missing", "run sealedger node init")
    except tomllib.TOMLDecodeError as error:
        problem = _unparsed(path, str(error))
    except ValidationError as error:
        return NodeConfig(), tuple(_faults(error, str(path), text))
    except (OSError, ValueError, RecursionError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        fix = f"node.toml is a text file of at most {MAX_CONFIG_BYTES} bytes that this user reads"
        problem = Problem(str(path), f"{path}: {said}", fix)
    return NodeConfig(), (problem,)


def line_in_file(path: Path, keys: Sequence[str]) -> int | None:
    """The line of a setting (its tables first) in a file that was read before; None without it."""
    try:
        return line_of(_read(path), keys)
    except (OSError, ValueError):
        return None


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_CONFIG_BYTES + 1)
    if len(data) > MAX_CONFIG_BYTES:
        raise ValueError("too large")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8 text") from error


def _unparsed(path: Path, said: str) -> Problem:
    """The parser ends its message with "(at line 3, column 7)" or "(at end of document)"."""
    what, _, where = said.rpartition(" (at ")
    words = where.rstrip(")").replace(",", "").split()
    line = int(words[1]) if words[:1] == ["line"] else None
    place = f"{path}:{line}" if line else f"{path}"
    fix = f"correct it as TOML, near column {words[3]}" if line else "its last value has no end"
    return Problem(str(path), f"{place}: {what or said}", fix, line)


def _faults(error: ValidationError, source: str, text: str) -> list[Problem]:
    found = []
    for fault in error.errors(include_url=False, include_input=False):
        keys = tuple(str(key) for key in fault["loc"])
        field = ".".join(keys)
        line = line_of(text, keys)
        place = f"{source}:{line}" if line else source
        what, fix = _said(keys, fault["type"], fault["msg"])
        found.append(Problem(source, f"{place}: {field}: {what}", fix, line, field))
    return sorted(found, key=lambda one: one.line or 0)


def _said(keys: Sequence[str], kind: str, said: str) -> tuple[str, str]:
    """What is wrong with a setting, and what would be right."""
    fields = _fields(keys[:-1])
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(keys[-1], fields, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        return "there is no such setting", f"{meant}there are: {', '.join(fields)}"
    what = "not of this form" if kind == "string_pattern_mismatch" else said
    what = what.removeprefix("Value error, ")
    return what, f"write {fields[keys[-1]].description}; or remove it for the default"


def _fields(keys: Sequence[str]) -> Mapping[str, FieldInfo]:
    """The settings of a table."""
    fields = NodeConfig.model_fields
    for key in keys:
        table = fields[key].annotation
        fields = table.model_fields if _is_table(table) else {}
    return fields


def _is_table(kind: object) -> TypeGuard[type[BaseModel]]:
    """Whether a setting is a table of settings."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)
