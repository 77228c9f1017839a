"""Reads of operations and of lists, with nothing or much on record."""

import asyncio
from datetime import timedelta
from statistics import median
from typing import Final
from uuid import uuid4

from temporalio.common import TypedSearchAttributes

from bench.cancel.latency import p95
from bench.cancel.plans import Plan
from bench.cancel.stack import Bench, cancel_all, wait_for_end
from bench.figures import Figure
from bench.service.calls import AT_ONCE, alternate, require_success
from bench.temporary import start_research
from workflows.interface import search_attributes
from workflows.interface.contract import (
    OPERATION,
    OPERATION_QUERY,
    WORKFLOW_NAME,
    OperationType,
)

PAGE_SIZE: Final = 50
_PAGE: Final = f"GET /operations?limit={PAGE_SIZE}"
_NOBODY: Final = "nobody"
# No worker serves their queue, so they end by this time limit.
_RECORDED_LIFETIME: Final = timedelta(seconds=1)


async def reads(bench: Bench, recorded: int, count: int) -> list[Figure]:
    """Read one running research again and again, with so many closed operations recorded."""
    research = await bench.stay(Plan.STAY_IN_DESIGN)
    handle = bench.client.get_workflow_handle(research.handle.id)

    async def one() -> None:
        require_success(await bench.http.get(f"/operations/{handle.id}"))

    async def bare_one() -> None:
        await asyncio.gather(handle.describe(), handle.query(OPERATION_QUERY))

    one_ms, bare_ms = await alternate(count, one, bare_one)
    await cancel_all([research])
    name = f"GET /operations/ID with {recorded:,} on record"
    return [
        Figure(f"{name}, median", "ms", median(one_ms)),
        Figure(f"{name}, p95", "ms", p95(one_ms)),
        Figure(f"{name} ÷ describe and query", "x", median(one_ms) / median(bare_ms), 1.2),
    ]


async def pages(bench: Bench, recorded: int, count: int) -> list[Figure]:
    """List the newest of them, with so many closed operations recorded."""

    async def page() -> None:
        require_success(await bench.http.get("/operations", params={"limit": PAGE_SIZE}))

    async def bare_page() -> None:
        await bench.client.list_workflows("", page_size=PAGE_SIZE).fetch_next_page()

    page_ms, bare_ms = await alternate(count, page, bare_page)
    name = f"{_PAGE} with {recorded:,} on record"
    return [
        Figure(f"{name}, median", "ms", median(page_ms)),
        Figure(f"{name}, p95", "ms", p95(page_ms)),
        Figure(f"{name} ÷ one page of list_workflows", "x", median(page_ms) / median(bare_ms)),
    ]


async def closed_reads(bench: Bench, count: int) -> list[Figure]:
    """Read operations that have ended, each for the first time."""

    async def end_one() -> str:
        handle = await start_research(bench.client, Plan.GO_THROUGH.request())
        await wait_for_end(handle)
        return handle.id

    ended = [await end_one() for _ in range(2 * count)]

    async def one() -> None:
        require_success(await bench.http.get(f"/operations/{ended.pop()}"))

    async def bare_one() -> None:
        handle = bench.client.get_workflow_handle(ended.pop())
        await asyncio.gather(handle.describe(), handle.query(OPERATION_QUERY))

    one_ms, bare_ms = await alternate(count, one, bare_one)
    name = "GET /operations/ID, ended, for the first time"
    return [
        Figure(f"{name}, median", "ms", median(one_ms)),
        Figure(f"{name} ÷ describe and query", "x", median(one_ms) / median(bare_ms), 1.2),
    ]


def measure_growth(figures: list[Figure]) -> Figure:
    """Return how much longer a list takes when much is on record."""
    before, after = (
        figure.value
        for figure in figures
        if figure.name.startswith(_PAGE) and figure.name.endswith("median")
    )
    return Figure(f"{_PAGE}: growth with the record", "x", after / before, 1.5)


async def record(bench: Bench, count: int) -> None:
    """Make so many closed operations. Each has left in Temporal what a research that fails does."""
    request = Plan.FAIL_IN_ASSESSMENT.request()
    failed = await start_research(bench.client, request)
    await wait_for_end(failed)
    left = await failed.describe()
    memo = await left.memo()
    attributes = TypedSearchAttributes(
        [pair for pair in left.typed_search_attributes if pair.key in search_attributes.ALL]
    )
    limit = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        operation_id = f"bench-{uuid4().hex}"
        kept = {**memo[OPERATION], "operation_id": operation_id}
        async with limit:
            await bench.client.start_workflow(
                WORKFLOW_NAME[OperationType.RESEARCH],
                request,
                id=operation_id,
                task_queue=_NOBODY,
                run_timeout=_RECORDED_LIFETIME,
                memo={**memo, OPERATION: kept},
                search_attributes=attributes,
            )

    await asyncio.gather(*(one() for _ in range(count)))
    await bench.wait_until_nothing_runs()
