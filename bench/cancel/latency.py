"""From the DELETE to the death of the compute process, and to Temporal saying closed."""

import asyncio
import os
import statistics
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bench.cancel.barest_workflows import BarestParent, BarestStep
from bench.cancel.deaths import Deaths
from bench.cancel.floor import barest_steps
from bench.cancel.plans import Plan
from bench.cancel.stack import (
    REAL,
    Bench,
    RunningResearch,
    bench_stack,
    cancel_all,
    wait_for_end,
)
from bench.figures import Figure
from workflows.interface.messages import ResearchRequest

RUNNING = 10
MANY_RUNNING = (10, 100, 1_000)

OWN_STEPS = (Plan.STAY_IN_DESIGN, Plan.STAY_IN_ASSESSMENT)
CHILD_STEPS = (Plan.STAY_IN_TRAINING, Plan.STAY_IN_BACKTEST)

_REAL_TRAINING = ResearchRequest(strategy="endless", seed=1)
_ENDLESS = """\
name: endless
features:
  - {kind: return, period: 5}
  - {kind: rsi, period: 14}
model: {num_iterations: 20000, num_leaves: 255, min_data_in_leaf: 5}
"""

_LONGEST_WAIT_SECONDS = 30

# More would wait for each other.
_STARTED_AT_ONCE = 20

# Until then the start of one and the end of another still take processor time.
_SECONDS_UNTIL_IDLE = 0.3

Begin = Callable[[], Awaitable[RunningResearch]]
Cancel = Callable[[RunningResearch], Awaitable[None]]


@dataclass(frozen=True)
class Sample:
    """One cancel, in milliseconds from just before it is sent."""

    dead: float
    closed: float


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


async def measure(
    cancel: Cancel, begins: Sequence[Begin], cancels: int, rest: float = 0.0
) -> list[Sample]:
    """Start all, then cancel one after another, and replace each by a similar one.

    Args:
        cancel: Requests the cancel.
        begins: Each starts one.
        cancels: How many to cancel.
        rest: Seconds between the start of one and the next cancel.
    """
    running: deque[tuple[Begin, RunningResearch]] = deque()
    for first in range(0, len(begins), _STARTED_AT_ONCE):
        batch = begins[first : first + _STARTED_AT_ONCE]
        started = await asyncio.gather(*(begin() for begin in batch))
        running.extend(zip(batch, started, strict=True))
    samples = []
    with Deaths(research.pid for _, research in running) as deaths:
        for _ in range(cancels):
            begin, victim = running.popleft()
            await asyncio.sleep(rest)
            samples.append(await _time(cancel, deaths, victim))
            replacement = await begin()
            deaths.watch(replacement.pid)
            running.append((begin, replacement))
    await cancel_all([research for _, research in running])
    return samples


async def _time(cancel: Cancel, deaths: Deaths, victim: RunningResearch) -> Sample:
    closing = asyncio.create_task(wait_for_end(victim.handle))
    dying = asyncio.get_running_loop().run_in_executor(None, deaths.wait_for_next)
    began = time.perf_counter()
    await cancel(victim)
    dead, died_at = await dying
    closed_at = await closing
    assert dead == {victim.pid}, f"{dead} died instead of {victim.pid}"
    return Sample(1000 * (died_at - began), 1000 * (closed_at - began))


def _by_delete(bench: Bench) -> Cancel:
    async def cancel(victim: RunningResearch) -> None:
        answer = await bench.cancel(victim.handle.id, wait=_LONGEST_WAIT_SECONDS)
        assert answer.is_success and answer.json()["status"] == "cancelled", answer.text

    return cancel


async def _by_sdk(victim: RunningResearch) -> None:
    await victim.handle.cancel()


def _stays(bench: Bench, plans: Sequence[Plan], running: int) -> list[Begin]:
    def begin(plan: Plan) -> Begin:
        return lambda: bench.stay(plan)

    return [begin(plans[number % len(plans)]) for number in range(running)]


