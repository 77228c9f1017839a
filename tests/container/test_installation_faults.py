"""The installation of docker-compose.yml when its parts die, fall silent, or are restarted."""

import asyncio
from typing import Any, Final

import httpx2
import pytest

from tests.api.answers import accepted, ended
from tests.container.installation import HOST, Installation, first_process, paused
from tests.container.researches import completed, shown, start, until_training
from tests.support.helpers import assert_eventually
from tests.support.processes import compute_processes, kill

pytestmark = pytest.mark.timeout(1800)

# Two on a machine that is not busy.
SECONDS_TO_CANCEL: Final = 20.0


def find_workers(installation: Installation) -> list[dict[str, Any]]:
    """Return the containers of all workers. Each of them serves the one queue of what computes."""
    services = ("worker-research", "worker-training", "worker-backtest")
    return [each for service in services for each in installation.containers(service)]


def computing(workers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the containers in which something computes."""
    return [each for each in workers if compute_processes(first_process(each))]


def kill_container(container: dict[str, Any]) -> None:
    """Kill a container's first process as the system would, so that the engine starts it again."""
    kill(first_process(container))


async def test_a_training_goes_on_when_its_workers_container_is_killed(
    installation: Installation,
) -> None:
    # To ask the engine takes seconds, in which a training may end.
    workers = find_workers(installation)
    async with installation.client() as api:
        research = await start(api, strategy="steady")
        await until_training(api, research)
        [container] = computing(workers)
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
    workers = find_workers(installation)

    async def stopped() -> bool:
        return not computing(workers)

    async with installation.client() as api:
        research = await start(api, strategy="slow")
        await until_training(api, research)
        assert computing(workers)
        with paused(installation, "postgresql"):
            async with asyncio.timeout(SECONDS_TO_CANCEL):
                accepted(await api.delete(f"/agent/cancel/{research}"))
            await assert_eventually(stopped)
            assert (await shown(api, research))["cancel_requested"]
        # Its record waits for the database.
        assert (await ended(api, research))["status"] == "cancelled"
