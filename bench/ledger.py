"""How fast the ledger writes on both databases, and what a long record costs a new research."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import uuid4

from temporalio.client import Client

from bench.figures import Figure, publish
from bench.temporary import start_research, temporary_stack
from quant.messages.data import DataSource
from quant.messages.record.trials import Trial, TrialOnBars
from storage.ledger.ledger import Ledger
from storage.ledger.records import Experiment, Tokens
from storage.ledger.spending import ModelCall
from tests.support.outside.postgresql import postgresql_server
from workflows.interface.messages import ResearchRequest

WRITES = 400
WRITERS = 8
EXPERIMENTS = 1_000
TRIALS_EACH = 12
REPETITIONS = 15
TARGET = 1.1

_NOW = datetime.now(UTC)


def make_experiment(data_hash: str | None = None) -> Experiment:
    """Return the outcome of a research."""
    return Experiment(
        operation_id=uuid4().hex,
        status="completed",
        owner="bench",
        symbol=DataSource().symbol,
        timeframe=DataSource().timeframe,
        seed=1,
        data_hash=data_hash,
        strategy={"name": "bench", "features": [{"kind": "rsi", "period": 14}], "horizon": 5},
        metrics={"statistics": {"sharpe": 0.1, "deflated_sharpe": 0.5}},
        verdict="poor",
        started_at=_NOW,
        finished_at=_NOW,
    )


def make_trials(data_hash: str, count: int) -> list[TrialOnBars]:
    """Return trials that are all different."""
    return [
        TrialOnBars(
            data=DataSource(content_hash=data_hash),
            trial=Trial(
                number=number,
                fingerprint=uuid4().hex,
                sharpe=0.01,
                parameters={"horizon": number},
            ),
        )
        for number in range(count)
    ]


def count_per_second(write: Callable[[], None], writers: int) -> float:
    """Return the writes per second of so many concurrent writers."""
    began = time.perf_counter()
    with ThreadPoolExecutor(writers) as pool:
        for done in [pool.submit(write) for _ in range(WRITES)]:
            done.result()
    return WRITES / (time.perf_counter() - began)


def measure_writes(database: str, url: str) -> list[Figure]:
    """Measure what activities write, with one writer and with several."""
    ledger = Ledger(url, daily_budget=1e6)
    ledger.upgrade()

    def spend() -> None:
        call = ModelCall(uuid4().hex, "research", "bench", 0.01)
        ledger.spending.reserve(call, datetime.now(UTC), research_limit=None)
        ledger.spending.settle(call.call_id, 0.001, Tokens(input_tokens=1))

    writes: dict[str, Callable[[], None]] = {
        "experiments": lambda: ledger.experiments.record(make_experiment()),
        f"{TRIALS_EACH} trials of a research": lambda: ledger.trials.record(
            uuid4().hex, make_trials("bars", TRIALS_EACH)
        ),
        "reserved and settled calls": spend,
    }
    figures = [
        Figure(f"{database}, {writers} at once: {name}", "/s", count_per_second(write, writers))
        for name, write in writes.items()
        for writers in (1, WRITERS)
    ]
    ledger.close()
    return figures


def fill(url: str, data_hash: str) -> None:
    """Record a thousand researches with their trials."""
    ledger = Ledger(url)
    for _ in range(EXPERIMENTS):
        past = make_experiment(data_hash)
        ledger.experiments.record(past)
        ledger.trials.record(past.operation_id, make_trials(data_hash, TRIALS_EACH))
    ledger.close()


async def time_first_candidate(client: Client) -> tuple[float, str]:
    """Return after how many seconds a research has scored a candidate, and the hash of the bars."""
    handle = await start_research(client, ResearchRequest(trials=1, seed=1, memory=True))
    result = await handle.result()
    began = None
    async for event in handle.fetch_history_events():
        moment = event.event_time.ToDatetime()
        began = began or moment
        if event.HasField("activity_task_completed_event_attributes"):
            return (moment - began).total_seconds(), result.data_hash
    raise RuntimeError(f"{handle.id} has no design.")


async def measure_starts() -> list[Figure]:
    """Compare the start of a research with and without earlier ones, alternately."""
    async with temporary_stack() as (_, young), temporary_stack() as (settings, old):
        await time_first_candidate(young)
        _, data_hash = await time_first_candidate(old)
        await asyncio.to_thread(fill, settings.ledger_url, data_hash)
        without: list[float] = []
        with_past: list[float] = []
        for repetition in range(REPETITIONS):
            clients = [(young, without), (old, with_past)]
            for client, seconds in clients if repetition % 2 else reversed(clients):
                seconds.append((await time_first_candidate(client))[0])
    return [
        Figure("First candidate scored, nothing in the past", "s", median(without)),
        Figure(f"The same with {EXPERIMENTS:,} past experiments", "s", median(with_past)),
        Figure("Ratio", "", median(with_past) / median(without), TARGET),
    ]


async def main() -> None:
    """Measure and publish."""
    figures = await measure_starts()
    with tempfile.TemporaryDirectory(prefix="ktrdr-bench-") as folder:
        figures += measure_writes("SQLite", f"sqlite:///{Path(folder, 'ledger.db')}")
    with postgresql_server(durable=True) as url:
        figures += measure_writes("PostgreSQL", url)
    publish("ledger", figures)


if __name__ == "__main__":
    asyncio.run(main())
