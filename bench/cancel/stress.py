"""Thousands of short researches, each cancelled at a random moment: is any cancel lost?"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from statistics import median
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus

from bench.cancel.bare import BARE_QUEUE, BareResearch
from bench.cancel.plans import Plan
from bench.cancel.stack import Bench, bench_stack, wait_for_end
from bench.figures import Figure
from bench.temporary import start_research
from storage.ledger.ledger import Ledger
from workflows.interface.contract import OperationStatus

_AT_ONCE = 16
_UNDISTURBED = 32
# Some moments lie after the end, so that every moment before it is hit.
_LATEST = 1.2
_SEED = 1

Attempt = Callable[[float], Awaitable[str]]


@dataclass(frozen=True)
class Stress:
    """The outcomes of the cancels, counted as `answer -> end`."""

    outcomes: Counter[str]

    def lost(self) -> int:
        """Count accepted cancels after which the research did not end as cancelled."""
        return self._ended("200", lambda end: end != "canceled")

    def refused_wrongly(self) -> int:
        """Count cancels that were refused although the research had not ended by itself."""
        return self._ended("409", lambda end: end not in ("completed", "failed"))

    def accepted(self) -> int:
        """Count the cancels that were accepted."""
        return self._ended("200", lambda _: True)

    def unanswered(self) -> int:
        """Count cancels that Temporal was too busy to answer. They may have been accepted."""
        return self._ended("503", lambda _: True)

    def unexpected(self) -> int:
        """Count all other answers, and records in the ledger that contradict Temporal."""
        return self.outcomes.total() - self.accepted() - self._ended("409", lambda _: True)

    def _ended(self, answer: str, matches: Callable[[str], bool]) -> int:
        return sum(
            count
            for outcome, count in self.outcomes.items()
            if outcome.split(" -> ")[0] == answer and matches(outcome.split(" -> ")[1])
        )


async def measure(researches: int) -> list[Figure]:
    """Measure our research, and the same steps without a guard, in one run."""
    async with bench_stack(slots=4 * _AT_ONCE) as bench:
        ours = await guarded(bench, researches)
        bare = await unguarded(bench, researches)
    name = f"{researches:,} cancelled at a random moment"
    return [
        Figure(f"{name}: answered 200", "", ours.accepted()),
        Figure(f"{name}: answered 200 but ended otherwise", "", ours.lost(), 0),
        Figure(f"{name}: answered 409 but not ended by itself", "", ours.refused_wrongly(), 0),
        Figure(f"{name}: other answers, or the ledger differs", "", ours.unexpected(), 0),
        Figure("bare SDK workflow: cancels accepted", "", bare.accepted()),
        Figure("bare SDK workflow: accepted but ended otherwise", "", bare.lost()),
    ]


async def guarded(bench: Bench, researches: int) -> Stress:
    """Cancel through REST. Half of the requests wait for the end."""
    ledger = Ledger(bench.settings.ledger_url)
    choice = random.Random(_SEED)

    async def attempt(moment: float) -> str:
        handle = await start_research(bench.client, Plan.GO_THROUGH.request())
        await asyncio.sleep(moment)
        answer = await bench.cancel(handle.id, **choice.choice([{}, {"wait": 0}]))
        await wait_for_end(handle)
        end = await _end(bench.client, handle.id)
        recorded = await asyncio.to_thread(ledger.experiments.get, handle.id)
        if recorded is None or _AS_RECORDED.get(recorded.status) != end:
            return f"ledger: {recorded and recorded.status} -> {end}"
        return f"{answer.status_code} -> {end}"

    async def undisturbed() -> None:
        await wait_for_end(await start_research(bench.client, Plan.GO_THROUGH.request()))

    try:
        return await _stress(attempt, undisturbed, researches)
    finally:
        ledger.close()


async def unguarded(bench: Bench, researches: int) -> Stress:
    """Cancel the bare workflow with the SDK."""

    async def attempt(moment: float) -> str:
        workflow_id = f"bare-{uuid4().hex}"
        handle = await bench.client.start_workflow(
            BareResearch.run, id=workflow_id, task_queue=BARE_QUEUE
        )
        await asyncio.sleep(moment)
        await handle.cancel()
        await wait_for_end(handle)
        # Temporal gives the same answer for a closed workflow, but its history has no cancel.
        types = {event.event_type for event in (await handle.fetch_history()).events}
        accepted = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED in types
        status = HTTPStatus.OK if accepted else HTTPStatus.CONFLICT
        return f"{status.value} -> {await _end(bench.client, workflow_id)}"

    async def undisturbed() -> None:
        workflow_id = f"bare-{uuid4().hex}"
        await wait_for_end(
            await bench.client.start_workflow(
                BareResearch.run, id=workflow_id, task_queue=BARE_QUEUE
            )
        )

    return await _stress(attempt, undisturbed, researches)


_AS_RECORDED = {
    OperationStatus.COMPLETED.value: "completed",
    OperationStatus.FAILED.value: "failed",
    OperationStatus.CANCELLED.value: "canceled",
}


async def _stress(
    attempt: Attempt, undisturbed: Callable[[], Awaitable[None]], researches: int
) -> Stress:
    """Run so many attempts, several at once. Each cancels at a random moment."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def timed() -> float:
        async with limit:
            began = time.perf_counter()
            await undisturbed()
            return time.perf_counter() - began

    async def limited(moment: float) -> str:
        async with limit:
            return await attempt(moment)

    takes = median(await asyncio.gather(*(timed() for _ in range(min(researches, _UNDISTURBED)))))
    moments = random.Random(_SEED)
    attempts = (limited(moments.uniform(0.0, _LATEST * takes)) for _ in range(researches))
    return Stress(Counter(await asyncio.gather(*attempts)))


async def _end(client: Client, workflow_id: str) -> str:
    status = (await client.get_workflow_handle(workflow_id).describe()).status
    assert status is not None and status is not WorkflowExecutionStatus.RUNNING
    return status.name.lower()
