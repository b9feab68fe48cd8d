"""Every vector of the manifest as a question about files, and what its manifest expects."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attestation.judgement import Question

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
MANIFEST = VECTORS / "manifest.json"
REASON = "the attestation vectors are not beside this checkout"

Vector = dict[str, Any]

_CHAIN = ("vcek", "vlek", "ask", "asvk", "ark")
_NOW_S = 1_770_000_000  # where the manifest gives no time: no verdict hangs on it


@dataclass(frozen=True, slots=True)
class VectorCase:
    """One vector with one of the judgements that its manifest holds of it."""

    vector: Vector
    run: Vector
    file: Path
    collateral: Path | None
    chain: tuple[Path, ...]

    @property
    def name(self) -> str:
        """The vector's id, and its collateral where it has several."""
        many = len(self.vector.get("verification", ())) > 1 or "collateral_at" in self.vector
        suffix = f":{self.collateral.stem}" if many and self.collateral else ""
        return f"{self.vector['id']}{suffix}"

    @property
    def now_s(self) -> int:
        """The time of the judgement."""
        return int(self.run.get("now", _NOW_S))

    @property
    def question(self) -> Question:
        """The same as contents of files."""
        return Question(
            file=self.file.read_bytes(),
            now_s=self.now_s,
            collateral=(self.collateral.read_bytes(),) if self.collateral else (),
            chain=tuple(path.read_bytes() for path in self.chain),
        )

    @property
    def options(self) -> tuple[str, ...]:
        """The same as the command's arguments."""
        collateral = ("--collateral", str(self.collateral)) if self.collateral else ()
        chain = tuple(word for path in self.chain for word in ("--chain", str(path)))
        return (str(self.file), *collateral, *chain, "--at", str(self.now_s))


def all_vectors() -> list[Vector]:
    """The manifest's entries; none where the folder is absent."""
    if not MANIFEST.exists():
        return []
    entries: list[Vector] = json.loads(MANIFEST.read_text())["vectors"]
    return entries


def all_cases() -> list[VectorCase]:
    """Every entry, with each judgement that has collateral of its own."""
    entries = {one["id"]: one for one in all_vectors()}
    return [
        _case(entries, vector, run) for vector in entries.values() for run in _runs(entries, vector)
    ]


def case_of(name: str) -> VectorCase:
    """One case by its name."""
    return next(one for one in all_cases() if one.name == name)


def _runs(entries: dict[str, Vector], vector: Vector) -> list[Vector]:
    """The judgements; those of a certificate are its quote's, whose vector it names."""
    base = str(vector.get("collateral_at", vector["id"]))
    runs: list[Vector] = entries[base].get("verification") or [{}]
    return [{**run, "base": base} for run in runs]


def _case(entries: dict[str, Vector], vector: Vector, run: Vector) -> VectorCase:
    certified = entries[str(vector.get("certs_from", vector["id"]))]
    collateral = VECTORS / run["base"] / run["collateral"] if "collateral" in run else None
    return VectorCase(
        vector=vector,
        run=run,
        file=VECTORS / vector["files"][0]["path"],
        collateral=collateral.resolve() if collateral else None,
        chain=tuple(VECTORS / one["path"] for one in certified["files"] if one["role"] in _CHAIN),
    )
