import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.stack import Stack
from tests.support.helpers import PATIENCE, assert_eventually


@pytest_asyncio.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack that `ktrdr up` keeps running."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    with stack.started("up") as up:
        await assert_eventually(stack.ready, within=PATIENCE)
        yield stack
        up.send_signal(signal.SIGINT)
        assert up.wait(90) == 0
