"""Evidence and what belongs to it, as people give it to commands: files and options.

Rules: every file is read whole and at most to its bound, a pipe like a file, ``-`` is standard
input; what cannot be read or used is wrong usage, never a refusal, and the file is named. Judging
is a child process of the verifier, which lives as long as the command.
"""

import asyncio
import functools
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import click
from cryptography.utils import CryptographyDeprecationWarning

from attestation.certificate_files import MAX_FILE_BYTES as MAX_CHAIN_BYTES
from attestation.certificate_files import read_snp_certificates
from attestation.collateral_files import MAX_FILE_BYTES as MAX_COLLATERAL_BYTES
from attestation.errors import CannotDecideError, DecodeError
from attestation.evidence_files import MAX_FILE_BYTES as MAX_EVIDENCE_BYTES
from attestation.evidence_files import evidence_words
from attestation.judge_file import judge_file
from attestation.judgement import Judgement, Question
from attestation.policy import Policy
from attestation.ratls.pem import MAX_FILE_BYTES as MAX_ROOT_BYTES
from attestation.ratls.pem import read_der
from attestation.rules import load_root
from attestation.worker import VerificationWorker
from node.cli.output import UsageFault
from node.cli.time_type import TIME

given_path = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
C = TypeVar("C", bound=Callable[..., object])
Option = Callable[[Callable[..., object]], Callable[..., object]]

_AT = click.option(
    "--at",
    "at_s",
    type=TIME,
    metavar="TIME",
    help="Judge as of this time: Unix seconds, or UTC as 2025-06-19T12:00:00Z.  [default: now]",
)
_ROOT = click.option(
    "--root",
    type=given_path,
    help="Believe this root certificate (PEM or DER) instead of Intel's and AMD's.",
)
_CHAIN = click.option(
    "--chain",
    type=given_path,
    multiple=True,
    help="For SEV-SNP: VCEK or VLEK, ASK or ASVK, ARK; PEM, DER or a host's table. Repeatable.",
)
_COLLATERAL = click.option(
    "--collateral",
    type=given_path,
    multiple=True,
    help="Collateral: as saved by collateral show, JSON, or AMD's files. Repeatable.",
)
_OPTIONS: tuple[Option, ...] = (_AT, _ROOT, _CHAIN, _COLLATERAL)  # the last is shown first
_HINT = "docs/attestation.md says which files are read"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given(Question):
    """A question, and how its files are named: by `evidence`, `chain` and `collateral`."""

    names: dict[str, str]


def judged_by(command: C) -> C:
    """Options that say by what to judge; the command gets ``beside``, which makes the question."""

    @functools.wraps(command)
    def with_beside(
        collateral: tuple[Path, ...],
        chain: tuple[Path, ...],
        root: Path | None,
        at_s: int | None,
        **given: object,
    ) -> object:
        def beside(file: Path, policy: Policy | None = None) -> Question:
            return _Given(
                file=read_given(file, MAX_EVIDENCE_BYTES, "evidence"),
                now_s=int(time.time()) if at_s is None else at_s,
                collateral=tuple(map(_read_collateral, collateral)),
                chain=tuple(map(_read_chain, chain)),
                root=None if root is None else _read_root(root),
                policy=policy,
                names=_names(file, chain, collateral),
            )

        return command(beside=beside, **given)

    for option in _OPTIONS:
        option(with_beside)
    return cast("C", with_beside)


def judge(question: Question) -> Judgement:
    """The answer; UsageFault where a file is of no use."""
    try:
        with _without_warnings():
            return asyncio.run(_judge(question))
    except DecodeError as error:
        names = question.names if isinstance(question, _Given) else {}
        raise UsageFault(_named(str(error), names), _HINT) from error


def read_given(path: Path, limit: int, name: str) -> bytes:
    """The whole of a file or pipe of at most `limit` bytes; UsageFault."""
    is_standard_input = str(path) == "-"
    try:
        if is_standard_input:
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with path.open("rb") as file:
                data = file.read(limit + 1)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise UsageFault(f"{name}: {path}: {reason}", "name a file that can be read") from error
    if len(data) > limit:
        raise UsageFault(
            f"{name}: {path}: larger than {limit} bytes", "name a file of the kind that --help says"
        )
    if not data:
        raise UsageFault(f"{name}: {path}: empty", "name a file with content")
    return data


@contextmanager
def _without_warnings() -> Iterator[None]:
    """AMD numbers certificates 0, which the parser has more to say about than people can use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


def _names(file: Path, chain: Sequence[Path], collateral: Sequence[Path]) -> dict[str, str]:
    """What stands before each kind of fault; a list of AMD's is read together with the chain."""
    chains, others = (", ".join(map(str, paths)) for paths in (chain, collateral))
    named = {"evidence": str(file), "chain": chains, "collateral": others}
    if chains and others:
        named["collateral"] = f"{others} with {chains}"
    return {part: name for part, name in named.items() if name}


def _named(fault: str, names: dict[str, str]) -> str:
    """The fault with the names of the files that it is about, as well as that is known."""
    part, _, words = fault.partition(": ")
    if part in names:
        return f"{part}: {names[part]}: {words}"
    beside = [part for part in ("collateral", "chain") if part in names]
    return f"{beside[0]}: {names[beside[0]]}: {fault}" if beside else fault


def _read_collateral(path: Path) -> bytes:
    return _read_beside(path, MAX_COLLATERAL_BYTES, "collateral")


def _read_beside(path: Path, limit: int, name: str) -> bytes:
    """What belongs beside evidence, and is none itself."""
    data = read_given(path, limit, name)
    if words := evidence_words(data):
        raise UsageFault(
            f"{name}: {path}: this is {words}", "give it as FILE, the evidence that is judged"
        )
    return data


def _read_chain(path: Path) -> bytes:
    data = _read_beside(path, MAX_CHAIN_BYTES, "chain")
    try:
        read_snp_certificates((data,))
    except DecodeError as error:
        raise UsageFault(
            f"chain: {path}: {str(error).removeprefix('chain: ')}",
            "AMD's certificates in PEM or DER, or the table that the host gives (auxblob)",
        ) from error
    return data


async def _judge(question: Question) -> Judgement:
    worker = VerificationWorker()
    try:
        return await judge_file(question, worker)
    finally:
        await worker.close()


def _read_root(path: Path) -> bytes:
    try:
        root = read_der(read_given(path, MAX_ROOT_BYTES, "root"))
        with _without_warnings():
            load_root(root)
    except (DecodeError, CannotDecideError) as error:
        raise UsageFault(f"root: {path}: {error}", "name one self-signed certificate") from error
    return root
