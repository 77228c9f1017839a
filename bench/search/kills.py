"""Four worker processes of one slot, which are killed at random moments."""

import asyncio
import contextlib
import random
import subprocess
from pathlib import Path

from bench.figures import Figure
from bench.search.counting import count_repeated
from bench.search.stack import (
    BARS,
    LARGE,
    TRIALS,
    finish_design,
    read_slices,
    read_trials,
    running_stack,
)
from bench.temporary import start_research
from storage.ledger.ledger import Ledger

_WORKERS = 4
_KILLS = 6
_SECONDS_BETWEEN_KILLS = (3.0, 8.0)
_CHOICE = 2
_WORKER = ("-m", "bench.search.counting")


async def measure() -> list[Figure]:
    """Measure."""
    choice = random.Random(_CHOICE)
    async with running_stack(1, worker=_WORKER) as running:
        with contextlib.ExitStack() as stack:
            # The stack has one worker already.
            workers = [stack.enter_context(running.further_worker()) for _ in range(_WORKERS - 1)]
            research = await start_research(running.client, LARGE)
            for _ in range(_KILLS):
                await asyncio.sleep(choice.uniform(*_SECONDS_BETWEEN_KILLS))
                victim = choice.randrange(_WORKERS)
                if victim == _WORKERS - 1:
                    running.stack.restart("worker")
                else:
                    _kill(workers[victim])
                    workers[victim] = stack.enter_context(running.further_worker())
            design = await finish_design(research)
        repeated = count_repeated(Path(running.settings.artifacts_url))
        found = read_trials(running.settings, research.id)
        reused = sum(each.reused for each in await read_slices(research))
        ledger = Ledger(running.settings.ledger_url)
        recorded = ledger.trials.find_best(design.data.content_hash, 2 * TRIALS)
        ledger.close()
        undisturbed = await start_research(running.client, LARGE)
        await finish_design(undisturbed)
        expected = read_trials(running.settings, undisturbed.id)
    scored = {trial.fingerprint for trial in expected if trial.sharpe is not None}
    name = f"{TRIALS} trials on {BARS:,} bars, {_KILLS} SIGKILLs of {_WORKERS} workers"
    return [
        Figure(f"{name}: trials that a killed attempt had left", "", reused),
        Figure(f"{name}: trials computed twice", "", repeated, 0),
        Figure(f"{name}: lost", "", len(scored) - len(recorded), 0),
        Figure(
            f"{name}: different",
            "",
            sum(one != other for one, other in zip(found, expected, strict=True)),
            0,
        ),
    ]


def _kill(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.wait()
