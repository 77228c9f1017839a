"""64 slots on 8 worker processes, and 10,000 trials that wait as long as real ones compute."""

import contextlib
import random

from bench.figures import Figure
from bench.search.stack import measure_design, read_slices, running_stack
from bench.temporary import start_research
from workflows.interface.messages import ResearchRequest

_SLOTS = 8
_WORKERS = 8
_TRIALS = 10_000
_MOST_EVENTS = 12_000
_MOST_MIB = 2.0

# Processor time of the first trials of a search on 500,000 bars, by `bench.search.recording`.
# fmt: off
RECORDED_SECONDS = (
    1.12, 0.53, 0.54, 0.53, 0.55, 0.52, 0.55, 0.54, 0.53, 0.54,
    0.53, 2.65, 1.88, 2.91, 2.37, 2.11, 1.77, 2.38, 1.62, 0.96,
    2.18, 1.21, 1.65, 1.17, 1.49, 1.41, 1.59, 1.45, 1.94, 1.49,
    1.6, 1.27, 1.7, 1.87, 1.47, 1.35, 1.8, 1.59, 2.09, 1.8,
)
# fmt: on


async def measure() -> list[Figure]:
    """Measure."""
    seconds = list(RECORDED_SECONDS)
    random.Random(1).shuffle(seconds)
    worker = ("-m", "bench.search.standing", *map(str, seconds))
    async with running_stack(_SLOTS, worker=worker, bars=0) as running:
        with contextlib.ExitStack() as stack:
            for _ in range(_WORKERS - 1):
                stack.enter_context(running.further_worker())
            await running.wait_for_workers(_WORKERS)
            research = await start_research(running.client, ResearchRequest(trials=_TRIALS, seed=0))
            await research.result()
        took = await measure_design(research)
        computed = sum(each.seconds for each in await read_slices(research))
        described = await research.describe()
        info = described.raw_description.workflow_execution_info
    slots = _SLOTS * _WORKERS
    name = f"{_TRIALS:,} trials on {slots} slots"
    return [
        Figure(f"{name}: time", "s", took),
        Figure(f"{name}: efficiency", "", computed / (took * slots), 0.85, "min"),
        Figure(f"{name}: events", "", info.history_length, _MOST_EVENTS),
        Figure(f"{name}: history", "MiB", info.history_size_bytes / 2**20, _MOST_MIB),
    ]
