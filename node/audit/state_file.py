"""The auditor's state file: how far a log is verified, so that the next run goes on from there.

Rules: JSON, strict, written whole or not at all. It is the auditor's own memory, as trusted as the
auditor's disk: whoever can change it can hide a changed past. What can be checked is: it is of the
pinned network, its checkpoint is certified by the pinned quorum, its edge has the shape of its size
and, once the checkpoint was reached, its root.
"""

import base64
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from enclave_client.network_file import NetworkFile
from ledger.log.errors import LogError
from ledger.log.quorum import CertifiedCheckpoint, verify_certified
from node.audit.edge import RightEdge
from node.audit.errors import StateFileError
from node.audit.rules import LogRules, Totals, Versions
from node.audit.walk import Progress

MAX_STATE_BYTES = 512 * 1024 * 1024
_HINT = "move it away and audit from the first entry on"


def _bytes(value: object) -> object:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


Bytes = Annotated[
    bytes, BeforeValidator(_bytes), PlainSerializer(lambda data: base64.b64encode(data).decode())
]
Count = Annotated[int, Field(ge=0, lt=2**64)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Blocks(_Model):
    height: Count
    time_ms: Count
    open_ms: Count | None
    trust_version: Count
    epoch: Count
    rules_version: Count


class _Totals(_Model):
    blocks: Count
    transactions: Count
    operations: Count
    by_kind: dict[int, Count]
    first_ms: Count
    longest_gap_ms: Count
    longest_gap_height: Count


class _Signer(_Model):
    kind: Count
    signer: Bytes
    highest: Count
    seen: Annotated[str, Field(pattern="^[0-9a-f]{1,256}$")]


class _Session(_Model):
    session: Annotated[Bytes, Field(min_length=32, max_length=32)]
    key: Annotated[Bytes, Field(min_length=33, max_length=33)]
    opened_in: Count


class _File(_Model):
    format: Literal["sealedger-audit/1"] = "sealedger-audit/1"
    network_id: Annotated[Bytes, Field(min_length=32, max_length=32)]
    checkpoint: Bytes  # the newest certified one that was seen
    size: Count
    edge: tuple[Bytes, ...]
    blocks: _Blocks
    totals: _Totals
    signers: tuple[_Signer, ...]
    sessions: tuple[_Session, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a state file says; `checkpoint` is certified, and may be beyond the progress."""

    progress: Progress
    checkpoint: CertifiedCheckpoint


def fresh(network: NetworkFile) -> Progress:
    """Nothing is verified yet."""
    return Progress(RightEdge(), LogRules(_nodes(network)))


def load_state(path: Path, network: NetworkFile) -> Kept | None:
    """Read a state file, None if there is none; StateFileError if it cannot be used."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_STATE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateFileError(f"cannot read {path}: {error.strerror}") from error
    try:
        return decode_state(data, network)
    except (ValidationError, ValueError, LogError) as error:
        raise StateFileError(f"state file {path}: {_first_line(error)}", _HINT) from error


def save_state(path: Path, data: bytes) -> None:
    """Write a state file whole, durably; StateFileError if it cannot be written."""
    beside = path.with_name(f"{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise StateFileError(
            f"cannot write {path}: {error.strerror}", "name a file in a directory that exists"
        ) from error


def encode_state(progress: Progress, note: bytes, network_id: bytes) -> bytes:
    """The file's bytes; `note` is the certified checkpoint that is walked to."""
    rules = progress.rules
    versions, totals = rules.versions, rules.totals
    file = _File(
        network_id=network_id,
        checkpoint=note,
        size=progress.size,
        edge=tuple(progress.edge.levels),
        blocks=_Blocks(
            height=rules.height,
            time_ms=rules.time_ms,
            open_ms=rules.open_ms,
            trust_version=versions.trust_version,
            epoch=versions.epoch,
            rules_version=versions.rules_version,
        ),
        totals=_Totals(
            blocks=totals.blocks,
            transactions=totals.transactions,
            operations=totals.operations,
            by_kind=dict(totals.by_kind),
            first_ms=totals.first_ms,
            longest_gap_ms=totals.longest_gap_ms,
            longest_gap_height=totals.longest_gap_height,
        ),
        signers=tuple(
            _Signer(kind=kind, signer=signer, highest=highest, seen=f"{seen:x}")
            for (kind, signer), (highest, seen) in rules.windows.items()
        ),
        sessions=tuple(
            _Session(session=session, key=key, opened_in=index)
            for session, (key, index) in rules.sessions.items()
        ),
    )
    return file.model_dump_json().encode() + b"\n"


def decode_state(data: bytes, network: NetworkFile) -> Kept:
    """What the bytes say; ValueError, ValidationError or LogError for anything unusable."""
    if len(data) > MAX_STATE_BYTES:
        raise ValueError(f"over {MAX_STATE_BYTES} bytes")
    file = _File.model_validate_json(data)
    if file.network_id != network.network_id:
        raise ValueError("it is of another network")
    certified = verify_certified(file.checkpoint, network.rule())
    edge = RightEdge(file.size, file.edge)
    target = certified.checkpoint
    if file.size > target.size or (file.size == target.size and edge.root() != target.root):
        raise ValueError("its edge is not that of its checkpoint")
    return Kept(progress=Progress(edge, _rules(file, network)), checkpoint=certified)


def _rules(file: _File, network: NetworkFile) -> LogRules:
    blocks, totals = file.blocks, file.totals
    return LogRules(
        nodes=_nodes(network),
        height=blocks.height,
        time_ms=blocks.time_ms,
        open_ms=blocks.open_ms,
        versions=Versions(blocks.trust_version, blocks.epoch, blocks.rules_version),
        totals=Totals(
            blocks=totals.blocks,
            transactions=totals.transactions,
            operations=totals.operations,
            by_kind=Counter(totals.by_kind),
            first_ms=totals.first_ms,
            longest_gap_ms=totals.longest_gap_ms,
            longest_gap_height=totals.longest_gap_height,
        ),
        windows={(one.kind, one.signer): (one.highest, int(one.seen, 16)) for one in file.signers},
        sessions={one.session: (one.key, one.opened_in) for one in file.sessions},
    )


def _nodes(network: NetworkFile) -> frozenset[bytes]:
    return frozenset(one.public_key for one in network.log.cosigners)


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
