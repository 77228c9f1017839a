"""The rounds of a language model: what is kept of them, and what is forgotten."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.jobs import DesignTask, RoundTask, SliceTask
from activities.research import ResearchActivities
from quant.messages.artifacts import Artifact, name_round, name_slice, name_unfinished_slice
from quant.messages.search import RoundInput, SliceInput
from quant.search.records import SliceRecord
from settings import Settings
from storage.artifacts import ArtifactStore
from tests.llm.provider import Provider, Reply
from tests.llm.replies import design_task, found, propose, score_together
from tests.support.helpers import new_id


def on_few_bars(task: DesignTask) -> DesignTask:
    """Return the task on bars that are too few for long periods."""
    few = task.input.data.model_copy(
        update={"start_date": date(2016, 1, 1), "end_date": date(2018, 1, 1)}
    )
    return task.model_copy(update={"input": task.input.model_copy(update={"data": few})})


async def test_after_a_model_was_given_up_another_conversation_begins_anew(
    provider: Provider,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    own_settings: Settings,
) -> None:
    task = on_few_bars(design_task(trials=2))
    provider.replies = [score_together(249, 250), *(Reply(text="Hm.") for _ in range(20))]
    with pytest.raises(ApplicationError) as failure:
        await environment.run(activities.design, task)
    assert (failure.value.type, failure.value.non_retryable) == ("model_misbehaved", True)
    artifacts = ArtifactStore(own_settings.artifacts_url).open(task.operation_id)
    assert list(await artifacts.list()) == [Artifact.CONVERSATION]

    shares: list[float] = []
    environment.on_heartbeat = lambda beat: shares.append(beat.percentage)
    environment.info = replace(environment.info, heartbeat_timeout=timedelta(seconds=0.1))
    provider.replies = [score_together(248, 14), propose(14)]
    result = found(await environment.run(activities.design, task))
    assert (result.spec.name, result.trials) == ("rsi-14", 1)
    assert 0.0 < max(shares) < 100.0


async def test_a_slice_of_a_gathered_round_counts_what_was_refused(
    provider: Provider, activities: ResearchActivities, environment: ActivityEnvironment
) -> None:
    task = on_few_bars(design_task())
    provider.replies = [score_together(14, 250), propose(14)]
    assert found(await environment.run(activities.design, task)).trials == 1
    part = SliceTask(
        operation_id=task.operation_id, input=SliceInput(round_number=1, first=1, last=2)
    )
    result = await environment.run(activities.score_slice, part)
    assert result.reused == 2


async def test_the_slices_of_a_round_go_also_if_it_was_gathered_before(
    activities: ResearchActivities, environment: ActivityEnvironment, own_settings: Settings
) -> None:
    task = RoundTask(operation_id=new_id(), input=RoundInput(number=1, starts=(1, 4), last=5))
    artifacts = ArtifactStore(own_settings.artifacts_url).open(task.operation_id)
    record = SliceRecord(best_sharpe=0.5).model_dump_json().encode()
    slices = [name_slice(1, 3), name_slice(4, 5), name_unfinished_slice(4, 5)]
    for name in slices:
        artifacts.write(name, record)
    gathered = await environment.run(activities.gather_round, task)
    assert list(await artifacts.list()) == [name_round(1)]

    # An attempt that was killed has left some.
    for name in slices[1:]:
        artifacts.write(name, record)
    assert await environment.run(activities.gather_round, task) == gathered
    assert list(await artifacts.list()) == [name_round(1)]
