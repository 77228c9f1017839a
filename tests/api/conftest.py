from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from api.app import create_app
from settings import Settings
from tests.support.helpers import PATIENCE, serving
from tests.support.outside.starts import Starts
from tests.support.outside.temporal_server import ended
from tests.support.phases import QUICK, start


@pytest.fixture(scope="session", autouse=True)
def patient_checks() -> Iterator[None]:
    """Let a check of bars take as long as it needs. Else a busy machine starts without it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("api.steps.readiness._SECONDS", PATIENCE)
        yield


@pytest_asyncio.fixture(autouse=True)
async def nothing_keeps_running(client: Client, starts: Starts) -> AsyncIterator[None]:
    """End the work of a test before the next test, even after a failure."""
    async with ended(client, starts):
        yield


@pytest_asyncio.fixture
async def alone_api(alone: Client, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """The API in front of a namespace that no worker serves."""
    async with serving(create_app(settings, alone)) as http:
        yield http


@pytest_asyncio.fixture(scope="module")
async def completed(client: Client) -> str:
    """The id of a research that has completed all steps, for the tests of one module."""
    handle = await start(client, QUICK)
    await handle.result()
    return handle.id
