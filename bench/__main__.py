"""`python -m bench [smoke]`: the numbers of the main paths beside floors of the same run.

Prints a table and writes build/bench.json. `smoke` does the same in seconds, on a small ledger, to
show that every part runs; its numbers mean nothing.
"""

import asyncio
import json
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import attestation
from bench.floors import leveldb_puts_per_s, primitive_us, sync_ms
from bench.growth import measure_growth
from bench.load import Rate, fill, get_call, lone_ms, put_call, rate
from bench.local_node import COLLECTION, BenchHome, found, running
from enclave_client.client import SecretClient

RESULT = Path("build/bench.json")
MUST = {
    "puts_per_s": (">=", 15_000, 20_000),
    "reads_per_s": (">=", 10_000, 12_000),
    "put_p50_ms": ("<=", 4.0, 3.0),
    "read_p50_ms": ("<=", 4.0, 3.0),
    "open_1e6_s": ("<=", 1.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how large."""

    warm_s: float
    round_s: float
    rounds: int
    lone: int
    small: int
    large: int
    floor_s: float
    attestation: attestation.Plan


FULL = Plan(30, 30, 3, 2000, 100_000, 1_000_000, 10, attestation.FULL)
SMOKE = Plan(1, 1, 3, 100, 1_000, 3_000, 1, attestation.SMOKE)


async def measure_path(home: BenchHome, port: int, plan: Plan) -> dict[str, object]:
    """Throughput and lone latency of puts and reads."""
    async with SecretClient.connect(
        network=home.network(port),
        platform=home.platform,
        collection=COLLECTION,
        allow_development=True,
    ) as client:
        put, get = put_call(client), get_call(client)
        await fill(put)
        put_p50, put_p99 = await lone_ms(put, plan.lone)
        read_p50, read_p99 = await lone_ms(get, plan.lone)
        timing = {"warm_s": plan.warm_s, "round_s": plan.round_s}
        puts = await rate(put, rounds=plan.rounds, **timing)
        reads = await rate(get, rounds=plan.rounds, **timing)
    return {
        "puts_per_s": round(puts.median),
        "reads_per_s": round(reads.median),
        "put_p50_ms": round(put_p50, 2),
        "read_p50_ms": round(read_p50, 2),
        "put_p99_ms": round(put_p99, 2),
        "read_p99_ms": round(read_p99, 2),
        "puts_per_s_rounds": _rounds(puts),
        "reads_per_s_rounds": _rounds(reads),
    }


def measure(plan: Plan) -> dict[str, object]:
    """Everything, in one run."""
    machine = (f"{os.cpu_count()} CPUs", platform.machine(), platform.python_version())
    result: dict[str, object] = {"machine": ", Python ".join((", ".join(machine[:2]), machine[2]))}
    with tempfile.TemporaryDirectory(prefix="sealedger-bench-") as directory:
        home = found(Path(directory))
        with running(home) as node:
            result |= asyncio.run(measure_path(home, node.port, plan))
    result["floor_puts_per_s"] = round(leveldb_puts_per_s(plan.floor_s))
    result["sync_ms"] = round(sync_ms(), 3)
    result["primitives_us"] = {name: round(cost, 2) for name, cost in primitive_us().items()}
    with tempfile.TemporaryDirectory(prefix="sealedger-bench-") as directory:
        grown = measure_growth(found(Path(directory)), plan.small, plan.large)
    result["open_1e6_s"] = round(grown["open_s"], 3)
    result["rss_1e5_mib"] = round(grown["rss_small_mib"], 1)
    result["rss_1e6_mib"] = round(grown["rss_large_mib"], 1)
    result["grow_s"] = round(grown["grow_s"])
    result["attestation"] = attestation.measure(plan.attestation)
    return result


def show(result: dict[str, object]) -> None:
    """The table."""
    table = Table(title="sealedger bench")
    for column in ("what", "measured", "must", "goal"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name, value in result.items():
        if name == "attestation":
            continue
        if isinstance(value, dict):
            for inner, cost in value.items():
                table.add_row(f"  {inner}", f"{cost} us")
            continue
        sign, must, goal = MUST.get(name, ("", "", ""))
        table.add_row(name, str(value), f"{sign} {must}", f"{sign} {goal}")
    puts, floor = result["puts_per_s"], result["floor_puts_per_s"]
    if isinstance(puts, int) and isinstance(floor, int):
        table.add_row("puts per floor put", f"{puts / floor:.2f}")
    Console().print(table)
    measured = result["attestation"]
    if isinstance(measured, dict):
        attestation.show(measured)


def _rounds(measured: Rate) -> list[int]:
    return [round(one) for one in measured.rounds]


def main() -> None:
    """Measure, print, write."""
    plan = {"full": FULL, "smoke": SMOKE}[sys.argv[1] if len(sys.argv) > 1 else "full"]
    result = measure(plan)
    if plan is SMOKE:
        result["smoke"] = True
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    show(result)
    print(f"written to {RESULT}")


if __name__ == "__main__":
    main()
