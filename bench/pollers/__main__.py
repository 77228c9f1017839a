"""`python -m bench.pollers [--quick]`: fixed pollers against those that scale themselves.

Researches compute nothing, so the time is that of orchestration. Each kind has its own stack, and
they take turns: processor time and ratios depend little on what else the machine does.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import psutil

from bench.cancel.plans import Plan
from bench.figures import Figure, publish
from bench.pollers.worker import POLLERS
from bench.search.stack import Running, running_stack
from bench.temporary import start_research

_TURNS = 2
_SLOTS = 16
_WARM_UPS = 3
_IDLE_SECONDS = 20.0


@dataclass
class Costs:
    """What was measured of one kind of pollers, in seconds.

    Attributes:
        latencies: From the start of a research to its end, one at a time.
        all_done: From the first start to the last end of many at once.
        busy: Processor time of worker and server for each of these.
        idle: Processor time of worker and server in a minute without work.
    """

    latencies: list[float] = field(default_factory=list)
    all_done: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)


async def main(alone: int, together: int) -> None:
    """Measure and publish."""
    costs = {kind: Costs() for kind in POLLERS}
    kinds = list(POLLERS)
    for turn in range(_TURNS):
        # A B, then B A: a machine that becomes busier is not to the disadvantage of one of them.
        for kind in kinds if turn % 2 == 0 else reversed(kinds):
            print(f"{kind} ...", flush=True)
            worker = ("-m", "bench.pollers.worker", kind)
            async with running_stack(_SLOTS, worker=worker, bars=0) as running:
                await _measure(running, costs[kind], alone, together)
    publish("pollers", list(_make_figures(costs, together)))


async def _measure(running: Running, costs: Costs, alone: int, together: int) -> None:
    for _ in range(_WARM_UPS):
        await _research(running)
    for _ in range(alone):
        began = time.perf_counter()
        await _research(running)
        costs.latencies.append(time.perf_counter() - began)
    processes = _find_processes(running)
    began, used = time.perf_counter(), _read_processor_time(processes)
    await asyncio.gather(*(_research(running) for _ in range(together)))
    costs.all_done.append(time.perf_counter() - began)
    costs.busy.append((_read_processor_time(processes) - used) / together)
    used = _read_processor_time(processes)
    await asyncio.sleep(_IDLE_SECONDS)
    costs.idle.append((_read_processor_time(processes) - used) * 60.0 / _IDLE_SECONDS)


async def _research(running: Running) -> None:
    await (await start_research(running.client, Plan.GO_THROUGH.request())).result()


def _find_processes(running: Running) -> Sequence[psutil.Process]:
    return [psutil.Process(running.stack.get_pid(name)) for name in ("worker", "temporal")]


def _read_processor_time(processes: Sequence[psutil.Process]) -> float:
    used = (each.cpu_times() for each in processes)
    return sum(each.user + each.system for each in used)


def _make_figures(costs: dict[str, Costs], together: int) -> list[Figure]:
    rows = {
        "one research, start to end, median": ("ms", 1000.0, "latencies"),
        f"{together} at once: all done": ("s", 1.0, "all_done"),
        f"{together} at once: processor time of each": ("ms", 1000.0, "busy"),
        "processor time in an idle minute": ("s", 1.0, "idle"),
    }
    figures = []
    for name, (unit, scale, attribute) in rows.items():
        values = {kind: median(getattr(each, attribute)) for kind, each in costs.items()}
        figures += [
            Figure(f"{name}: {kind}", unit, value * scale) for kind, value in values.items()
        ]
        figures.append(
            Figure(f"{name}: autoscaling ÷ fixed", "", values["autoscaling"] / values["fixed"])
        )
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.pollers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few researches")
    quick = parser.parse_args().quick
    asyncio.run(main(5, 10) if quick else main(30, 100))
