"""`timing.py REPEATS TRIALS…`: the seconds of small researches, as JSON.

It uses nothing that an earlier checkout, in whose directory it is run, does not have.
"""

import asyncio
import json
import sys
import time
from importlib import import_module
from importlib.util import find_spec

from bench.temporary import start_research, temporary_stack

# The messages had another place before the rooms of `workflows/`.
_PLACE = (
    "workflows.interface.messages" if find_spec("workflows.interface") else "workflows.messages"
)
ResearchRequest = import_module(_PLACE).ResearchRequest


async def main(repeats: int, numbers: list[int]) -> None:
    """Measure and print."""
    seconds: dict[int, list[float]] = {trials: [] for trials in numbers}
    async with temporary_stack() as (_, client):
        await (await start_research(client, ResearchRequest(trials=2, seed=1))).result()
        for _ in range(repeats):
            for trials in numbers:
                began = time.perf_counter()
                request = ResearchRequest(trials=trials, seed=1, bypass_gates=True)
                await (await start_research(client, request)).result()
                seconds[trials].append(time.perf_counter() - began)
    print(json.dumps(seconds))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), [int(each) for each in sys.argv[2:]]))
