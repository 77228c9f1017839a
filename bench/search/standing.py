"""`python -m bench.search.standing SECONDS…`: a worker whose slices wait instead of computing.

Without seconds, each slice waits in a process of its own until it is killed. With seconds, a trial
waits as long as one of them, and no process is started.
"""

import asyncio
import sys
from functools import partial

from temporalio import activity

from activities import jobs as real
from activities.heartbeat import send_heartbeats
from activities.step import translate_errors
from bench.cancel import canned, jobs
from bench.cancel.stand_ins import StandIns
from quant.messages.base import FrozenModel
from quant.messages.search import BegunSearch, RoundInput, SearchEnd, SliceResult
from quant.messages.steps import DesignResult
from quant.search.plan import estimate_seconds
from worker import main, run_workers

_BARS = 500_000
_SECONDS = [float(each) for each in sys.argv[1:]]


class Standing(StandIns):
    """Searches of stand-ins. The rounds, the slices and their events are real."""

    @activity.defn
    async def design(self, task: real.DesignTask) -> DesignResult | BegunSearch:  # noqa: ARG002
        """Begin a search at once."""
        data = canned.DESIGN.data.model_copy(update={"bars": _BARS})
        return BegunSearch(data=data, remembered=0, finished_rounds=0)

    @activity.defn
    async def score_slice(self, task: real.SliceTask) -> SliceResult:
        """Wait as long as the trials would compute, or until killed."""
        numbers = range(task.input.first, task.input.last + 1)
        if not _SECONDS:
            with translate_errors():
                await self._run(jobs.idle, task, FrozenModel)
        seconds = sum(_SECONDS[number % len(_SECONDS)] for number in numbers)
        async with send_heartbeats(cancels_are_pushed=True):
            await asyncio.sleep(seconds)
        return SliceResult(best_sharpe=1.0, seconds=seconds)

    @activity.defn
    async def gather_round(self, task: real.RoundTask) -> SliceResult:
        """Do nothing."""
        assert isinstance(task.input, RoundInput)
        return SliceResult(best_sharpe=1.0)

    @activity.defn
    async def conclude_search(self, task: real.SearchEndTask) -> DesignResult:
        """Return the canned result."""
        assert isinstance(task.input, SearchEnd)
        return canned.DESIGN


if __name__ == "__main__":
    # Else multiprocessing would import this file in every compute process, which needs none of it.
    del __file__
    __spec__ = None  # type: ignore[assignment]
    assert estimate_seconds(_BARS) > 1.0
    asyncio.run(main([], partial(run_workers, activities_class=Standing)))
