"""The operator's settings, node.toml: read once, frozen, unknown keys refused."""

import tomllib
from pathlib import Path
from typing import Annotated

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from node.errors import ConfigError

Address = Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$")]


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

    queue_operations: int = Field(default=8192, ge=256, le=1_000_000)
    lock: Path | None = None


class PlatformConfig(_Model):
    """Which TEE the core runs in; `software` is for development networks only."""

    kind: Annotated[str, Field(pattern="^software$")] = "software"
    manifest: Path | None = None


class LogConfig(_Model):
    """Structured logs on standard error."""

    level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    json_lines: bool = True


class NodeConfig(_Model):
    """Everything in node.toml; an empty file means all defaults."""

    grpc: GrpcConfig = GrpcConfig()
    http: HttpConfig = HttpConfig()
    ledger: LedgerConfig = LedgerConfig()
    platform: PlatformConfig = PlatformConfig()
    log: LogConfig = LogConfig()

    @classmethod
    def load(cls, path: Path) -> "NodeConfig":
        """Read and check; ConfigError names the file, the field and what is wrong."""
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise ConfigError(f"{path} is missing", "run sealedger node init") from error
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path}: {error}") from error
        return cls.check(table, str(path))

    @classmethod
    def check(cls, table: dict[str, object], source: str) -> "NodeConfig":
        """The checked settings of a table; ConfigError names `source` and the bad field."""
        try:
            return cls.model_validate(table)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(map(str, first["loc"]))
            message = f"{source}: {field}: {first['msg']}"
            raise ConfigError(message, "see docs/operator.md") from error

    def encode(self) -> bytes:
        """The TOML bytes; settings left at None are omitted."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True)).encode()
