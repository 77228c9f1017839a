"""Small searches before and after they may use two processes, on the same machine."""

import asyncio
import json
import os
import statistics
import sys
from pathlib import Path

from bench.figures import Figure
from quant.processes import bind_to_parent

_REPEATS = 7
_TARGETS = {12: 1.05, 100: 0.75}
_ROOT = Path(__file__).resolve().parents[2]


async def measure(before: Path | None) -> list[Figure]:
    """Measure this checkout, and an earlier one if it is given."""
    after = await _time_researches(_ROOT)
    figures = [
        Figure(f"research of {trials} trials on 5,000 bars", "s", statistics.median(seconds))
        for trials, seconds in after.items()
    ]
    if before is None:
        return figures
    earlier = await _time_researches(before)
    again = await _time_researches(_ROOT)
    for trials, target in _TARGETS.items():
        ratio = statistics.median(after[trials] + again[trials]) / statistics.median(
            earlier[trials]
        )
        figures.append(
            Figure(f"research of {trials} trials on 5,000 bars: after ÷ before", "", ratio, target)
        )
    return figures


async def _time_researches(checkout: Path) -> dict[int, list[float]]:
    """Return how many seconds researches of a checkout take, by their trials."""
    process = await asyncio.create_subprocess_exec(
        *bind_to_parent(
            [
                sys.executable,
                "-P",
                str(Path(__file__).with_name("timing.py")),
                str(_REPEATS),
                *(str(trials) for trials in _TARGETS),
            ]
        ),
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0
    return {int(trials): seconds for trials, seconds in json.loads(output).items()}
