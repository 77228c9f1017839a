"""The installation of docker-compose.yml when its parts die, fall silent, or are restarted."""

import asyncio
from typing import Any, Final

import httpx2
import psutil
import pytest

from tests.api.answers import accepted, ended
from tests.container.installation import HOST, Installation, first_process, paused
from tests.container.researches import completed, shown, start, until_training
from tests.support.helpers import assert_eventually
from tests.support.processes import compute_processes, kill

pytestmark = pytest.mark.timeout(1800)

# Two on a machine that is not busy.
SECONDS_TO_CANCEL: Final = 20.0


def computing(installation: Installation) -> list[psutil.Process]:
    """Return the processes in which trainings compute, on this machine."""
    workers = [first_process(each) for each in installation.containers("worker-training")]
    return [process for worker in workers for process in compute_processes(worker)]


def kill_container(container: dict[str, Any]) -> None:
    """Kill a container's first process as the system would, so that the engine starts it again."""
    kill(first_process(container))


async def test_a_training_goes_on_when_its_workers_container_is_killed(
    installation: Installation,
) -> None:
    async with installation.client() as api:
        research = await start(api, strategy="steady")
        await until_training(api, research)
        for container in installation.containers("worker-training"):
            kill_container(container)
        await completed(api, research)
        operation = await shown(api, f"{research}.training")
        assert operation["status"] == "completed"


@pytest.mark.parametrize("service", ["postgresql", "temporal"])
@pytest.mark.parametrize("fault", ["killed", "paused", "restarted"])
async def test_a_research_survives_a_server_that_is(
    installation: Installation, fault: str, service: str
) -> None:
    async with installation.client() as api:
        research = await start(api, strategy="steady")
        await until_training(api, research)
        if fault == "killed":
            [container] = installation.containers(service)
            kill_container(container)
        elif fault == "restarted":
            installation.compose("restart", service)
        else:
            with paused(installation, service):
                # Long enough for every call that is in flight to run out of time.
                await asyncio.to_thread(wait_unready, installation)
        await completed(api, research)


def wait_unready(installation: Installation) -> None:
    """Return when the API says that something is missing; it must not be silent itself."""
    answer = httpx2.get(f"{installation.url}/health/ready", headers=HOST, timeout=60)
    assert answer.status_code == 503, answer.text


async def test_everything_comes_back_after_a_power_cut(installation: Installation) -> None:
    async with installation.client() as api:
        research = await start(api, strategy="steady")
        await until_training(api, research)
    installation.engine.cut_power()
    installation.until_healthy()
    async with installation.client() as api:
        await completed(api, research)


async def test_an_owner_cancels_while_postgresql_is_silent(installation: Installation) -> None:
    async def stopped() -> bool:
        return not computing(installation)

    async with installation.client() as api:
        research = await start(api, strategy="slow")
        await until_training(api, research)
        assert computing(installation)
        with paused(installation, "postgresql"):
            async with asyncio.timeout(SECONDS_TO_CANCEL):
                accepted(await api.delete(f"/agent/cancel/{research}"))
            await assert_eventually(stopped)
            assert (await shown(api, research))["cancel_requested"]
        # Its record waits for the database.
        assert (await ended(api, research))["status"] == "cancelled"
