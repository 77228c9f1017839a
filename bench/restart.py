"""`python -m bench.restart [--quick]`: worker, API and Temporal killed at random moments.

Meanwhile many researches are started and run. Each must end once, with the same result as without
the kills. No finished training may be repeated.
"""

import argparse
import asyncio
import contextlib
import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx2
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus

from bench.cancel.stack import wait_for_end
from bench.figures import Figure, publish
from bench.temporary import temporary_settings
from cli.stack import Stack
from temporal.converter import data_converter
from workflows.interface.contract import OperationType
from workflows.interface.ids import make_step_id
from workflows.interface.messages import ResearchRequest, ResearchResult

_SEEDS = 5
_SECONDS_BETWEEN_KILLS = (1.0, 5.0)
_SECONDS_BETWEEN_LOOKS = 0.2
_LONGEST_SECONDS = 900.0
_CHOICE = 1

# The fields of a result that depend neither on its id nor on what others have tried.
_FOUND = {"seed", "data_hash", "model_sha256", "backtest_result", "strategy_name"}


@dataclass(frozen=True)
class Survival:
    """The outcome of all researches."""

    kills: Counter[str]
    seconds: float
    not_completed: int
    different: int
    trained_twice: int
    surplus: int


async def main(*, quick: bool) -> None:
    """Measure and publish."""
    researches, kills = (6, 3) if quick else (30, 12)
    survival = await measure(researches, kills)
    name = f"{researches} researches"
    publish(
        "restart",
        [
            *(Figure(f"SIGKILL of the {part}", "", n) for part, n in survival.kills.items()),
            Figure(f"{name}: start to the last end", "s", survival.seconds),
            Figure(f"{name}: not completed", "", survival.not_completed, 0),
            Figure(f"{name}: other result than undisturbed", "", survival.different, 0),
            Figure(f"{name}: finished trainings that were repeated", "", survival.trained_twice, 0),
            Figure(f"{name}: more than were asked for", "", survival.surplus, 0),
        ],
    )


async def measure(researches: int, kills: int) -> Survival:
    """Run so many researches, and kill processes so many times meanwhile."""
    with temporary_settings() as settings, Stack(settings) as stack:
        client = await Client.connect(
            f"127.0.0.1:{settings.temporal_port}", data_converter=data_converter
        )
        async with httpx2.AsyncClient(base_url=settings.api_url, timeout=10.0) as http:
            undisturbed = {
                seed: await _read_result(client, await _trigger(http, seed, f"before-{seed}"))
                for seed in range(_SEEDS)
            }
            began = time.perf_counter()
            killing = asyncio.create_task(_kill(stack, kills))
            seeds = [number % _SEEDS for number in range(researches)]
            ids = await asyncio.gather(
                *(_trigger(http, seed, f"key-{number}") for number, seed in enumerate(seeds))
            )
            killed = await killing
            async with asyncio.timeout(_LONGEST_SECONDS):
                await asyncio.gather(
                    *(wait_for_end(client.get_workflow_handle(each)) for each in ids)
                )
            seconds = time.perf_counter() - began
        ends = [await client.get_workflow_handle(each).describe() for each in ids]
        completed = [
            (operation_id, seed)
            for operation_id, seed, end in zip(ids, seeds, ends, strict=True)
            if end.status is WorkflowExecutionStatus.COMPLETED
        ]
        found = [await _read_result(client, operation_id) for operation_id, _ in completed]
        expected = [undisturbed[seed] for _, seed in completed]
        all_of_them = await client.count_workflows("WorkflowType = 'Research'")
        return Survival(
            kills=killed,
            seconds=seconds,
            not_completed=len(ids) - len(completed),
            different=sum(one != other for one, other in zip(found, expected, strict=True)),
            trained_twice=sum([await _trained_twice(client, each) for each in ids]),
            surplus=all_of_them.count - _SEEDS - len(set(ids)),
        )


async def _trigger(http: httpx2.AsyncClient, seed: int, key: str) -> str:
    """Start a research. Repeat the request under the same key until it is answered."""
    body = ResearchRequest(trials=12, seed=seed, bypass_gates=True).model_dump(mode="json")
    async with asyncio.timeout(_LONGEST_SECONDS):
        while True:
            with contextlib.suppress(httpx2.TransportError):
                answer = await http.post(
                    "/agent/trigger", json=body, headers={"Idempotency-Key": key}
                )
                if answer.is_success:
                    return str(answer.json()["operation_id"])
                assert answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE, answer.text
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


async def _kill(stack: Stack, kills: int) -> Counter[str]:
    choice = random.Random(_CHOICE)
    killed: Counter[str] = Counter()
    for number in range(kills):
        await asyncio.sleep(choice.uniform(*_SECONDS_BETWEEN_KILLS))
        # One after the other, at random moments.
        part = ("worker", "temporal", "api")[number % 3]
        stack.restart(part)
        killed[part] += 1
    return killed


async def _read_result(client: Client, operation_id: str) -> dict[str, Any]:
    handle = client.get_workflow_handle(operation_id, result_type=ResearchResult)
    result: ResearchResult = await handle.result()
    return result.model_dump(include=_FOUND)


async def _trained_twice(client: Client, operation_id: str) -> bool:
    """Whether a training was started again after it had finished."""
    training = make_step_id(operation_id, OperationType.TRAINING)
    runs = [run async for run in client.list_workflows(f"WorkflowId = '{training}'")]
    history = await client.get_workflow_handle(training).fetch_history()
    finished = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
    return len(runs) > 1 or sum(event.event_type == finished for event in history.events) > 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.restart", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions, to see that it runs")
    asyncio.run(main(quick=parser.parse_args().quick))
