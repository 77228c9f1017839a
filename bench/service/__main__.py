"""`python -m bench.service`: the operations service against bare calls with the SDK.

Every ratio is taken within one run, between calls that alternate.
"""

import argparse
import asyncio
from collections.abc import Sequence
from typing import Final

from bench.cancel.stack import bench_stack
from bench.figures import Figure, publish
from bench.service.calls import AT_ONCE
from bench.service.load import memory, throughput
from bench.service.reads import PAGE_SIZE, closed_reads, measure_growth, pages, reads, record
from bench.service.starts import triggers

_MEMORY_SLOTS: Final = 1_000


async def main(parts: Sequence[str], *, quick: bool) -> None:
    """Measure these parts, and publish."""
    figures: list[Figure] = []
    for part in parts:
        figures += await _PARTS[part](quick)
    publish("service", figures)


async def _measure_requests(quick: bool) -> list[Figure]:
    """Starts and reads, with nothing else on record."""
    async with bench_stack(slots=AT_ONCE) as bench:
        figures = await triggers(bench, 20 if quick else 200)
        await bench.end_everything()
        figures += await reads(bench, 0, 20 if quick else 200)
        return figures + await closed_reads(bench, 10 if quick else 50)


async def _measure_record(quick: bool) -> list[Figure]:
    """The same reads, and lists, with many closed operations on record."""
    count, recorded = (20, 200) if quick else (200, 10_000)
    async with bench_stack(slots=AT_ONCE) as bench:
        # Both lists have a full page.
        await record(bench, PAGE_SIZE)
        figures = await pages(bench, PAGE_SIZE, count)
        await record(bench, recorded - PAGE_SIZE)
        figures += await reads(bench, recorded, count) + await pages(bench, recorded, count)
    return [*figures, measure_growth(figures)]


async def _measure_throughput(quick: bool) -> list[Figure]:
    async with bench_stack(slots=AT_ONCE) as bench:
        return await throughput(bench, 20 if quick else 200)


async def _measure_memory(quick: bool) -> list[Figure]:
    running = 50 if quick else _MEMORY_SLOTS
    async with bench_stack(slots=running) as bench:
        return await memory(bench, running)


_PARTS: Final = {
    "requests": _measure_requests,
    "record": _measure_record,
    "throughput": _measure_throughput,
    "memory": _measure_memory,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.service", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions, to see that it runs")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(_PARTS)}; or all")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(_PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    asyncio.run(main(given.parts or list(_PARTS), quick=given.quick))
