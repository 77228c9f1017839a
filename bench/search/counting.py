"""`python -m bench.search.counting`: a worker that notes every candidate that was scored."""

import asyncio
import importlib
from collections import Counter
from functools import partial
from pathlib import Path

from temporalio import activity

from activities import jobs
from activities.research import ResearchActivities
from activities.step import translate_errors
from activities.trial_recorder import record_trials
from quant.messages.search import SliceResult
from quant.messages.strategy import StrategySpec
from worker import main, run_workers

_FILE = "scored.txt"


def score_and_note(
    task: jobs.SliceTask, context: jobs.JobContext, report: jobs.Report
) -> SliceResult:
    """Score a slice, and note each candidate as soon as its score is known."""
    from quant.search.scorer import Scorer  # noqa: PLC0415 - in a compute process only

    score = Scorer.score

    def score_one(self: Scorer, spec: StrategySpec) -> float | None:
        found = score(self, spec)
        with (Path(context.artifacts_url) / _FILE).open("a") as file:
            file.write(f"{task.operation_id} {task.input.first} {spec.fingerprint()}\n")
        return found

    setattr(Scorer, "score", score_one)  # noqa: B010 - this process does nothing else
    return jobs.score_trials(task, context, report)


def count_repeated(artifacts: Path) -> int:
    """Return how often a candidate was scored again."""
    lines = Counter((artifacts / _FILE).read_text().splitlines())
    return sum(lines.values()) - len(lines)


class Counting(ResearchActivities):
    """The real activities, but for the slices."""

    @activity.defn
    async def score_slice(self, task: jobs.SliceTask) -> SliceResult:
        """Score some trials."""
        with translate_errors():
            async with record_trials(self._ledger, task.operation_id) as report_trial:
                return await self._run(score_and_note, task, SliceResult, report_trial)


if __name__ == "__main__":
    # Else multiprocessing would import this file in every compute process, which needs none of it.
    del __file__
    __spec__ = None  # type: ignore[assignment]
    # A compute process knows the job by the name of its module, which is not `__main__` there.
    named = importlib.import_module("bench.search.counting")
    asyncio.run(main([], partial(run_workers, activities_class=named.Counting)))
