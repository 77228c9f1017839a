"""An embedded stack for one benchmark, with free ports and a temporary state directory."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.common import TypedSearchAttributes

from api.operations.start import make_research_start
from bench.ports import find_free_ports
from cli.signals import interrupted_by_signals
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

    The environment has the same values, for the processes of the stack. SIGTERM and SIGHUP
    interrupt the block as Ctrl-C does, so that the directory is removed then, too.
    """
    before = dict(os.environ)
    with (
        interrupted_by_signals(),
        tempfile.TemporaryDirectory(prefix="ktrdr-bench-") as home,
    ):
        for name, port in zip(("TEMPORAL", "UI", "API"), find_free_ports(3), strict=True):
            os.environ[f"KTRDR_{name}_PORT"] = str(port)
        os.environ["KTRDR_HOME"] = home
        try:
            yield load_settings()
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextlib.asynccontextmanager
async def connected_stack(
    settings: Settings, **options: Any
) -> AsyncIterator[tuple[Stack, Client]]:
    """Run the embedded stack, with a client of its Temporal server.

    Args:
        settings: Those of the stack.
        options: Of `Stack`.
    """
    with Stack(settings, **options) as stack:
        address = f"127.0.0.1:{settings.temporal_port}"
        yield stack, await Client.connect(address, data_converter=data_converter)
    await asyncio.sleep(_SECONDS_TO_DISCONNECT)


@contextlib.asynccontextmanager
async def temporary_stack(**options: Any) -> AsyncIterator[tuple[Settings, Client]]:
    """Run a stack with temporary settings, and with these options of `Stack`."""
    with temporary_settings() as settings:
        async with connected_stack(settings, **options) as (_, client):
            yield settings, client


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
