"""The recorded histories: how they begin and end, and where they are."""

import contextlib
import json
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from tests.support.phases import Stay
from workflows.interface.messages import ResearchInput, ResearchRequest
from workflows.policies import RESEARCH_QUEUE
from workflows.research import Research

HISTORIES = Path(__file__).parent / "histories"


async def begin(client: Client, name: str, stay: Stay) -> WorkflowHandle[Any, Any]:
    handle = await start(client, name, stay.request)
    await stay.begun(client, name)
    return handle


async def start(client: Client, name: str, request: ResearchRequest) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(
        Research.run, ResearchInput.of(request), id=name, task_queue=RESEARCH_QUEUE
    )


async def finish(handle: WorkflowHandle[Any, Any]) -> None:
    with contextlib.suppress(WorkflowFailureError):
        await handle.result()


async def save(
    client: Client, workflow_id: str, run_id: str | None = None, *, name: str | None = None
) -> None:
    history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    content = json.loads(history.to_json(), object_hook=_without_traces)
    (HISTORIES / f"{name or workflow_id}.json").write_text(json.dumps(content) + "\n")


def _without_traces(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out what only says where the code was."""
    return {name: value for name, value in content.items() if name != "stackTrace"}
