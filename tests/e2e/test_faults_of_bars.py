"""Bars that are missing, broken or have changed fail a research until they are corrected."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.client import WorkflowFailureError

from tests.e2e.stack import Stack
from tests.support.helpers import PATIENCE, assert_eventually
from tests.support.outside.temporal_server import connect
from tests.support.quant.data import walk, write_strategies
from workflows.interface.failures import get_reason

pytestmark = pytest.mark.long


@pytest.fixture
def moving_bars(stack: Stack) -> Iterator[Path]:
    """Where bars of the symbol MOVING belong; there are none yet."""
    path = stack.bars / "MOVING.csv"
    path.parent.mkdir(exist_ok=True)
    yield path
    path.unlink(missing_ok=True)


@contextmanager
def occupied(stack: Stack, slots: int) -> Iterator[None]:
    """Let so many long trainings have or await slots of the stack."""
    strategies = stack.home / "strategies"
    strategies.mkdir()
    write_strategies(strategies)
    bars = stack.bars / "LONG_1h.csv"
    walk(50_000, "1h").to_csv(bars, index=False)
    trainings = [
        stack.answer("train", "slow", "--symbol", "LONG", "--timeframe", "1h")["operation_id"]
        for _ in range(slots)
    ]
    try:
        yield
    finally:
        for training in trainings:
            stack.answer("cancel", training)
        shutil.rmtree(strategies)
        bars.unlink()


async def failed_with(stack: Stack, operation_id: str) -> tuple[str, str]:
    """Wait until an operation has failed, and return the reason and what the command shows."""
    client = await connect(stack.temporal)
    with pytest.raises(WorkflowFailureError) as failed:
        await client.get_workflow_handle(operation_id).result()
    shown = stack.run("status", operation_id).stdout
    assert "failed" in shown
    return get_reason(failed.value.cause), shown


def take_away(bars: Path) -> None:
    """Delete a file of bars."""
    bars.unlink()


async def design_and_cancel(stack: Stack) -> str:
    """Start a research on MOVING, and cancel it when it has been designed. Return its id."""

    async def slots_for_training() -> int:
        return int(stack.answer("agent", "status")["workers"]["training"]["total"])

    slots = await assert_eventually(slots_for_training, within=PATIENCE)
    started = stack.answer("research", "--symbol", "MOVING", "--trials", "100", "--seed", "7")
    operation_id: str = started["operation_id"]
    # The design has a slot. One training more than there are slots waits for it, before its own.
    with occupied(stack, slots + 1):

        async def designed() -> bool:
            step: str = stack.answer("status", operation_id)["progress"]["current_step"]
            return step == "Training model... Waiting for a free worker"

        await assert_eventually(designed, within=PATIENCE)
        stack.answer("cancel", operation_id)
        assert stack.answer("follow", operation_id)["status"] == "cancelled"
    return operation_id


async def test_missing_and_broken_bars_fail_a_resumed_research_until_they_are_corrected(
    stack: Stack, moving_bars: Path
) -> None:
    good = walk(3000, "1D")
    good.to_csv(moving_bars, index=False)
    operation_id = await design_and_cancel(stack)

    good.assign(close=good["close"].where(good.index != 6)).to_csv(moving_bars, index=False)
    refused = stack.run("research", "--symbol", "MOVING", "--strategy", "momentum")
    assert refused.returncode == 1
    assert "MOVING.csv, row 7" in refused.stderr
    checked = stack.run("data", "check", "MOVING")
    assert checked.returncode == 1
    assert "MOVING.csv, row 7" in checked.stdout
    stack.answer("resume", operation_id)
    reason, shown = await failed_with(stack, operation_id)
    assert reason == "invalid_data"
    assert "MOVING.csv, row 7" in shown

    take_away(moving_bars)
    stack.answer("resume", operation_id)
    reason, shown = await failed_with(stack, operation_id)
    assert reason == "unknown_symbol"
    assert "No bars exist for 'MOVING'" in shown
    checked = stack.run("data", "check", "MOVING")
    assert checked.returncode == 1
    assert "No bars exist for 'MOVING'" in checked.stderr

    good.to_csv(moving_bars, index=False)
    assert stack.run("data", "check", "MOVING").returncode == 0
    stack.answer("resume", operation_id)
    assert stack.answer("follow", operation_id)["status"] == "completed"


async def test_changed_bars_fail_a_resumed_research_and_are_used_by_its_retry(
    stack: Stack, moving_bars: Path
) -> None:
    before = walk(3000, "1D")
    before.to_csv(moving_bars, index=False)
    operation_id = await design_and_cancel(stack)

    walk(3000, "1D", seed=2).to_csv(moving_bars, index=False)
    stack.answer("resume", operation_id)
    reason, shown = await failed_with(stack, operation_id)
    assert reason == "data_changed"
    assert "The bars of MOVING 1d have changed" in shown
    [checked] = stack.answer("data", "check", "MOVING")
    assert checked["error"] is None

    retried = stack.answer("retry", operation_id)["operation_id"]
    ended = stack.answer("follow", retried)
    assert ended["status"] == "completed"
    assert ended["result_summary"]["data_hash"] == checked["content_hash"]

    before.to_csv(moving_bars, index=False)
    stack.answer("resume", operation_id)
    ended = stack.answer("follow", operation_id)
    assert ended["status"] == "completed"
    assert ended["result_summary"]["data_hash"] != checked["content_hash"]
