"""`python -m bench.cancel [--quick]`: measure cancelling, and publish the figures."""

import argparse
import asyncio
from collections.abc import Awaitable, Iterator

from bench.cancel import cold, latency, leaks, roundtrip, stress
from bench.figures import Figure, publish


def _sections(*, quick: bool) -> Iterator[tuple[str, Awaitable[list[Figure]]]]:
    yield "right after the start", cold.measure(2 if quick else 20)
    yield "one of ten, stand-ins", latency.pushed(10 if quick else 100)
    yield "one of ten, real computation", latency.computing(4 if quick else 40)
    yield "without push", latency.not_pushed(4 if quick else 40)
    numbers = (10, 50) if quick else latency.MANY_RUNNING
    yield "many running", latency.growing(numbers, 10 if quick else 40)
    yield "round trip", roundtrip.measure(10 if quick else 100)
    yield "random moments", stress.measure(100 if quick else 2_000)
    yield "leftovers", leaks.measure(20 if quick else 300, warm_up=20 if quick else 100)


async def _main(*, quick: bool) -> None:
    figures: list[Figure] = []
    for title, section in _sections(quick=quick):
        print(f"{title} ...", flush=True)
        figures += await section
    print(
        "Idle job: a stand-in process inside one C call, in place of computation that could not "
        "run a thousand times on this machine. Server, worker, processes and API are real."
    )
    publish("cancel", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.cancel", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions, to see that it runs")
    asyncio.run(_main(quick=parser.parse_args().quick))
