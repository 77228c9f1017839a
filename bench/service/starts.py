"""Starts of researches, through REST and with the SDK."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Final
from uuid import uuid4

import httpx2
from temporalio.common import TypedSearchAttributes

from api.operations.start import make_research_start
from bench.cancel.latency import p95
from bench.cancel.plans import Plan
from bench.cancel.stack import Bench
from bench.figures import Figure
from bench.ports import find_free_ports
from bench.processes import run_beside
from bench.service.calls import AT_ONCE, Call, alternate, require_success
from cli.service.keys import make_key
from workflows.interface.contract import WORKFLOW_NAME, OperationType
from workflows.policies import RESEARCH_QUEUE

_START_SECONDS: Final = 60.0
_SECONDS_BETWEEN_LOOKS: Final = 0.1


async def triggers(bench: Bench, count: int) -> list[Figure]:
    """Start researches that keep running, through REST and with the SDK."""
    request = Plan.STAY_IN_DESIGN.request()
    start = make_research_start(request)
    body = request.model_dump(mode="json")

    async def ours() -> None:
        require_success(await bench.http.post("/agent/trigger", json=body))

    async def keyed() -> None:
        headers = {"Idempotency-Key": make_key("/agent/trigger")}
        require_success(await bench.http.post("/agent/trigger", json=body, headers=headers))

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
            require_success(await bench.http.post(address, json=body))

        await _wait_until_it_answers(barest)
        times = await alternate(count, ours, keyed, bare, barest)
    ours_ms, keyed_ms, bare_ms, barest_ms = times
    began = time.perf_counter()
    limit = asyncio.Semaphore(AT_ONCE)

    async def limited() -> None:
        async with limit:
            await ours()

    await asyncio.gather(*(limited() for _ in range(count)))
    per_second = count / (time.perf_counter() - began)
    return [
        Figure(f"triggers accepted, {AT_ONCE} at once", "/s", per_second),
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
    with run_beside([sys.executable, "-m", "bench.service.barest", str(port)]):
        yield f"http://127.0.0.1:{port}"


async def _wait_until_it_answers(call: Call) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            with contextlib.suppress(httpx2.TransportError):
                await call()
                return
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
