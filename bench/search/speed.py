"""100 trials on 500,000 bars: one slot, two slots, and a plain loop in one process.

The plain loop proposes one candidate after the other. So it finds others than a search in rounds,
with fewer and smaller models. A plain loop over the same candidates is measured, too.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from bench.figures import Figure
from bench.scaling import SOURCE, find_best_plainly, score_plainly, write_bars
from bench.search.stack import (
    BARS,
    LARGE,
    TRIALS,
    finish_design,
    measure_design,
    read_slices,
    read_trials,
    running_stack,
)
from bench.temporary import start_research
from quant.bars.bars import Bars
from quant.bars.loader import load_bars
from quant.messages.record.trials import Trial
from quant.processes import die_with_parent


async def measure() -> list[Figure]:
    """Measure."""
    plain = _time_alone(partial(find_best_plainly, trials=TRIALS))
    one, _, trials_one = await _time_search(1)
    two, computed, trials_two = await _time_search(2)
    assert trials_one == trials_two
    same = _time_alone(partial(score_plainly, parameters=[each.parameters for each in trials_one]))
    name = f"{TRIALS} trials on {BARS:,} bars"
    return [
        Figure(f"{name}: plain loop", "s", plain),
        Figure(f"{name}: 1 slot", "s", one),
        Figure(f"{name}: 2 slots", "s", two),
        Figure(f"{name}: 2 slots ÷ 1 slot", "", two / one, 0.55),
        Figure(f"{name}: 2 slots ÷ plain loop", "", two / plain, 0.55),
        Figure(f"{name}: plain loop over the same candidates", "s", same),
        Figure(f"{name}: 2 slots ÷ plain loop over the same candidates", "", two / same, 0.55),
        Figure(f"{name}: wall times slots ÷ sum of compute", "", 2 * two / computed, 1.10),
    ]


async def _time_search(slots: int) -> tuple[float, float, list[Trial]]:
    """Return the seconds of a search, the sum of what its slices computed, and its trials."""
    async with running_stack(slots) as running:
        research = await start_research(running.client, LARGE)
        await finish_design(research)
        seconds = await measure_design(research)
        computed = sum(each.seconds for each in await read_slices(research))
        return seconds, computed, read_trials(running.settings, research.id)


def _time_alone(work: Callable[[Bars], object]) -> float:
    """Return the seconds that work on the development bars takes in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=die_with_parent) as process:
        return process.submit(_time, work).result()


def _time(work: Callable[[Bars], object]) -> float:
    with tempfile.TemporaryDirectory(prefix="ktrdr-bench-") as folder:
        write_bars(BARS, Path(folder))
        began = time.perf_counter()
        development, _ = load_bars(SOURCE, Path(folder)).split()
        work(development)
        return time.perf_counter() - began
