from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from tests.support.outside.starts import Starts
from tests.support.outside.temporal_server import ended


@pytest_asyncio.fixture(autouse=True)
async def nothing_keeps_running(client: Client, starts: Starts) -> AsyncIterator[None]:
    """Keep the work of one test, even of a failed one, away from the next."""
    async with ended(client, starts):
        yield
