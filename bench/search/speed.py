"""100 trials on 500,000 bars: one slot, two slots, and a plain loop in one process."""

import json
import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bench.figures import Figure
from bench.scaling import SOURCE, find_best_plainly, write_bars
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
from quant.bars.loader import load_bars
from quant.messages.record.trials import Trial
from quant.processes import die_with_parent


async def measure() -> list[Figure]:
    """Measure."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=die_with_parent) as process:
        plain = process.submit(_time_plain_loop).result()
    one, _, trials_one = await _time_search(1)
    two, computed, trials_two = await _time_search(2)
    assert trials_one == trials_two
    name = f"{TRIALS} trials on {BARS:,} bars"
    return [
        Figure(f"{name}: plain loop", "s", plain),
        Figure(f"{name}: 1 slot", "s", one),
        Figure(f"{name}: 2 slots", "s", two),
        Figure(f"{name}: 2 slots ÷ 1 slot", "", two / one, 0.55),
        Figure(f"{name}: 2 slots ÷ plain loop", "", two / plain, 0.55),
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


def _time_plain_loop() -> float:
    with tempfile.TemporaryDirectory(prefix="ktrdr-bench-") as folder:
        write_bars(BARS, Path(folder))
        began = time.perf_counter()
        development, _ = load_bars(SOURCE, Path(folder)).split()
        find_best_plainly(development, TRIALS)
        return time.perf_counter() - began


if __name__ == "__main__":
    print(json.dumps(_time_plain_loop()))
