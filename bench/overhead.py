"""What orchestration costs: a research through Temporal over the same computation called directly.

Both run in turn on the same machine, with all libraries loaded before, at the same priority, one
thread per numerical library, and the same model as the outcome. What orchestration adds does not
depend on how much is computed, so the ratio is measured for two sizes.
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

# Before the numerical libraries are loaded; compute processes have the same setting.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from temporalio.client import Client

from activities.compute_process import NICENESS
from activities.direct import conduct
from bench.figures import Figure, publish
from bench.temporary import start_research, temporary_stack
from quant.messages.data import DataSource
from storage.artifacts import ArtifactStore
from workflows.messages import ResearchRequest

REPETITIONS = 7
TRIALS = {"default research": 12, "research with 100 trials": 100}
SEED = 1
TARGET = 1.15


@dataclass(frozen=True)
class Run:
    """One research: how long it took, and the model that proves that it was the same one."""

    seconds: float
    model_sha256: str


def direct(trials: int) -> Run:
    """Compute a research in one process."""
    with tempfile.TemporaryDirectory(prefix="ktrdr-bench-") as home:
        began = time.perf_counter()
        research = conduct(
            DataSource(), trials=trials, seed=SEED, store=ArtifactStore(home), bypass_gates=True
        )
        return Run(time.perf_counter() - began, research.training.model_sha256)


async def orchestrated(client: Client, trials: int) -> Run:
    """Run the same research through Temporal."""
    began = time.perf_counter()
    # The direct computation has no gate that could spare it a step.
    request = ResearchRequest(trials=trials, seed=SEED, bypass_gates=True)
    result = await (await start_research(client, request)).result()
    return Run(time.perf_counter() - began, result.model_sha256)


async def main() -> None:
    """Measure and publish."""
    figures = []
    spawn = multiprocessing.get_context("spawn")
    async with temporary_stack() as (_, client):
        with ProcessPoolExecutor(1, spawn, initializer=os.nice, initargs=(NICENESS,)) as alone:
            # The first of each pays for what is loaded only once.
            await orchestrated(client, 1)
            alone.submit(direct, 1).result()
            for name, trials in TRIALS.items():
                pairs = [
                    (await orchestrated(client, trials), alone.submit(direct, trials).result())
                    for _ in range(REPETITIONS)
                ]
                figures += _compared(name, pairs)
    publish("overhead", figures)


def _compared(name: str, pairs: Sequence[tuple[Run, Run]]) -> list[Figure]:
    if any(through.model_sha256 != alone.model_sha256 for through, alone in pairs):
        sys.exit("The two computations have come to different models.")
    through = median(through.seconds for through, _ in pairs)
    alone = median(alone.seconds for _, alone in pairs)
    return [
        Figure(f"{name}: through Temporal", "s", through),
        Figure(f"{name}: called directly", "s", alone),
        Figure(f"{name}: added", "s", through - alone),
        Figure(f"{name}: ratio", "", through / alone, TARGET),
    ]


if __name__ == "__main__":
    asyncio.run(main())