async def pushed(cancels: int) -> list[Figure]:
    """Measure with stand-ins on a server that pushes."""
    async with bench_stack(slots=RUNNING) as bench:
        own, child, own_rested, child_rested = [
            await measure(_by_delete(bench), _stays(bench, plans, RUNNING), cancels, rest)
            for rest in (0.0, _SECONDS_UNTIL_IDLE)
            for plans in (OWN_STEPS, CHILD_STEPS)
        ]
        async with barest_steps(bench.settings, slots=RUNNING + 1) as begin:
            barest_own, barest_child = [
                await measure(_by_sdk, [partial(begin, workflow)] * RUNNING, cancels)
                for workflow in (BarestStep, BarestParent)
            ]
    return [
        *_dead("DELETE → process dead, design or assessment (idle job)", own, 25, 80),
        *_dead("DELETE → process dead, training or backtest (idle job)", child, 35, 120),
        *_dead("the same, design or assessment, long after the last start", own_rested, 25, 80),
        *_dead("the same, training or backtest, long after the last start", child_rested, 35, 120),
        *_dead("floor: cancel → dead, bare SDK, own activity", barest_own),
        *_dead("floor: the same, of a child workflow", barest_child),
        Figure(
            "DELETE → Temporal says closed, design or assessment, median",
            "ms",
            median([sample.closed for sample in own]),
            150,
        ),
        Figure(
            "DELETE → Temporal says closed, training or backtest, median",
            "ms",
            median([sample.closed for sample in child]),
            150,
        ),
    ]


async def computing(cancels: int) -> list[Figure]:
    """Measure with real computation on every core: as many jobs as a worker takes, and more.

    A search that computes for so long is cut into slices, whose deaths `bench.search` measures.
    """
    figures = []
    for slots in (os.cpu_count() or 1, RUNNING):
        async with bench_stack(slots=slots, worker=REAL) as bench:
            bench.settings.strategy_dir.mkdir(parents=True, exist_ok=True)
            (bench.settings.strategy_dir / "endless.yaml").write_text(_ENDLESS)
            begins = [partial(bench.compute, _REAL_TRAINING)] * slots
            samples = await measure(_by_delete(bench), begins, cancels)
            name = f"DELETE → process dead, training ({slots} computing)"
            figures += _dead(name, samples, 70 if slots == RUNNING else 45, 120)
    return figures


async def not_pushed(cancels: int) -> list[Figure]:
    """Measure on a server that cannot push: the answer to a heartbeat carries the cancel."""
    async with bench_stack(slots=RUNNING, push=False) as bench:
        plans = (*OWN_STEPS, *CHILD_STEPS)
        samples = await measure(_by_delete(bench), _stays(bench, plans, RUNNING), cancels)
    dead = [sample.dead for sample in samples]
    return [
        Figure("without push: DELETE → process dead, median", "ms", median(dead)),
        Figure("without push: DELETE → process dead, maximum", "ms", max(dead), 1200),
    ]


async def growing(numbers: Sequence[int], cancels: int) -> list[Figure]:
    """Measure with few and with many researches running."""
    figures = []
    medians = []
    async with bench_stack(slots=numbers[-1]) as bench:
        for number in numbers:
            samples = await measure(_by_delete(bench), _stays(bench, OWN_STEPS, number), cancels)
            dead = [sample.dead for sample in samples]
            medians.append(median(dead))
            figures += _dead(f"{number:,} running (idle jobs): DELETE → process dead", samples)
    growth = medians[-1] / medians[0]
    name = f"growth of the median from {numbers[0]} to {numbers[-1]:,} running"
    return [*figures, Figure(name, "x", growth, 2.0)]


def _dead(
    name: str,
    samples: Sequence[Sample],
    most_median: float | None = None,
    most_p95: float | None = None,
) -> list[Figure]:
    dead = [sample.dead for sample in samples]
    return [
        Figure(f"{name}, median", "ms", median(dead), most_median),
        Figure(f"{name}, p95", "ms", p95(dead), most_p95),
    ]
