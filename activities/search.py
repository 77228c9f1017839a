"""The activities of a search that is cut into rounds and slices.

The workflow knows numbers of trials only. Candidates and scores are artifacts of the design.
"""

import asyncio
from collections.abc import Iterator, Sequence

from temporalio import activity

from activities import jobs
from activities.step import StepActivities, translate_errors
from activities.trial_recorder import record_trials
from errors import MissingArtifact
from quant.messages.artifacts import Artifact, name_round, name_slice, name_unfinished_slice
from quant.messages.record.trials import TRIAL_LIST, Trial, TrialOnBars
from quant.messages.search import RoundInput, SearchEnd, SliceInput, SliceResult
from quant.messages.steps import DesignResult
from quant.search.records import (
    RoundRecord,
    SliceRecord,
    choose_best,
    parse_round,
    parse_search,
    parse_slice,
    select_known,
)
from storage.artifacts import OperationArtifacts

# So many files are read at once. More would wait for a thread.
_FILES_AT_ONCE = 16


class SearchActivities(StepActivities):
    """Slices, rounds and the end of a search."""

    @activity.defn
    async def score_slice(self, task: jobs.SliceTask) -> SliceResult:
        """Score some trials. What an earlier attempt or run has scored is not computed again."""
        with translate_errors():
            async with record_trials(self._ledger, task.operation_id) as report_trial:
                artifacts = self._context(task).open_artifacts()
                finished = await _find_finished(artifacts, task.input)
                if finished is None:
                    return await self._run(jobs.score_trials, task, SliceResult, report_trial)
                # The attempt that has scored them may have ended before it could record them.
                search = parse_search(await fetch_artifact(artifacts, Artifact.SEARCH))
                for trial in finished.trials:
                    report_trial(TrialOnBars(data=search.input.data, trial=trial))
                return SliceResult(
                    best_sharpe=finished.best_sharpe, reused=task.input.last - task.input.first + 1
                )

    @activity.defn
    async def gather_round(self, task: jobs.RoundTask) -> SliceResult:
        """Put the slices of a round together, and choose what the next round knows."""
        with translate_errors():
            artifacts = self._context(task).open_artifacts()
            inp = task.input
            content = await artifacts.fetch(name_round(inp.number))
            if content is None:
                content = await self._gather(inp, artifacts)
            else:
                # The attempt that has stored it may have ended before it could remove them.
                await _delete_slices(inp, artifacts)
            gathered = parse_round(content, name_round(inp.number))
            return SliceResult(best_sharpe=gathered.best_sharpe)

    @activity.defn
    async def conclude_search(self, task: jobs.SearchEndTask) -> DesignResult:
        """Write the list of all trials, and return the best candidate."""
        with translate_errors():
            artifacts = self._context(task).open_artifacts()
            names = [name_round(number) for number in range(1, task.input.rounds + 1)]
            contents = [await fetch_artifact(artifacts, name) for name in names]
            return await asyncio.to_thread(_conclude, task.input, names, contents, artifacts)

    async def _gather(self, inp: RoundInput, artifacts: OperationArtifacts) -> bytes:
        names = [name_slice(*span) for span in _list_spans(inp)]
        contents: list[bytes] = []
        for part in _cut(names):
            contents += await asyncio.gather(*(fetch_artifact(artifacts, name) for name in part))
        before = None
        if inp.number > 1:
            before = await fetch_artifact(artifacts, name_round(inp.number - 1))
        content = await asyncio.to_thread(_join, inp, names, contents, before)
        await artifacts.store(name_round(inp.number), content)
        # Only now: until the round is stored, they are all that there is.
        await _delete_slices(inp, artifacts)
        return content


def _list_spans(inp: RoundInput) -> list[tuple[int, int]]:
    """Return the first and the last number of each slice."""
    ends = [start - 1 for start in inp.starts[1:]] + [inp.last]
    return list(zip(inp.starts, ends, strict=True))


async def _delete_slices(inp: RoundInput, artifacts: OperationArtifacts) -> None:
    names = [
        name(*span) for name in (name_slice, name_unfinished_slice) for span in _list_spans(inp)
    ]
    for part in _cut(names):
        await asyncio.gather(*(artifacts.delete(name) for name in part))


def _cut(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield as many names as are read or removed at once."""
    for first in range(0, len(names), _FILES_AT_ONCE):
        yield names[first : first + _FILES_AT_ONCE]


async def fetch_artifact(artifacts: OperationArtifacts, name: str) -> bytes:
    """Return an artifact of a search.

    Raises:
        MissingArtifact: It is not there.
    """
    content = await artifacts.fetch(name)
    if content is None:
        raise MissingArtifact(
            f"{name} of the search is not in the artifact store. Start over with `ktrdr retry`."
        )
    return content


async def _find_finished(artifacts: OperationArtifacts, inp: SliceInput) -> SliceRecord | None:
    """Return a slice that has finished already, also if its round has been gathered since."""
    name = name_slice(inp.first, inp.last)
    if (content := await artifacts.fetch(name)) is not None:
        return parse_slice(content, name)
    name = name_round(inp.round_number)
    if (content := await artifacts.fetch(name)) is None:
        return None
    gathered = parse_round(content, name)
    trials = tuple(each for each in gathered.trials if inp.first <= each.number <= inp.last)
    return SliceRecord(trials=trials, best_sharpe=gathered.best_sharpe)


def _join(
    inp: RoundInput, names: Sequence[str], contents: Sequence[bytes], before: bytes | None
) -> bytes:
    earlier = parse_round(before, name_round(inp.number - 1)) if before else RoundRecord()
    slices = [parse_slice(*each) for each in zip(contents, names, strict=True)]
    trials = tuple(trial for each in slices for trial in each.trials)
    best = choose_best((earlier.best, *(each.best for each in slices)))
    sharpes = [each.best_sharpe for each in slices] + [earlier.best_sharpe]
    return (
        RoundRecord(
            trials=trials,
            best=best,
            best_sharpe=max((each for each in sharpes if each is not None), default=None),
            known=tuple(select_known(earlier.known, trials)),
            refused=tuple(candidate for each in slices for candidate in each.refused),
        )
        .model_dump_json()
        .encode()
    )


def _conclude(
    end: SearchEnd, names: Sequence[str], contents: Sequence[bytes], artifacts: OperationArtifacts
) -> DesignResult:
    rounds = [parse_round(*each) for each in zip(contents, names, strict=True)]
    trials: list[Trial] = [trial for each in rounds for trial in each.trials]
    best = rounds[-1].best
    if best is None:
        raise ValueError("A search needs at least one trial.")
    artifacts.write(Artifact.TRIALS, TRIAL_LIST.dump_json(trials))
    return DesignResult(
        spec=best.spec,
        data=end.begun.data,
        trials=len(trials),
        best_sharpe=rounds[-1].best_sharpe,
        remembered=end.begun.remembered,
        note=end.begun.note,
    )
