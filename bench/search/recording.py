"""`python -m bench.search.recording`: how long the trials of a search compute on one core.

It prints what `bench.search.scale` plays back. Processor time counts, so other work on the machine
changes little.
"""

import tempfile
import time
from pathlib import Path

from bench.scaling import SOURCE, write_bars
from bench.search.stack import BARS, LARGE, TRIALS
from quant.bars.loader import load_bars
from quant.messages.progress import ignore_report
from quant.messages.record.trials import Trial
from quant.search.search import search


def record() -> list[float]:
    """Return the processor seconds of each trial, proposals included."""
    with tempfile.TemporaryDirectory(prefix="ktrdr-bench-") as folder:
        write_bars(BARS, Path(folder))
        development, _ = load_bars(SOURCE, Path(folder)).split()
    seconds: list[float] = []
    last = time.process_time()

    def note(_: Trial) -> None:
        nonlocal last
        now = time.process_time()
        seconds.append(round(now - last, 2))
        last = now

    search(development, TRIALS, LARGE.seed or 0, ignore_report, on_trial=note)
    return seconds


if __name__ == "__main__":
    print(record())
