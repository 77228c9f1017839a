"""A Temporal server of the tests, its namespaces, and what runs in them."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, Interceptor, WorkflowExecutionDescription, WorkflowHandle
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError

from cli.temporal_server import find_temporal, make_server_command
from settings import Settings
from temporal.connection import register_search_attributes
from temporal.converter import data_converter
from temporal.dynamic_config import load_dynamic_config
from tests.support.helpers import PATIENCE, assert_eventually, free_port, new_id, process
from tests.support.outside.starts import Starts
from tests.support.processes import compute_processes
from workflows.interface.ids import SliceId
from workflows.policies import WORKER_HEARTBEAT_INTERVAL


@contextmanager
def dev_server(
    directory: Path, port: int | None = None, *, config: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Run the embedded stack's Temporal server, and yield its address.

    Args:
        directory: where its database and its log are.
        port: a free one if None.
        config: dynamic configuration, added to that of the stack.
    """
    port = port or free_port()
    command = make_server_command(
        find_temporal(Settings().temporal_bin),
        port=port,
        ui_port=None,
        database=directory / "temporal.db",
        config={**load_dynamic_config(), **(config or {})},
    )
    with (directory / "temporal.log").open("ab") as log, process(command, stdout=log, stderr=log):
        yield f"127.0.0.1:{port}"


async def connect(
    address: str, namespace: str = "default", interceptors: Sequence[Interceptor] = ()
) -> Client:
    """Connect as soon as the server answers."""

    async def attempt() -> Client:
        try:
            return await Client.connect(
                address,
                namespace=namespace,
                data_converter=data_converter,
                interceptors=interceptors,
                runtime=_runtime(),
            )
        except RuntimeError as error:
            raise AssertionError(f"no server at {address}: {error}") from error

    return await assert_eventually(attempt)


@cache
def _runtime() -> Runtime:
    """Return the runtime of a worker, which reports to Temporal."""
    return Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=WORKER_HEARTBEAT_INTERVAL)


async def new_namespace(client: Client) -> Client:
    """Make a namespace that no worker serves, and connect to it."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    request = RegisterNamespaceRequest(namespace=name)
    request.workflow_execution_retention_period.FromSeconds(24 * 3600)
    # The server ends a connection now and then, and what is just being asked with it.
    await client.workflow_service.register_namespace(request, retry=True)
    alone = await connect(client.service_client.config.target_host, name)

    async def known() -> bool:
        try:
            await register_search_attributes(alone)
            await alone.count_workflows("Owner = 'nobody'")
        except RPCError as error:
            raise AssertionError(error.message) from error
        return True

    await assert_eventually(known)
    return alone


async def temporal_command(client: Client, *arguments: str) -> str:
    """Run the `temporal` command on the namespace of this client, and return what it prints."""
    command = await asyncio.create_subprocess_exec(
        find_temporal(Settings().temporal_bin),
        *arguments,
        *("--address", client.service_client.config.target_host),
        *("--namespace", client.namespace),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, problem = await command.communicate()
    assert command.returncode == 0, problem.decode()
    return output.decode()


async def activity_started(handle: WorkflowHandle[Any, Any], activity: str) -> None:
    """Wait until a worker runs this activity of the workflow."""

    async def look() -> bool:
        try:
            description = await handle.describe()
        except RPCError as error:
            raise AssertionError(error.message) from error  # A child that has not begun.
        assert description.close_time is None, f"{handle.id} has ended as {description.status}"
        return runs(description, activity)

    await assert_eventually(look, within=PATIENCE)


def runs(description: WorkflowExecutionDescription, activity: str) -> bool:
    """Whether a worker runs this activity, or slices of a design, of what is described."""
    return any(
        (
            each.activity_id == activity
            or (activity == "design" and SliceId.parse(each.activity_id) is not None)
        )
        and each.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        for each in description.raw_description.pending_activities
    )


@asynccontextmanager
async def ended(client: Client, starts: Starts) -> AsyncIterator[None]:
    """End what has been started when the block ends, so that it keeps nobody else busy.

    Most tests of refusals start nothing, and to end that would take longer than they do.
    """
    yield
    if starts.heard:
        await end_everything(client)
        starts.heard = False


async def end_everything(client: Client) -> None:
    """Terminate what a test has left running, and wait until the compute has stopped."""
    # A list that does not show this one yet may lack others that have just been started, too.
    last = await client.start_workflow("Last", id=new_id("last"), task_queue="nobody")
    listed = set()

    async def look() -> bool:
        async for execution in client.list_workflows("ExecutionStatus = 'Running'"):
            listed.add(execution.id)
            with contextlib.suppress(RPCError):
                await client.get_workflow_handle(execution.id).terminate()
        if last.id not in listed:
            return False
        running = compute_processes()
        assert not running, f"still computing: {running}"
        return True

    await assert_eventually(look)
