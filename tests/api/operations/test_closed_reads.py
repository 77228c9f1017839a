"""A closed operation is read from what it has left: no workflow is replayed to show it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from api.app import create_app
from api.operations.resolver import Resolver
from api.operations.start import make_research_start
from api.operations.starter import Starter
from api.operations.state.description import ResolvedWorkflow, describe_operation
from settings import Settings
from tests.api.answers import accepted, ended
from tests.api.operations.queries import QueryCounter
from tests.support.helpers import serving
from tests.support.phases import IN_DESIGN, IN_TRAINING, Stay
from worker import run_workers
from workflows.interface.contract import (
    ACTIVITY_STEPS,
    FINISHED_QUERY,
    OPERATION_QUERY,
    OperationInfo,
    OperationType,
)
from workflows.interface.ids import make_member_id, make_step_id
from workflows.interface.messages import FinishedSteps, ResearchRequest

QUICK: dict[str, Any] = {"strategy": "quick"}
ENDS: dict[str, dict[str, Any]] = {
    "completed": {**QUICK, "seed": 7, "bypass_gates": True},
    "designed": {"symbol": "SP500", "trials": 2, "seed": 7},
    "rejected": {"strategy": "never-trades", "seed": 7},
    "failed": {"symbol": "SHORT", "trials": 1, "seed": 7},
}


async def start(client: Client, request: dict[str, Any]) -> str:
    """Start a research as the API does, whether or not it can succeed."""
    wanted = make_research_start(ResearchRequest.model_validate(request))
    return await Starter(client, None).start_new(wanted)


async def trigger(api: httpx2.AsyncClient, request: dict[str, Any]) -> str:
    answer = accepted(await api.post("/agent/trigger", json=request), 202)
    operation_id: str = answer["operation_id"]
    return operation_id


async def trigger_stay(api: httpx2.AsyncClient, client: Client, stay: Stay) -> str:
    """Start a research through the API, and return it when it computes in this phase."""
    request = stay.request.model_dump(mode="json", exclude_unset=True)
    operation_id = await trigger(api, request)
    await stay.begun(client, operation_id)
    return operation_id


async def replay(client: Client, operation_id: str) -> OperationInfo:
    """Return an operation as its workflow answers when it is replayed."""
    handle = client.get_workflow_handle(operation_id)
    answer = await handle.query(OPERATION_QUERY, result_type=OperationInfo)
    return await describe_operation(ResolvedWorkflow(handle, await handle.describe(), answer))


async def read_without_queries(client: Client, operation_id: str) -> OperationInfo:
    counter = QueryCounter()
    shown = await Resolver(counter.watch(client)).find_operation(operation_id)
    assert counter.queries == 0
    return shown


async def assert_same_results(client: Client, operation_id: str) -> None:
    """Check that the results of a design and of an assessment are those of a replay."""
    handle = client.get_workflow_handle(operation_id)
    finished = await handle.query(FINISHED_QUERY, result_type=FinishedSteps)
    shown = await read_without_queries(client, operation_id)
    begun = [child.operation_type for child in shown.children]
    results = {
        OperationType.DESIGN: finished.design,
        OperationType.ASSESSMENT: finished.assessment,
    }
    for step in [step for step in ACTIVITY_STEPS if step in begun]:
        shown = await read_without_queries(client, make_step_id(operation_id, step))
        result = results[step]
        assert shown.result_summary == (result and result.model_dump(mode="json"))


async def assert_same(client: Client, operation_id: str, *further: str) -> OperationInfo:
    """Check that an operation and its children read the same with and without a replay."""
    shown = await read_without_queries(client, operation_id)
    for each in (operation_id, *further):
        read, replayed = await read_without_queries(client, each), await replay(client, each)
        assert _replace_times(read.model_dump(), datetime.timestamp) == _replace_times(
            replayed.model_dump(), _allow_for_local_activities
        )
    return shown


def _allow_for_local_activities(time: datetime) -> Any:
    """Return what equals the seconds of nearly the same time.

    If a workflow task ends while a local activity does, the time in the workflow is the start of
    the next workflow task, but in a replay the end of the activity.
    """
    return pytest.approx(time.timestamp(), abs=1.0)


def _replace_times(content: Any, replacement: Callable[[datetime], Any]) -> Any:
    if isinstance(content, datetime):
        return replacement(content)
    if isinstance(content, dict):
        return {key: _replace_times(each, replacement) for key, each in content.items()}
    if isinstance(content, list | tuple):
        return [_replace_times(each, replacement) for each in content]
    return content


@pytest.mark.parametrize("end", ENDS)
async def test_a_research_is_shown_as_its_workflow_would_show_it(
    api: httpx2.AsyncClient, client: Client, end: str
) -> None:
    operation_id = await start(client, ENDS[end])
    before = await ended(api, operation_id)
    steps = [
        child["operation_id"]
        for child in before["children"]
        if child["operation_type"] in {"training", "backtesting"}
    ]
    shown = await assert_same(client, operation_id, *steps)
    await assert_same_results(client, operation_id)
    assert shown.status == before["status"]
    assert (shown.result_summary is None) is (end == "failed")
    assert accepted(await api.get(f"/operations/{operation_id}"))["data"] == before


@pytest.mark.parametrize("stay", [IN_DESIGN, IN_TRAINING], ids=lambda stay: stay.phase.value)
async def test_a_cancelled_research_is_shown_as_its_workflow_would_show_it(
    api: httpx2.AsyncClient, client: Client, stay: Stay
) -> None:
    operation_id = await trigger_stay(api, client, stay)
    path = f"/operations/{operation_id}"
    body = {"reason": "no longer needed"}
    accepted(await api.request("DELETE", path, json=body, params={"wait": 30}))
    steps = [f"{operation_id}.training"] if stay.in_child_workflow else []
    shown = await assert_same(client, operation_id, *steps)
    assert (shown.status, shown.cancellation_reason) == ("cancelled", "no longer needed")


async def test_a_terminated_research_is_shown_as_its_workflow_would_show_it(
    api: httpx2.AsyncClient, client: Client
) -> None:
    operation_id = await trigger_stay(api, client, IN_TRAINING)
    body = {"reason": "at once", "force": True}
    accepted(await api.request("DELETE", f"/operations/{operation_id}", json=body))
    shown = await assert_same(client, operation_id)
    assert shown.forced
    assert shown.phases


async def test_a_resumed_research_forgets_how_it_ended_before(
    api: httpx2.AsyncClient, client: Client
) -> None:
    operation_id = await trigger_stay(api, client, IN_TRAINING)
    path = f"/operations/{operation_id}"
    accepted(await api.request("DELETE", path, json={"reason": "first"}, params={"wait": 30}))
    accepted(await api.post(f"{path}/resume"), 202)
    await IN_TRAINING.begun(client, operation_id)
    running = accepted(await api.get(path))["data"]
    assert (running["status"], running["cancellation_reason"]) == ("running", None)
    accepted(await api.request("DELETE", path, json={"reason": "second"}, params={"wait": 30}))
    shown = await assert_same(client, operation_id, f"{operation_id}.training")
    assert shown.cancellation_reason == "second"


async def test_a_campaign_over_a_universe_is_shown_as_its_workflow_would_show_it(
    api: httpx2.AsyncClient, client: Client, fresh_universe: Callable[..., None]
) -> None:
    symbols = ["KEPTA", "KEPTB", "KEPTC"]
    fresh_universe(symbols)
    request = {"name": "kept", "research": {**QUICK, "symbols": symbols}, "seeds": [1, 2]}
    campaign = accepted(await api.post("/campaigns", json=request), 202)["operation_id"]
    await ended(api, campaign)
    members = [make_member_id(campaign, number) for number in (1, 2)]
    shown = await assert_same(client, campaign, *members)
    assert shown.result_summary is not None
    assert (await read_without_queries(client, members[0])).metadata.symbols == symbols


async def test_what_has_ended_is_read_when_the_workers_have_gone(
    alone_api: httpx2.AsyncClient, alone: Client, settings: Settings
) -> None:
    operation_id = await trigger(alone_api, ENDS["completed"])
    async with run_workers(alone, settings):
        before = await ended(alone_api, operation_id)
    async with serving(create_app(settings, alone)) as fresh:
        for _ in range(2):
            assert accepted(await fresh.get(f"/operations/{operation_id}"))["data"] == before
        rows = accepted(await fresh.get(f"/operations/{operation_id}/children"))["data"]
    assert [row["status"] for row in rows] == ["completed"] * len(before["children"])
    assert before["phases"]
