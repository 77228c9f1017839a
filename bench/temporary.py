"""An embedded stack for one benchmark, with free ports and a temporary state directory."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.common import TypedSearchAttributes

from api.operations.start import make_research_start
from bench.ports import find_free_ports
from cli.stack import Stack
from settings import Settings, load_settings
from temporal.converter import data_converter
from workflows.interface.messages import ResearchInput, ResearchRequest, ResearchResult
from workflows.research import Research

ResearchHandle = WorkflowHandle[Research, ResearchResult]

# Without a pause the SDK's threads can abort a short-lived process at its exit.
_SECONDS_TO_DISCONNECT = 0.3


@contextlib.contextmanager
def temporary_settings() -> Iterator[Settings]:
    """Yield settings with free ports and a state directory that is removed with the context.

    The environment has the same values, for the processes of the stack.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="ktrdr-bench-") as home:
        for name, port in zip(("TEMPORAL", "UI", "API"), find_free_ports(3), strict=True):
            os.environ[f"KTRDR_{name}_PORT"] = str(port)
        os.environ["KTRDR_HOME"] = home
        try:
            yield load_settings()
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextlib.asynccontextmanager
async def temporary_stack() -> AsyncIterator[tuple[Settings, Client]]:
    """Run the embedded stack, with a client of its Temporal server."""
    with temporary_settings() as settings, Stack(settings):
        yield (
            settings,
            await Client.connect(
                f"127.0.0.1:{settings.temporal_port}", data_converter=data_converter
            ),
        )
    await asyncio.sleep(_SECONDS_TO_DISCONNECT)


async def start_research(client: Client, request: ResearchRequest) -> ResearchHandle:
    """Start a research as the API does, without the API."""
    start = make_research_start(request)
    return await client.start_workflow(
        Research.run,
        ResearchInput.of(request),
        id=f"bench-{uuid4().hex}",
        task_queue=start.task_queue,
        priority=start.priority,
        static_summary=start.summary,
        static_details=start.details,
        memo=start.memo,
        search_attributes=TypedSearchAttributes(start.attributes),
    )
