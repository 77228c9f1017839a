"""The page of an API that asks for keys."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
from playwright.async_api import Page
from temporalio.client import Client

from api.auth.keys import KeyRing
from api.auth.scopes import Scope
from settings import Settings
from tests.page.conftest import run_site


class KeyedSite:
    """An API, and a key for each kind of caller.

    Args:
        address: Where it listens.
        ring: Its keys, of which it has none yet.
    """

    def __init__(self, address: str, ring: KeyRing) -> None:
        self.address = address
        self._admin = ring.add("admin", "ops", (Scope.ADMIN,))
        self.reader = ring.add("reader", "ops", (Scope.READ,))
        self.runner = ring.add("ada", "ada", (Scope.RUN,))
        self.reading_runner = ring.add("eve", "ada", (Scope.READ, Scope.RUN))
        self.canceller = ring.add("guard", "ops", (Scope.READ, Scope.CANCEL))

    def as_admin(self) -> httpx2.AsyncClient:
        """Return a client that may do everything."""
        headers = {"Authorization": f"Bearer {self._admin}"}
        return httpx2.AsyncClient(base_url=self.address, headers=headers, timeout=60)


@contextlib.asynccontextmanager
async def run_keyed_site(
    settings: Settings, client: Client, directory: Path
) -> AsyncIterator[KeyedSite]:
    """Run an API with keys, which are kept in this directory."""
    ring = KeyRing(directory / "keys.json")
    keyed = settings.model_copy(update={"api_keys": ring.path})
    async with run_site(keyed, client) as site:
        yield KeyedSite(site.address, ring)


async def use_key(page: Page, key: str) -> None:
    """Give the page the key that it asks for."""
    await page.get_by_role("textbox", name="Key").fill(key)
    await page.get_by_role("button", name="Use this key").click()
