"""`python -m bench.service`: the operations service against bare calls with the SDK.

Every ratio is taken within one run, between calls that alternate.
"""

import argparse
import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from statistics import median
from typing import Final
from uuid import uuid4

import httpx2
import psutil
from temporalio.common import TypedSearchAttributes

from api.operations.start import make_research_start
from bench.cancel.bare import BARE_QUEUE, BareResearch
from bench.cancel.latency import p95
from bench.cancel.plans import Plan
from bench.cancel.stack import Bench, bench_stack, wait_for_end
from bench.figures import Figure, publish
from bench.ports import find_free_ports
from bench.temporary import start_research
from cli.service.keys import make_key
from workflows.interface.contract import OPERATION_QUERY, WORKFLOW_NAME, OperationType
from workflows.policies import RESEARCH_QUEUE

_AT_ONCE = 32
_MEMORY_SLOTS = 1_000
_NOBODY = "nobody"
# No worker serves their queue, so they end by this time limit.
_RECORDED_LIFETIME = timedelta(seconds=1)
_STARTED_AT_ONCE = 20
_START_SECONDS = 60.0
_SECONDS_BETWEEN_LOOKS = 0.1

Call = Callable[[], Awaitable[object]]


async def main(parts: Sequence[str], *, quick: bool) -> None:
    """Measure these parts, and publish."""
    figures: list[Figure] = []
    for part in parts:
        figures += await _PARTS[part](quick)
    publish("service", figures)


async def _measure_requests(quick: bool) -> list[Figure]:
    """Starts and reads, with nothing else on record."""
    async with bench_stack(slots=_AT_ONCE) as bench:
        figures = await triggers(bench, 20 if quick else 200)
        await bench.end_everything()
        figures += await reads(bench, 0, 20 if quick else 200)
        return figures + await closed_reads(bench, 10 if quick else 50)


async def _measure_record(quick: bool) -> list[Figure]:
    """The same reads, and lists, with many closed operations on record."""
    count, recorded = (20, 200) if quick else (200, 10_000)
    async with bench_stack(slots=_AT_ONCE) as bench:
        figures = await pages(bench, 0, count)
        await record(bench, recorded)
        figures += await reads(bench, recorded, count) + await pages(bench, recorded, count)
    return [*figures, _growth(figures)]


async def _measure_throughput(quick: bool) -> list[Figure]:
    async with bench_stack(slots=_AT_ONCE) as bench:
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


async def triggers(bench: Bench, count: int) -> list[Figure]:
    """Start researches that keep running, through REST and with the SDK."""
    request = Plan.STAY_IN_DESIGN.request()
    start = make_research_start(request)
    body = request.model_dump(mode="json")

    async def ours() -> None:
        _success(await bench.http.post("/agent/trigger", json=body))

    async def keyed() -> None:
        headers = {"Idempotency-Key": make_key("/agent/trigger")}
        _success(await bench.http.post("/agent/trigger", json=body, headers=headers))

    async def bare() -> None:
        await bench.client.start_workflow(
            WORKFLOW_NAME[OperationType.RESEARCH],
            start.argument,
            id=f"bench-{uuid4().hex}",
            task_queue=RESEARCH_QUEUE,
            search_attributes=TypedSearchAttributes(start.attributes),
        )

    with _barest_server() as address:

        async def barest() -> None:
            _success(await bench.http.post(address, json=body))

        await _wait_until_it_answers(barest)
        times = await _alternating(count, ours, keyed, bare, barest)
    ours_ms, keyed_ms, bare_ms, barest_ms = times
    began = time.perf_counter()
    limit = asyncio.Semaphore(_AT_ONCE)

    async def limited() -> None:
        async with limit:
            await ours()

    await asyncio.gather(*(limited() for _ in range(count)))
    per_second = count / (time.perf_counter() - began)
    return [
        Figure(f"triggers accepted, {_AT_ONCE} at once", "/s", per_second),
        Figure("POST /agent/trigger, median", "ms", median(ours_ms)),
        Figure("POST /agent/trigger, p95", "ms", p95(ours_ms)),
        Figure("start_workflow with the SDK, median", "ms", median(bare_ms)),
        Figure("POST /agent/trigger ÷ start_workflow", "x", median(ours_ms) / median(bare_ms), 1.3),
        Figure(
            "with an Idempotency-Key ÷ start_workflow",
            "x",
            median(keyed_ms) / median(bare_ms),
            1.5,
        ),
        Figure(
            "floor: the barest HTTP server ÷ start_workflow",
            "x",
            median(barest_ms) / median(bare_ms),
        ),
    ]


@contextlib.contextmanager
def _barest_server() -> Iterator[str]:
    """Run a server that only starts researches, and yield its address."""
    [port] = find_free_ports(1)
    command = [sys.executable, "-m", "bench.barest", str(port)]
    with subprocess.Popen(command) as server:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


async def _wait_until_it_answers(call: Call) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            with contextlib.suppress(httpx2.TransportError):
                await call()
                return
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


