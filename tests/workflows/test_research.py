from typing import Any

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)

from quant.messages.artifacts import Artifact
from quant.verdict.gates import BacktestLimits, GateLimits, TrainingLimits
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from tests.support.helpers import new_id
from tests.support.phases import start
from tests.support.results import draw_report
from workflows.interface.contract import OperationInfo, OperationStatus, Phase
from workflows.interface.messages import ResearchRequest, ResearchResult
from workflows.policies import RESEARCH_QUEUE
from workflows.research import Research

FEW = ResearchRequest(trials=3, seed=7)

Handle = WorkflowHandle[Research, ResearchResult]


async def weight(handle: Handle) -> tuple[int, int]:
    """Return the number of events and of bytes in the history, without the workflow tasks.

    How many of those there are depends on what happens to come in at the same time.
    """
    events = [
        event
        for event in (await handle.fetch_history()).events
        if "WORKFLOW_TASK" not in EventType.Name(event.event_type)
    ]
    return len(events), sum(event.ByteSize() for event in events)


async def info(handle: Handle) -> OperationInfo:
    return await handle.query(Research.describe)


@pytest_asyncio.fixture(scope="module")
async def completed(client: Client) -> Handle:
    """A research that has completed."""
    handle = await start(client, FEW)
    await handle.result()
    return handle


async def test_a_research_goes_from_data_to_verdict(completed: Handle, settings: Settings) -> None:
    handle = completed
    result = await handle.result()

    operation = await info(handle)
    assert operation.status is OperationStatus.COMPLETED
    assert operation.phase is Phase.DONE
    assert operation.progress.percentage == 100.0
    assert [child.operation_id for child in operation.children] == [
        f"{handle.id}.{step}" for step in ("design", "training", "backtest", "assessment")
    ]
    assert {child.status for child in operation.children} == {OperationStatus.COMPLETED}
    assert operation.result_summary == result.model_dump(mode="json")
    assert result.backtest_result is not None
    assert result.statistics is not None
    root = settings.home / "artifacts"
    assert (root / result.model_path).is_file()
    assert result.verdict in draw_report(root, result)


async def test_a_finished_research_is_in_the_ledger(completed: Handle, settings: Settings) -> None:
    result = await completed.result()
    experiment = Ledger(settings.ledger_url).experiments.get(completed.id)
    assert experiment is not None
    assert experiment.status == "completed"
    assert experiment.verdict == result.verdict
    assert experiment.data_hash == result.data_hash
    assert experiment.metrics == result.model_dump(mode="json")


async def test_the_history_is_small_and_does_not_grow_with_the_trials(client: Client) -> None:
    few = await start(client, ResearchRequest(trials=1, seed=7))
    many = await start(client, ResearchRequest(trials=12, seed=7))
    await few.result()
    await many.result()
    events, size = await weight(few)
    more_events, more_size = await weight(many)
    assert events <= 60
    assert size <= 64 * 1024
    assert more_events == events
    # The winning strategies differ by a few parameters.
    assert abs(more_size - size) < 0.1 * size


async def test_the_same_seed_gives_the_identical_result(client: Client) -> None:
    # Both are counted at the same time: what others try in between is part of the figures.
    first = await (await start(client, FEW)).result()
    second = await (await start(client, FEW)).result()
    own = {"model_path", "report_path"}
    assert first.model_dump(exclude=own) == second.model_dump(exclude=own)


async def test_a_seed_that_is_not_given_is_drawn_once_and_recorded(client: Client) -> None:
    handle = await start(client, ResearchRequest(trials=1, memory=False))
    result = await handle.result()
    assert (await info(handle)).metadata.parameters["seed"] == result.seed
    again = ResearchRequest(trials=1, seed=result.seed)
    repeated = await (await start(client, again)).result()
    assert repeated.model_sha256 == result.model_sha256


async def test_a_named_strategy_skips_the_design(client: Client, settings: Settings) -> None:
    handle = await start(client, ResearchRequest(strategy="quick", seed=7))
    result = await handle.result()
    assert result.strategy_name == "quick"
    children = [child.operation_id for child in (await info(handle)).children]
    assert f"{handle.id}.design" not in children
    assert f"{handle.id}.training" in children
    design = ArtifactStore(settings.artifacts_url).open(f"{handle.id}.design")
    assert design.read(Artifact.TRIALS) is None


async def test_a_rejecting_gate_is_an_outcome_with_a_reason(client: Client) -> None:
    handle = await start(client, ResearchRequest(strategy="never-trades", seed=7))
    result = await handle.result()
    assert result.success
    assert result.gate_rejection_reason == "no position was ever taken in walk-forward"
    assert result.backtest_result is None
    operation = await info(handle)
    assert operation.status is OperationStatus.COMPLETED
    assert operation.metadata.parameters["gate_rejection_reason"] == result.gate_rejection_reason
    steps = [child.operation_id.rpartition(".")[2] for child in operation.children]
    assert steps == ["training", "assessment"]


async def test_the_limits_of_the_gates_are_those_of_the_request(client: Client) -> None:
    strict = GateLimits(backtest=BacktestLimits(trades=100_000))
    request = ResearchRequest(strategy="quick", seed=7, gates=strict)
    result = await (await start(client, request)).result()
    assert result.gate_rejection_reason is not None
    assert "fewer than the 100,000 needed" in result.gate_rejection_reason
    assert result.backtest_result is not None
    hopeless = GateLimits(training=TrainingLimits(sharpe=50.0))
    request = ResearchRequest(strategy="quick", seed=7, gates=hopeless)
    result = await (await start(client, request)).result()
    assert result.gate_rejection_reason is not None
    assert "below the floor of 50.00" in result.gate_rejection_reason
    assert result.backtest_result is None


async def test_a_bypassed_gate_does_not_reject(client: Client) -> None:
    request = ResearchRequest(strategy="never-trades", seed=7, bypass_gates=True)
    result = await (await start(client, request)).result()
    assert result.gate_rejection_reason is None
    assert result.backtest_result is not None
    assert result.backtest_result.total_trades == 0


@pytest.mark.parametrize("args", [(), (None,), ({},)], ids=["none", "null", "empty"])
async def test_a_request_that_is_left_out_means_the_default(
    client: Client, args: tuple[Any, ...]
) -> None:
    handle = await client.start_workflow(
        "Research", args=args, id=new_id(), task_queue=RESEARCH_QUEUE
    )
    parameters = (await handle.query(Research.describe)).metadata.parameters
    assert parameters["trials"] == ResearchRequest().trials
    await handle.cancel()


async def test_researches_on_many_symbols_run_at_once(client: Client) -> None:
    symbols = ["SP500", "NASDAQ", "GOOD"]
    handles = [
        await start(client, ResearchRequest(symbol=symbol, trials=2, seed=7)) for symbol in symbols
    ]
    results = [await handle.result() for handle in handles]
    assert len({result.data_hash for result in results}) == len(symbols)


async def test_one_that_fails_is_not_noticed_by_the_others(
    client: Client, completed: Handle
) -> None:
    healthy = await start(client, FEW)
    broken = await start(client, ResearchRequest(symbol="SHORT", trials=1, seed=7))
    undisturbed = await completed.result()
    assert (await healthy.result()).model_sha256 == undisturbed.model_sha256
    with pytest.raises(WorkflowFailureError):
        await broken.result()
    assert (await broken.describe()).status is WorkflowExecutionStatus.FAILED
