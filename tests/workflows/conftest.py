from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from tests.support.outside.temporal_server import end_everything


@pytest_asyncio.fixture(autouse=True)
async def nothing_keeps_running(client: Client) -> AsyncIterator[None]:
    """Keep the work of one test, even of a failed one, away from the next."""
    yield
    await end_everything(client)