async def reads(bench: Bench, recorded: int, count: int) -> list[Figure]:
    """Read one running research again and again, with so many closed operations recorded."""
    research = await bench.stay(Plan.STAY_IN_DESIGN)
    handle = bench.client.get_workflow_handle(research.handle.id)

    async def one() -> None:
        _success(await bench.http.get(f"/operations/{handle.id}"))

    async def bare_one() -> None:
        await asyncio.gather(handle.describe(), handle.query(OPERATION_QUERY))

    one_ms, bare_ms = await _alternating(count, one, bare_one)
    await bench.cancel_all([research])
    name = f"GET /operations/ID with {recorded:,} on record"
    return [
        Figure(f"{name}, median", "ms", median(one_ms)),
        Figure(f"{name}, p95", "ms", p95(one_ms)),
        Figure(f"{name} ÷ describe and query", "x", median(one_ms) / median(bare_ms), 1.2),
    ]


async def pages(bench: Bench, recorded: int, count: int) -> list[Figure]:
    """List the newest fifty, with so many closed operations recorded."""

    async def page() -> None:
        _success(await bench.http.get("/operations", params={"limit": 50}))

    async def bare_page() -> None:
        await bench.client.list_workflows("", page_size=50).fetch_next_page()

    page_ms, bare_ms = await _alternating(count, page, bare_page)
    name = f"{_PAGE} with {recorded:,} on record"
    return [
        Figure(f"{name}, median", "ms", median(page_ms)),
        Figure(f"{name}, p95", "ms", p95(page_ms)),
        Figure(f"{name} ÷ one page of list_workflows", "x", median(page_ms) / median(bare_ms)),
    ]


_PAGE = "GET /operations?limit=50"


async def closed_reads(bench: Bench, count: int) -> list[Figure]:
    """Read operations that have ended, each for the first time."""

    async def end_one() -> str:
        handle = await start_research(bench.client, Plan.GO_THROUGH.request())
        await wait_for_end(handle)
        return handle.id

    ended = [await end_one() for _ in range(2 * count)]

    async def one() -> None:
        _success(await bench.http.get(f"/operations/{ended.pop()}"))

    async def bare_one() -> None:
        handle = bench.client.get_workflow_handle(ended.pop())
        await asyncio.gather(handle.describe(), handle.query(OPERATION_QUERY))

    one_ms, bare_ms = await _alternating(count, one, bare_one)
    name = "GET /operations/ID, ended, for the first time"
    return [
        Figure(f"{name}, median", "ms", median(one_ms)),
        Figure(f"{name} ÷ describe and query", "x", median(one_ms) / median(bare_ms), 1.2),
    ]


def _growth(figures: list[Figure]) -> Figure:
    before, after = (
        figure.value
        for figure in figures
        if figure.name.startswith(_PAGE) and figure.name.endswith("median")
    )
    return Figure(f"{_PAGE}: growth with the record", "x", after / before, 1.5)


async def record(bench: Bench, count: int) -> None:
    """Make so many closed operations."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one() -> None:
        async with limit:
            await bench.client.start_workflow(
                WORKFLOW_NAME[OperationType.RESEARCH],
                Plan.GO_THROUGH.request(),
                id=f"bench-{uuid4().hex}",
                task_queue=_NOBODY,
                run_timeout=_RECORDED_LIFETIME,
            )

    await asyncio.gather(*(one() for _ in range(count)))
    await bench.wait_until_nothing_runs()


async def throughput(bench: Bench, count: int) -> list[Figure]:
    """Run researches whose steps do nothing, ours and a minimal workflow of the same activities."""

    async def ours() -> None:
        await wait_for_end(await start_research(bench.client, Plan.GO_THROUGH.request()))

    async def bare() -> None:
        workflow_id = f"bare-{uuid4().hex}"
        await wait_for_end(
            await bench.client.start_workflow(
                BareResearch.run, id=workflow_id, task_queue=BARE_QUEUE
            )
        )

    alone_ms, bare_alone_ms = await _alternating(max(5, count // 10), ours, bare)
    seconds = {"bare": 0.0, "ours": 0.0}
    # Forwards and backwards, because everything slows down a little as more is recorded.
    for name, work in (("bare", bare), ("ours", ours), ("ours", ours), ("bare", bare)):
        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(count)))
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
            0.9,
            "min",
        ),
    ]


async def memory(bench: Bench, running: int) -> list[Figure]:
    """Measure worker and API while so many researches run."""
    for first in range(0, running, _STARTED_AT_ONCE):
        batch = range(first, min(first + _STARTED_AT_ONCE, running))
        await asyncio.gather(*(bench.stay(Plan.STAY_IN_DESIGN) for _ in batch))
    _success(await bench.http.get("/agent/status"))
    _success(await bench.http.get("/operations", params={"limit": 1000}))
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


async def _alternating(count: int, *calls: Call) -> list[list[float]]:
    """Make these calls alternately, and return the milliseconds of each kind."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(count):
        for call, milliseconds in zip(calls, times, strict=True):
            began = time.perf_counter()
            await call()
            milliseconds.append(1000 * (time.perf_counter() - began))
    return times


def _success(answer: httpx2.Response) -> None:
    assert answer.is_success, answer.text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.service", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions, to see that it runs")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(_PARTS)}; or all")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(_PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    asyncio.run(main(given.parts or list(_PARTS), quick=given.quick))
