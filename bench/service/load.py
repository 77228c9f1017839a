"""Many researches at once: how many per hour, and how much memory they take."""

import asyncio
import time
from statistics import median
from typing import Final
from uuid import uuid4

import psutil
from temporalio.common import TypedSearchAttributes

from bench.cancel.bare import BARE_QUEUE, QUEUED, BareResearch
from bench.cancel.plans import Plan
from bench.cancel.stack import Bench, wait_for_end
from bench.figures import Figure
from bench.service.calls import Call, alternate, require_success
from bench.temporary import start_research

_STARTED_AT_ONCE: Final = 20


async def throughput(bench: Bench, count: int) -> list[Figure]:
    """Run researches whose steps do nothing, ours and minimal workflows of the same activities."""

    async def ours() -> None:
        await wait_for_end(await start_research(bench.client, Plan.GO_THROUGH.request()))

    async def bare(attributes: TypedSearchAttributes | None = None) -> None:
        await wait_for_end(
            await bench.client.start_workflow(
                BareResearch.run,
                id=f"bare-{uuid4().hex}",
                task_queue=BARE_QUEUE,
                search_attributes=attributes,
            )
        )

    async def listed() -> None:
        await bare(QUEUED)

    alone_ms, bare_alone_ms = await alternate(max(5, count // 10), ours, bare)
    works: dict[str, Call] = {"bare": bare, "listed": listed, "ours": ours}
    seconds = dict.fromkeys(works, 0.0)
    # Forwards and backwards, because everything slows down a little as more is recorded.
    for name in (*works, *reversed(works)):
        began = time.perf_counter()
        await asyncio.gather(*(works[name]() for _ in range(count)))
        seconds[name] += (time.perf_counter() - began) / 2
    return [
        Figure("no-op research alone, median", "ms", median(alone_ms)),
        Figure("minimal workflow alone, median", "ms", median(bare_alone_ms)),
        Figure(f"{count} no-op researches at once", "s", seconds["ours"]),
        Figure(f"{count} minimal workflows at once", "s", seconds["bare"]),
        Figure("researches per hour", "", 3600 * count / seconds["ours"]),
        Figure(
            "researches per hour ÷ minimal workflows per hour",
            "x",
            seconds["bare"] / seconds["ours"],
            1.0,
            "min",
        ),
        Figure(
            "floor: minimal workflows with phases in lists ÷ minimal workflows per hour",
            "x",
            seconds["bare"] / seconds["listed"],
        ),
    ]


async def memory(bench: Bench, running: int) -> list[Figure]:
    """Measure worker and API while so many researches run."""
    for first in range(0, running, _STARTED_AT_ONCE):
        batch = range(first, min(first + _STARTED_AT_ONCE, running))
        await asyncio.gather(*(bench.stay(Plan.STAY_IN_DESIGN) for _ in batch))
    require_success(await bench.http.get("/agent/status"))
    require_success(await bench.http.get("/operations", params={"limit": 1000}))
    figures = [
        Figure(
            f"memory of the {name}, {running:,} researches running", "MiB", _rss_mib(bench, name)
        )
        for name in ("worker", "api")
    ]
    await bench.end_everything()
    return figures


def _rss_mib(bench: Bench, name: str) -> float:
    return float(psutil.Process(bench.stack.get_pid(name)).memory_info().rss) / 2**20
