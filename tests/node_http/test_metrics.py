"""What is counted is what is documented, counted where it happens, and cheap."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from ledger.format.operation import Read
from ledger.reason import Reason
from node.metered import MeteredApplication
from node.metrics import NodeMetrics
from node.results import Finalized, Recorded
from tests.support.documents import table
from tests.support.grown_node import Grown
from tests.support.planted import HIDDEN
from tests.support.small_ledger import COLLECTION, OpenLedger, SmallLedger

DOCUMENT = "docs/metrics.md"
Samples = dict[str, float]


def parse(text: str) -> tuple[dict[str, str], Samples]:
    """Our metrics with their types, and every sample by its name and labels as they are written."""
    kinds: dict[str, str] = {}
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        name = family.name + ("_total" if family.type == "counter" else "")
        if name.startswith("sealedger_") and not name.endswith("_created"):
            kinds[name] = family.type
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            samples[f"{sample.name}{{{labels}}}"] = sample.value
    return kinds, samples


def read(metrics: NodeMetrics) -> Samples:
    """Every sample now."""
    return parse(metrics.render().decode())[1]


async def scrape(node: Grown) -> tuple[dict[str, str], Samples, str]:
    """A real node's metrics."""
    async with ClientSession() as session, session.get(f"{node.url}/metrics") as said:
        assert said.status == 200
        text = await said.text()
    return *parse(text), text


async def test_the_document_lists_them(grown: Grown) -> None:
    """docs/metrics.md has every metric of a real node with its type and labels, and no other."""
    kinds, samples, text = await scrape(grown)
    rows = table(DOCUMENT, "## All of them")
    assert {name.strip("`"): kind for name, kind, _, _ in rows} == kinds
    for name, _, labels, _ in rows:
        documented = {one.split("`")[1] for one in labels.split(";") if one != "none"}
        seen = {
            label.partition("=")[0]
            for sample in samples
            if sample.startswith(name.strip("`").removesuffix("_total"))
            for label in sample.partition("{")[2].rstrip("}").split(",")
            if label and not label.startswith("le=")
        }
        assert seen in (documented, set()), name
    assert not any(hidden.decode() in text for hidden in HIDDEN)
    assert grown.process.network.file.network_id.hex() not in text


async def test_a_real_node_counts(grown: Grown) -> None:
    """What an app does shows in the counters: a session, its key, puts, entries, requests."""
    _, before, _ = await scrape(grown)
    await grown.put(5)
    _, after, _ = await scrape(grown)

    def added(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert added("sealedger_sessions_opened_total{}") == 1
    assert added("sealedger_operations_total{kind=open_session,reason=OK}") == 1
    assert added("sealedger_operations_total{kind=acquire_key,reason=OK}") == 1
    assert added("sealedger_operations_total{kind=put,reason=OK}") == 5
    entries = [
        added(f"sealedger_entries_total{{kind={kind}}}") for kind in ("header", "transaction")
    ]
    assert added("sealedger_transactions_total{result=recorded}") == entries[1] == 7
    assert added("sealedger_blocks_total{}") == entries[0]
    assert added("sealedger_log_entries{}") == sum(entries)
    assert added("sealedger_block_commit_seconds_count{}") == entries[0]
    assert added("sealedger_certify_seconds_count{}") >= entries[0]
    assert added("sealedger_http_requests_total{route=/metrics,status=200}") == 1
    assert after["sealedger_key_service_started{}"] == after["sealedger_engine_alive{}"] == 1
    assert 0 <= after["sealedger_evidence_age_seconds{}"] < 600
    assert after["sealedger_collateral_left_seconds{}"] > 0
    assert after["sealedger_memory_bytes{kind=anonymous}"] > 10_000_000


@pytest.fixture
def ledger(tmp_path: Path) -> SmallLedger:
    """A ledger with an open session."""
    made = SmallLedger(tmp_path / "node")
    opened = made.open()
    made.open_session(opened)
    opened.close()
    return made


@pytest.fixture
def opened(ledger: SmallLedger) -> Iterator[OpenLedger]:
    """The same, open."""
    one = ledger.open()
    yield one
    one.close()


def run(
    application: MeteredApplication[object], opened: OpenLedger, *submissions: object
) -> Finalized:
    """One block through the port."""
    block = application.propose(submissions, opened.replica.head.time_ms + 1000)  # type: ignore[arg-type]  # a test's mix
    finalized = application.finalize(block)
    application.commit(finalized)
    application.publish(finalized)
    return finalized


def test_blocks_are_counted_by_result(ledger: SmallLedger, opened: OpenLedger) -> None:
    """Recorded, repeated, refused; kinds and reasons; bytes that are no operation."""
    metrics = NodeMetrics()
    application: MeteredApplication[object] = MeteredApplication(opened.replica, metrics)
    put = ledger.put("name", b"value")
    missing = (Read(COLLECTION, "nothing"), b"")
    mixed = ledger.transaction(missing, missing, (b"no operation", b""))
    run(application, opened, put, mixed)
    run(application, opened, put, ledger.transaction((b"no operation", b"")))
    samples = read(metrics)
    assert samples["sealedger_blocks_total{}"] == 1
    assert samples["sealedger_entries_total{kind=transaction}"] == 2
    assert samples["sealedger_entries_total{kind=header}"] == 1
    assert samples["sealedger_transactions_total{result=recorded}"] == 2
    assert samples["sealedger_transactions_total{result=repeated}"] == 1
    assert samples["sealedger_transactions_total{result=refused}"] == 1
    assert samples["sealedger_operations_total{kind=put,reason=OK}"] == 1
    assert samples["sealedger_operations_total{kind=read,reason=NOT_FOUND}"] == 2
    assert samples["sealedger_operations_total{kind=malformed,reason=MALFORMED}"] == 1
    assert samples["sealedger_block_finalize_seconds_count{}"] == 2
    assert samples["sealedger_block_commit_seconds_count{}"] == 1
    assert samples["sealedger_sessions_opened_total{}"] == 0


def test_refusals_are_counted_by_reason() -> None:
    """A refusal counts under its reason; those of evidence and keys as refused sessions too."""
    metrics = NodeMetrics()
    for reason in (Reason.OVERLOADED, Reason.NOT_ADMITTED, Reason.EVIDENCE_REFUSED):
        metrics.count_refusal(reason)
    samples = read(metrics)
    assert samples["sealedger_refusals_total{reason=OVERLOADED}"] == 1
    assert samples["sealedger_refusals_total{reason=NOT_ADMITTED}"] == 1
    assert samples["sealedger_sessions_refused_total{}"] == 2


def test_counting_is_cheap(ledger: SmallLedger, opened: OpenLedger) -> None:
    """Counting a block of 2,048 operations costs less than a microsecond for each."""
    reads = [(Read(COLLECTION, f"name/{number}"), b"") for number in range(50)]
    finalized = opened.replica.finalize(
        opened.replica.propose([ledger.transaction(*reads)], opened.replica.head.time_ms + 1)
    )
    (recorded,) = finalized.results
    assert isinstance(recorded, Recorded)
    block = replace(finalized, results=(recorded,) * 40)
    metrics = NodeMetrics()

    def once() -> float:
        began = time.perf_counter()
        metrics.count_block(block)
        return (time.perf_counter() - began) / (50 * 40)

    assert min(once() for _ in range(10)) < 1e-6
