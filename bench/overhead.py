"""What orchestration costs: a research through Temporal against the same research in one process.

Both run alternately on the same machine, with libraries loaded beforehand, at the same priority and
with one thread for each numerical library. Both must find the same model. Orchestration adds the
same time whatever the amount of computation, so the ratio is measured for two sizes.

The floor are bare workflows that have the same steps computed by the same processes.
"""

import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Final
from uuid import uuid4

# Before the numerical libraries are loaded; compute processes have the same setting.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from temporalio.client import Client

from activities.inline_research import run_inline
from bench.cancel.bare import BARE_QUEUE, BareResearch
from bench.figures import Figure, publish
from bench.temporary import start_research, temporary_stack
from quant.messages.data import DataSource
from quant.processes import NICENESS, die_with_parent
from storage.artifacts import ArtifactStore
from workflows.interface.messages import ResearchRequest

REPETITIONS = 7
TRIALS = {"default research": 12, "research with 100 trials": 100}
SEED = 1
TARGET = 1.15

_WORKER: Final = ("-m", "bench.bare_worker")


@dataclass(frozen=True)
class Run:
    """One research: how long it took, and the hash of its model."""

    seconds: float
    model_sha256: str


def run_directly(trials: int) -> Run:
    """Compute a research in one process."""
    with tempfile.TemporaryDirectory(prefix="ktrdr-bench-") as home:
        began = time.perf_counter()
        research = run_inline(
            DataSource(), trials=trials, seed=SEED, store=ArtifactStore(home), bypass_gates=True
        )
        return Run(time.perf_counter() - began, research.training.model_sha256)


async def run_through_temporal(client: Client, trials: int) -> Run:
    """Run the same research through Temporal."""
    began = time.perf_counter()
    # Without gates, as in the other process: a gate would save a step.
    request = ResearchRequest(trials=trials, seed=SEED, bypass_gates=True)
    result = await (await start_research(client, request)).result()
    return Run(time.perf_counter() - began, result.model_sha256)


async def run_bare(client: Client, trials: int) -> float:
    """Run the same steps by bare workflows. Return the seconds."""
    began = time.perf_counter()
    await client.execute_workflow(
        BareResearch.run, args=[trials, SEED], id=f"bare-{uuid4().hex}", task_queue=BARE_QUEUE
    )
    return time.perf_counter() - began


def _begin() -> None:
    """Be what a compute process is."""
    os.nice(NICENESS)
    die_with_parent()


async def main() -> None:
    """Measure and publish."""
    figures = []
    spawn = multiprocessing.get_context("spawn")
    async with temporary_stack(worker=_WORKER) as (_, client):
        with ProcessPoolExecutor(1, spawn, initializer=_begin) as direct:
            # The first run of each pays for what is loaded only once.
            await run_through_temporal(client, 1)
            await run_bare(client, 1)
            direct.submit(run_directly, 1).result()
            for name, trials in TRIALS.items():
                rounds = [
                    (
                        await run_through_temporal(client, trials),
                        direct.submit(run_directly, trials).result(),
                        await run_bare(client, trials),
                    )
                    for _ in range(REPETITIONS)
                ]
                figures += _compare(name, rounds)
    publish("overhead", figures)


def _compare(name: str, rounds: Sequence[tuple[Run, Run, float]]) -> list[Figure]:
    if any(through.model_sha256 != direct.model_sha256 for through, direct, _ in rounds):
        sys.exit("The two computations have come to different models.")
    through = median(through.seconds for through, _, _ in rounds)
    direct = median(direct.seconds for _, direct, _ in rounds)
    bare = median(seconds for _, _, seconds in rounds)
    return [
        Figure(f"{name}: through Temporal", "s", through),
        Figure(f"{name}: called directly", "s", direct),
        Figure(f"{name}: added", "s", through - direct),
        Figure(f"{name}: ratio", "", through / direct, TARGET),
        Figure(f"{name}: floor, by bare workflows", "s", bare),
        Figure(f"{name}: floor of what is added", "s", bare - direct),
    ]


if __name__ == "__main__":
    asyncio.run(main())
