"""A new version takes over while researches run: none is lost, none is continued by wrong code."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from api.app import create_app
from errors import StartupError
from settings import Settings
from temporal.deployments import list_versions, promote
from tests.support.helpers import (
    KTRDR,
    PATIENCE,
    ROOT,
    assert_eventually,
    environment,
    process,
    serving,
)
from tests.support.outside.temporal_server import activity_started, connect, dev_server
from tests.support.phases import start
from tests.support.processes import fork_servers, suspended
from workflows.interface.messages import ResearchRequest, ResearchResult
from workflows.policies import WORKFLOW_QUEUES
from workflows.research import Research

pytestmark = pytest.mark.long

DEPLOYMENT = "ktrdr"
OLD = ROOT / "worker.py"
NEW = ROOT / "tests/integration/upgraded_worker.py"
IN_FLIGHT = 20

# How often the server looks whether a version is drained, and how long after an upgrade it begins
# to. Its own 3 minutes for each are too long for a test.
LOOKS_FOR_DRAINED = {
    "matching.wv.VersionDrainageStatusRefreshInterval": "1s",
    "matching.wv.VersionDrainageStatusVisibilityGracePeriod": "1s",
}

Handle = WorkflowHandle[Research, ResearchResult]


@pytest_asyncio.fixture
async def attentive(tmp_path: Path) -> AsyncIterator[Client]:
    """A client of a server of its own that soon finds a version drained."""
    with dev_server(tmp_path, config=LOOKS_FOR_DRAINED) as address:
        yield await connect(address)


@contextmanager
def worker_of(
    client: Client, settings: Settings, build_id: str | None, script: Path
) -> Iterator[int]:
    """Run a worker of a version, and yield its process id.

    Without a build id it takes whatever comes.
    """
    version = {"KTRDR_DEPLOYMENT": DEPLOYMENT, "KTRDR_BUILD_ID": build_id} if build_id else {}
    given = {**environment(client, settings), "PYTHONPATH": str(ROOT), **version}
    settings.home.mkdir(parents=True, exist_ok=True)
    with (
        (settings.home / f"{build_id}.log").open("ab") as log,
        process(
            [sys.executable, str(script)], cwd=ROOT, env=given, stdout=log, stderr=log
        ) as worker,
    ):
        yield worker.pid


async def was_refused(handle: Handle) -> bool:
    """Whether a worker found that its code cannot have made this history."""
    return any(
        event.workflow_task_failed_event_attributes.cause
        == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
        for event in (await handle.fetch_history()).events
    )


async def version_of(handle: Handle) -> str:
    """Return the version that a research has begun on; nothing if it has not."""
    info = (await handle.describe()).raw_description.workflow_execution_info.versioning_info
    return info.deployment_version.build_id


async def ran_on(handle: Handle) -> str:
    """Return the version that a research has stayed with; no other one has tried."""
    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert not await was_refused(handle)
    return await version_of(handle)


async def admin(client: Client, settings: Settings, *arguments: str) -> list[list[str]]:
    """Run `ktrdr admin` as an operator does, and return the words of each line that it prints."""
    command = await asyncio.create_subprocess_exec(
        *(KTRDR, "admin", *arguments),
        env={**environment(client, settings), "KTRDR_DEPLOYMENT": DEPLOYMENT},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, problem = await command.communicate()
    assert command.returncode == 0, problem.decode()
    return [line.split() for line in output.decode().splitlines()]


def starts_on(build_id: str) -> list[list[str]]:
    """Return the words by which the command says that a version has been deployed."""
    return [f"New operations start on version {build_id}.".split()]


async def looked(client: Client, build_id: str) -> bool:
    """Whether the server has looked again for what runs on a version, since it was replaced."""
    request = DescribeWorkerDeploymentRequest(
        namespace=client.namespace, deployment_name=DEPLOYMENT
    )
    answer = await client.workflow_service.describe_worker_deployment(request)
    [drainage] = [
        each.drainage_info
        for each in answer.worker_deployment_info.version_summaries
        if each.deployment_version.build_id == build_id
    ]
    return drainage.last_checked_time.ToNanoseconds() > drainage.last_changed_time.ToNanoseconds()


def listed(old: str) -> list[list[str]]:
    """Return the words by which the command lists the versions, the new one in use."""
    return [["Version"], ["new", "current"], ["old", old]]


async def test_a_new_version_takes_over_while_researches_run(
    attentive: Client, settings: Settings
) -> None:
    request = ResearchRequest(strategy="quick", seed=7, bypass_gates=True)

    async def started_on(build_id: str, count: int) -> list[Handle]:
        started = [await start(attentive, request) for _ in range(count)]

        async def begun() -> bool:
            return {await version_of(each) for each in started} == {build_id}

        await assert_eventually(begun, within=PATIENCE)
        return started

    async def drained() -> bool:
        return any(each.drained for each in await list_versions(attentive, DEPLOYMENT))

    with ExitStack() as new_version:
        with worker_of(attentive, settings, "old", OLD) as old:
            # What is started before the first version is deployed waits for it.
            before = [await start(attentive, request)]
            assert await admin(attentive, settings, "deploy", "old") == starts_on("old")
            await before[0].result()
            [fork_server] = fork_servers(old)

            new_version.enter_context(worker_of(attentive, settings, "new", NEW))
            # What begins now cannot end: nothing is computed until the new version has taken over.
            with suspended(fork_server):
                before += await started_on("old", IN_FLIGHT)
                assert await admin(attentive, settings, "deploy", "new") == starts_on("new")
                after = await started_on("new", 2)
                assert await admin(attentive, settings, "deploy", "old") == starts_on("old")
                before += await started_on("old", 1)
                assert await admin(attentive, settings, "deploy", "new") == starts_on("new")
                after += await started_on("new", 1)
                await assert_eventually(lambda: looked(attentive, "old"), within=PATIENCE)
                assert await admin(attentive, settings, "versions") == listed(old="running")
                assert not (await before[-1].describe()).close_time
            results = await asyncio.gather(*(each.result() for each in before + after))
            assert {await ran_on(each) for each in before} == {"old"}
            assert {await ran_on(each) for each in after} == {"new"}
            assert len({result.model_sha256 for result in results}) == 1

            await assert_eventually(drained, within=PATIENCE)
            assert await admin(attentive, settings, "versions") == listed(old="drained")
        last = await start(attentive, request)
        assert (await last.result()).model_sha256 == results[0].model_sha256
        assert await ran_on(last) == "new"


async def test_ready_means_that_the_current_version_serves(
    alone: Client, settings: Settings
) -> None:
    async with serving(create_app(settings, alone)) as api:

        async def ready() -> bool:
            return (await api.get("/health/ready")).is_success

        async def not_ready() -> bool:
            return not await ready()

        with worker_of(alone, settings, "old", OLD):
            await assert_eventually(lambda: listed_as(alone, "old"))
            assert not await ready()  # It receives no work before it is deployed.
            await promote(alone, DEPLOYMENT, "old")
            await assert_eventually(ready)
            with worker_of(alone, settings, "new", NEW):
                await promote(alone, DEPLOYMENT, "new")
                await assert_eventually(ready)
            await assert_eventually(not_ready)
            workers = (await api.get("/health/ready")).json()["workers"]
            assert workers == dict.fromkeys(WORKFLOW_QUEUES, 0)
            await promote(alone, DEPLOYMENT, "old")
            await assert_eventually(ready)


async def listed_as(client: Client, build_id: str) -> bool:
    """Whether Temporal knows of workers of this version."""
    try:
        return build_id in {each.build_id for each in await list_versions(client, DEPLOYMENT)}
    except StartupError as error:
        raise AssertionError(error.message) from error


async def test_a_change_without_a_patch_is_cured_by_going_back(
    alone: Client, settings: Settings
) -> None:
    request = ResearchRequest(strategy="steady", seed=7, bypass_gates=True)
    with worker_of(alone, settings, None, OLD):
        handle = await start(alone, request)
        await activity_started(alone.get_workflow_handle(f"{handle.id}.training"), "train")

    with worker_of(alone, settings, None, NEW):
        await assert_eventually(lambda: was_refused(handle), within=PATIENCE)
    with worker_of(alone, settings, None, OLD):
        assert (await handle.result()).verdict is not None


async def test_what_was_never_there_cannot_take_over(
    alone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("temporal.deployments._ATTEMPTS", 1)
    with pytest.raises(StartupError, match="Version next of ktrdr cannot take over"):
        await promote(alone, DEPLOYMENT, "next")
    with pytest.raises(StartupError, match="has never had a worker"):
        await list_versions(alone, DEPLOYMENT)
