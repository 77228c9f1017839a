"""From one DELETE to the death of the last of eight slices, on idle cores."""

import asyncio
import time
from pathlib import Path

import httpx2
import psutil

from bench.cancel.deaths import Deaths
from bench.cancel.latency import median, p95
from bench.figures import Figure
from bench.search.stack import running_stack
from bench.temporary import start_research
from workflows.interface.messages import ResearchRequest

_SLICES = 8
_CANCELS = 40
_REQUEST = ResearchRequest(trials=1_000, seed=0)
_WORKER = ("-m", "bench.search.standing")
_LONGEST_WAIT_SECONDS = 30
_SECONDS_BETWEEN_LOOKS = 0.01


async def measure() -> list[Figure]:
    """Measure."""
    samples = []
    async with (
        running_stack(_SLICES, worker=_WORKER, bars=0) as running,
        httpx2.AsyncClient(base_url=running.settings.api_url, timeout=60.0) as http,
    ):
        for _ in range(_CANCELS):
            research = await start_research(running.client, _REQUEST)
            pids = await _wait_for_slices(
                running.stack.get_pid("worker"), Path(running.settings.artifacts_url), research.id
            )
            with Deaths(pids) as deaths:
                dying = asyncio.create_task(asyncio.to_thread(_wait_for_all, deaths, len(pids)))
                began = time.perf_counter()
                answer = await http.delete(
                    f"/agent/cancel/{research.id}", params={"wait": _LONGEST_WAIT_SECONDS}
                )
                samples.append(1000 * (await dying - began))
            assert answer.is_success and answer.json()["status"] == "cancelled", answer.text
    name = f"DELETE → last of {_SLICES} slices dead (idle jobs)"
    return [
        Figure(f"{name}, median", "ms", median(samples), 60),
        Figure(f"{name}, p95", "ms", p95(samples), 150),
    ]


async def _wait_for_slices(worker_pid: int, artifacts: Path, research_id: str) -> list[int]:
    """Return the processes of the slices when all of them idle."""
    folder = artifacts / f"{research_id}.design"
    while True:
        idle = [int(path.name.split(".")[-2]) for path in folder.glob(".standin.*.part")]
        if len(idle) == _SLICES:
            assert all(psutil.pid_exists(pid) for pid in [worker_pid, *idle])
            return idle
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


def _wait_for_all(deaths: Deaths, number: int) -> float:
    """Return when the last one has died."""
    dead: set[int] = set()
    last = 0.0
    while len(dead) < number:
        more, last = deaths.wait_for_next()
        dead |= more
    return last
