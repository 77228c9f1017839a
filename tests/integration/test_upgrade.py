"""A new version takes over while researches run: none is lost, none is continued by wrong code."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from errors import StartupError
from settings import Settings
from tests.helpers import ROOT, activity_started, assert_eventually, environment, process
from tests.phases import start
from tests.processes import fork_servers, suspended
from workflows.deployments import promote, versions
from workflows.messages import ResearchRequest, ResearchResult
from workflows.research import Research

DEPLOYMENT = "ktrdr"
OLD = ROOT / "worker.py"
NEW = ROOT / "tests/integration/upgraded_worker.py"
IN_FLIGHT = 20

Handle = WorkflowHandle[Research, ResearchResult]


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


async def test_a_new_version_takes_over_while_researches_run(
    alone: Client, settings: Settings
) -> None:
    request = ResearchRequest(strategy="quick", seed=7, bypass_gates=True)
    with worker_of(alone, settings, "old", OLD) as old:
        await promote(alone, DEPLOYMENT, "old")
        before = [await start(alone, request) for _ in range(IN_FLIGHT // 2)]
        await before[0].result()
        [fork_server] = fork_servers(old)

        async def all_begun() -> bool:
            return {await version_of(each) for each in before} == {"old"}

        with worker_of(alone, settings, "new", NEW):
            # What begins now cannot end: nothing is computed until the new version has taken over.
            with suspended(fork_server):
                before += [await start(alone, request) for _ in range(IN_FLIGHT // 2)]
                await assert_eventually(all_begun)
                await promote(alone, DEPLOYMENT, "new")
                assert not (await before[-1].describe()).close_time
                after = [await start(alone, request) for _ in range(3)]
            results = await asyncio.gather(*(each.result() for each in before + after))
            assert {await ran_on(each) for each in before} == {"old"}
            assert {await ran_on(each) for each in after} == {"new"}
            assert len({result.model_sha256 for result in results}) == 1

            async def drained() -> bool:
                known = {each.build_id: each for each in await versions(alone, DEPLOYMENT)}
                assert known["new"].current
                return known["old"].drained or not known["old"].current

            assert await assert_eventually(drained)


async def test_a_change_without_a_patch_is_cured_by_going_back(
    alone: Client, settings: Settings
) -> None:
    request = ResearchRequest(strategy="steady", seed=7, bypass_gates=True)
    with worker_of(alone, settings, None, OLD):
        handle = await start(alone, request)
        await activity_started(alone.get_workflow_handle(f"{handle.id}.training"), "train")

    with worker_of(alone, settings, None, NEW):
        await assert_eventually(lambda: was_refused(handle))
    with worker_of(alone, settings, None, OLD):
        assert (await handle.result()).verdict is not None


async def test_what_was_never_there_cannot_take_over(
    alone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.deployments._ATTEMPTS", 1)
    with pytest.raises(StartupError, match="Version next of ktrdr cannot take over"):
        await promote(alone, DEPLOYMENT, "next")
    with pytest.raises(StartupError, match="has never had a worker"):
        await versions(alone, DEPLOYMENT)
