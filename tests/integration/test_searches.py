"""Searches on several worker processes: killed, cancelled, and beside each other."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from settings import Settings
from storage.ledger.ledger import Ledger
from tests.support.helpers import PATIENCE, assert_eventually
from tests.support.phases import start
from tests.support.processes import compute_processes, kill
from tests.support.quant.searches import (
    LONG,
    SEARCH,
    count_computing,
    cutting_worker,
    list_slices,
    read_trials,
    search_alone,
)

pytestmark = pytest.mark.long


@pytest.fixture
def one_slot(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"home": tmp_path, "compute_slots": 1})


async def test_a_killed_worker_changes_nothing(
    alone: Client, one_slot: Settings, tmp_path: Path
) -> None:
    result, trials = search_alone(tmp_path / "undisturbed")
    with cutting_worker(alone, one_slot) as doomed, cutting_worker(alone, one_slot):
        research = await start(alone, SEARCH)

        async def both_compute() -> bool:
            return await count_computing(research) == 2

        await assert_eventually(both_compute, within=PATIENCE)
        kill(doomed)
        await research.result()
    assert read_trials(one_slot, research.id) == trials
    recorded = Ledger(one_slot.ledger_url).trials.count(result.data.source)
    assert recorded == len({trial.fingerprint for trial in trials})


async def test_one_cancel_stops_all_slices_on_all_workers_and_nothing_else(
    alone: Client, settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"home": tmp_path, "compute_slots": 2})
    with ExitStack() as stack:
        workers = [stack.enter_context(cutting_worker(alone, own)) for _ in range(2)]
        research = await start(alone, LONG)

        async def has_all_slots() -> bool:
            return await count_computing(research) == 4

        await assert_eventually(has_all_slots, within=PATIENCE)
        other = await start(alone, LONG.model_copy(update={"owner": "somebody", "seed": 9}))

        async def both_compute() -> bool:
            return min([await count_computing(each) for each in (research, other)]) > 0

        # Another owner does not wait for a whole round.
        await assert_eventually(both_compute, within=PATIENCE)
        await cancel(research)
        assert await list_slices(research) == []

        async def only_the_other_computes() -> bool:
            processes = sum(len(compute_processes(pid)) for pid in workers)
            return processes <= await count_computing(other) == 4

        await assert_eventually(only_the_other_computes, within=PATIENCE)
        await cancel(other)
        assert [compute_processes(pid) for pid in workers] == [[], []]


async def cancel(research: WorkflowHandle[Any, Any]) -> None:
    await research.cancel()
    with pytest.raises(WorkflowFailureError):
        await research.result()
