"""`python -m bench.tasks`: what tasks cost, and the longest of every workflow type beside others.

The SDK fails a task that takes two seconds. All workflows run as they are; their activities are
stand-ins that end at once, so that many tasks are done at the same time.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2

from bench.cancel.plans import Plan
from bench.figures import Figure, publish
from bench.processes import run_beside
from bench.tasks.processor import measure_processor_time
from bench.temporary import temporary_settings
from cli.stack import Stack
from settings import Settings, load_settings

_BUSY_LOOPS = 8
_LIMIT = 20
_MOST_SECONDS = 0.5
_PATIENCE_SECONDS = 600.0
_WORKFLOWS = ("Admission", "Backtest", "Claim", "Research", "Training")


async def _main(triggers: int) -> None:
    cost = await measure_processor_time()
    with temporary_settings() as temporary, _busy_machine():
        os.environ["KTRDR_MAX_ACTIVE_RESEARCHES"] = str(_LIMIT)
        settings = load_settings()
        longest = temporary.home / "longest.json"
        with Stack(settings, worker=("-m", "bench.tasks.worker", str(longest))):
            answers = await _burst(settings, triggers)
            await _until_all_have_run(longest)
        seconds: dict[str, float] = json.loads(longest.read_text())
    beside = f"beside {_BUSY_LOOPS} busy loops"
    publish(
        "tasks",
        [
            *cost,
            *(
                Figure(f"longest task of {name} {beside}", "s", seconds[name], _MOST_SECONDS)
                for name in _WORKFLOWS
            ),
            *(
                Figure(f"{triggers} triggers at once {beside}: answered {status}", "", number)
                for status, number in sorted(answers.items())
            ),
            Figure(
                "of these neither accepted nor refused for want of room",
                "",
                sum(number for status, number in answers.items() if status not in (202, 409)),
                0,
            ),
        ],
    )


@contextlib.contextmanager
def _busy_machine() -> Iterator[None]:
    with contextlib.ExitStack() as loops:
        for _ in range(_BUSY_LOOPS):
            loops.enter_context(run_beside([sys.executable, "-c", "while True: pass"]))
        yield


async def _burst(settings: Settings, triggers: int) -> Counter[int]:
    """Start all at once, each under a key. Return how often each status was answered."""
    body = Plan.GO_THROUGH.request().model_dump(mode="json", exclude_defaults=True)
    async with httpx2.AsyncClient(
        base_url=settings.api_url,
        timeout=_PATIENCE_SECONDS,
        limits=httpx2.Limits(max_connections=triggers),
    ) as http:
        answers = await asyncio.gather(
            *(
                http.post("/agent/trigger", json=body, headers={"Idempotency-Key": f"bench-{n}"})
                for n in range(triggers)
            )
        )
    return Counter(answer.status_code for answer in answers)


async def _until_all_have_run(longest: Path) -> None:
    def seen() -> set[str]:
        return set(json.loads(longest.read_text())) if longest.exists() else set()

    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not set(_WORKFLOWS) <= await asyncio.to_thread(seen):
        assert time.monotonic() < deadline, "not every workflow has run"
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.tasks", description=__doc__)
    parser.add_argument("--triggers", type=int, default=500, help="how many at once")
    asyncio.run(_main(parser.parse_args().triggers))
