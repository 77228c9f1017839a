"""The API with keys."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from api.app import create_app
from api.auth.keys import KeyRing
from api.auth.scopes import Scope
from settings import Settings
from tests.api.doors.keyed import OWNERS, Keys
from tests.support.helpers import serving


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "secrets" / "keys.json")


@pytest_asyncio.fixture
async def keyed(client: Client, settings: Settings, ring: KeyRing) -> AsyncIterator[Keys]:
    """The API with three keys to run, one to read, one to cancel and one for everything."""
    tokens = {owner: ring.add(owner, owner, (Scope.RUN,)) for owner in OWNERS}
    for scope in (Scope.READ, Scope.CANCEL, Scope.ADMIN):
        tokens[scope] = ring.add(scope, "ops", (scope,))
    app = create_app(settings.model_copy(update={"api_keys": ring.path}), client)
    async with AsyncExitStack() as stack:
        anybody = await stack.enter_async_context(serving(app))
        clients = Keys(anybody=anybody)
        for name, token in tokens.items():
            clients[name] = await stack.enter_async_context(
                httpx2.AsyncClient(
                    transport=httpx2.ASGITransport(app=app),
                    base_url="http://localhost",
                    headers={"Authorization": f"Bearer {token}"},
                )
            )
        yield clients
