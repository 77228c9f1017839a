"""What the Web UI and the `temporal` command show."""

import json

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client

from tests.support.helpers import assert_eventually, new_id
from tests.support.outside.temporal_server import temporal_command
from tests.support.phases import IN_TRAINING, start
from workflows.interface import search_attributes
from workflows.interface.contract import OperationInfo, OperationStatus, OperationType, Phase
from workflows.interface.messages import ResearchRequest, ResearchResult
from workflows.policies import RESEARCH_QUEUE


async def test_search_attributes_say_what_came_out(client: Client) -> None:
    handle = await start(client, ResearchRequest(trials=1, seed=7, owner="ada"))
    result = await handle.result()
    attributes = (await handle.describe()).typed_search_attributes
    assert {key.name: attributes.get(key) for key in search_attributes.ALL} == {
        "OperationType": "agent_research",
        "ParentOperationId": None,
        "ResearchPhase": "done",
        "Symbol": "SP500",
        "Symbols": None,
        "Owner": "ada",
        "Verdict": result.verdict,
        "Strategy": result.strategy_name,
        "ResumedRun": None,
    }
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert "completed" in metadata.current_details
    assert result.verdict in metadata.current_details
    assert result.report_path in metadata.current_details


@pytest.mark.parametrize(
    ("step", "operation_type"),
    [("training", OperationType.TRAINING), ("backtest", OperationType.BACKTEST)],
)
async def test_search_attributes_of_a_child_lead_to_its_research(
    client: Client, step: str, operation_type: OperationType
) -> None:
    handle = await start(client, ResearchRequest(strategy="quick", seed=7, owner="ada"))
    await handle.result()
    child = client.get_workflow_handle(f"{handle.id}.{step}")
    attributes = (await child.describe()).typed_search_attributes
    assert attributes.get(search_attributes.OPERATION_TYPE) == operation_type
    assert attributes.get(search_attributes.PARENT_OPERATION_ID) == handle.id
    assert attributes.get(search_attributes.OWNER) == "ada"


async def test_researches_are_found_by_owner_and_phase(client: Client) -> None:
    owner = new_id("owner")
    handle = await start(client, ResearchRequest(trials=1, seed=7, owner=owner))
    await handle.result()

    async def found() -> list[str]:
        query = f"Owner = '{owner}' AND ResearchPhase = 'done' AND OperationType='agent_research'"
        return [execution.id async for execution in client.list_workflows(query)]

    assert await assert_eventually(found) == [handle.id]


async def test_the_query_shows_phase_and_running_child(client: Client) -> None:
    handle = await IN_TRAINING.begin(client)
    info = await handle.query("operation", result_type=OperationInfo)
    assert info.status is OperationStatus.RUNNING
    assert info.phase is Phase.TRAINING
    assert info.progress.percentage == 20.0
    assert info.running_child is not None
    assert info.running_child.operation_id == f"{handle.id}.training"
    assert info.metadata.parameters["training_op_id"] == f"{handle.id}.training"
    await handle.cancel()


async def test_summaries_make_the_history_readable(client: Client) -> None:
    handle = await start(client, ResearchRequest(trials=2, seed=7))
    await handle.result()
    history = await handle.fetch_history()
    summaries = []
    for event in history.events:
        payload = event.user_metadata.summary
        if payload.data:
            summaries += await client.data_converter.decode([payload], [str])
    text = "\n".join(summaries)
    for part in (
        "Design: 2 trials",
        "Training of ",
        "Backtest of ",
        "Assess significance",
        "Record: ",
    ):
        assert part in text


async def test_the_temporal_command_starts_and_queries_a_research(client: Client) -> None:
    research = new_id()
    await temporal_command(
        client,
        *("workflow", "start", "--type", "Research", "--task-queue", RESEARCH_QUEUE),
        *("--workflow-id", research, "--input", '{"trials": 1, "seed": 7}'),
    )
    result = await client.get_workflow_handle(research, result_type=ResearchResult).result()
    answer = await temporal_command(
        client, "workflow", "query", "-w", research, "--type", "operation", "-o", "json"
    )
    info = json.loads(answer)["queryResult"][0]
    assert info["operation_id"] == research
    assert info["status"] == "completed"
    assert info["result_summary"]["model_sha256"] == result.model_sha256
