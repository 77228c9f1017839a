"""What the API adds to a cancel, over the bare calls with the SDK."""

import time
from statistics import median

from temporalio.client import Client

from bench.cancel.plans import Plan
from bench.cancel.stack import Bench, bench_stack, cancel_all, wait_for_end
from bench.figures import Figure
from workflows.interface.contract import OPERATION_QUERY

_RUNNING = 10


async def measure(cancels: int) -> list[Figure]:
    """Cancel running researches alternately through the API and with the SDK."""
    ours, bare = [], []
    async with bench_stack(slots=_RUNNING) as bench:
        running = [await bench.stay(Plan.STAY_IN_DESIGN) for _ in range(_RUNNING)]
        for number in range(2 * cancels):
            victim = running.pop(0)
            began = time.perf_counter()
            if number % 2:
                await _bare(bench.client, victim.handle.id)
                bare.append(time.perf_counter() - began)
            else:
                await _ours(bench, victim.handle.id)
                ours.append(time.perf_counter() - began)
            await wait_for_end(victim.handle)
            running.append(await bench.stay(Plan.STAY_IN_DESIGN))
        await cancel_all(running)
    return [
        Figure("DELETE ?wait=0, round trip, median", "ms", 1000 * median(ours)),
        Figure("query + describe + cancel with the SDK, median", "ms", 1000 * median(bare)),
        Figure("DELETE ?wait=0 ÷ query + describe + cancel", "x", median(ours) / median(bare), 1.2),
    ]


async def _ours(bench: Bench, operation_id: str) -> None:
    answer = await bench.cancel(operation_id, wait=0)
    assert answer.is_success, answer.text


async def _bare(client: Client, operation_id: str) -> None:
    handle = client.get_workflow_handle(operation_id)
    await handle.query(OPERATION_QUERY)
    await handle.describe()
    await handle.cancel()
