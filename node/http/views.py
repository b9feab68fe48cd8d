"""The JSON bodies of the HTTP side: bytes are lower-case hex, times are what their names say."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_U64 = 2**64 - 1
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256, hex")]
Count = Annotated[int, Field(ge=0, le=MAX_U64)]


class View(BaseModel):
    """A body; what it does not name is not in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ErrorView(View):
    """Why a request was not answered, and what would be right."""

    error: str
    hint: str


class AliveView(View):
    """The process serves."""

    status: Literal["serving"] = "serving"


class CheckView(View):
    """One condition of readiness."""

    ok: bool
    reason: str


class ReadinessView(View):
    """Whether clients should be sent here; every condition with its reason."""

    ready: bool
    checks: dict[str, CheckView]


class StatusView(View):
    """Where the certified log stands, by its last block header."""

    entries: Annotated[Count, Field(description="Entries under the certified checkpoint")]
    root: Annotated[Hash, Field(description="Root of the certified checkpoint, hex")]
    height: Count
    time_ms: Annotated[Count, Field(description="Block time, Unix milliseconds")]
    epoch: Count
    trust_version: Count
    rules_version: Count
    version: Annotated[str, Field(description="The program's version")]


class NetworkView(View):
    """What this node says about its network. Pin what you got from somebody that you trust."""

    network_id: Annotated[Hash, Field(description="SHA-256 of genesis, hex")]
    name: str
    profile: Literal["development", "single", "consortium"]
    origin: Annotated[str, Field(description="The log's origin: the first line of checkpoints")]
    vkey: Annotated[str, Field(description="The log key (C2SP signed-note verifier key)")]
    genesis_time_ms: Annotated[Count, Field(description="Unix milliseconds")]
    network_file: Annotated[str, Field(description="network.toml, as the operator gives it out")]
