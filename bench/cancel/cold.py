"""Cancels right after the start of a stack, while the first compute process is being started."""

import asyncio
import time

from bench.cancel.stack import REAL, bench_stack
from bench.figures import Figure

_SECONDS_TO_THE_CANCEL = 1.0
_REQUEST = {"trials": 10_000, "seed": 1}


async def measure(starts: int) -> list[Figure]:
    """Start a stack so many times. Each time start a research and cancel it a second later."""
    took = [await _cancel_on_a_cold_stack() for _ in range(starts)]
    name = f"stack started, research triggered, {_SECONDS_TO_THE_CANCEL:g} s later DELETE → answer"
    return [Figure(f"{name}, worst of {starts}", "ms", max(took), 300)]


async def _cancel_on_a_cold_stack() -> float:
    """Return the milliseconds that the DELETE takes."""
    async with bench_stack(slots=2, worker=REAL) as bench:
        triggered = await bench.http.post("/agent/trigger", json=_REQUEST)
        operation_id = triggered.raise_for_status().json()["operation_id"]
        await asyncio.sleep(_SECONDS_TO_THE_CANCEL)
        began = time.perf_counter()
        answer = await bench.cancel(operation_id)
        took = 1000 * (time.perf_counter() - began)
        assert answer.json()["status"] == "cancelled", answer.text
        return took
