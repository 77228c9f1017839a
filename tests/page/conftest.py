"""One browser and one API behind a socket for all tests of the page."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx2
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright
from temporalio.client import Client

from api.app import create_app
from settings import Settings
from tests.support.helpers import ROOT, assert_eventually, free_port
from tests.support.outside.temporal_server import end_everything

DESKTOP: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 360, "height": 740}
ULTRA_HD: Final = {"width": 3840, "height": 2160}

# Read now: the tests themselves do not see the settings of whoever runs them.
_REQUIRED: Final = os.environ.get("KTRDR_BROWSER") == "1"
_FOR_DOCUMENTS: Final = os.environ.get("KTRDR_SCREENSHOTS") == "1"

_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")


_HERE: Final = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the page: `make test-page` runs them, and `make test` does not."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.browser)


def find_chromium() -> str:
    """Return the browser. Without one the test is skipped, or fails with KTRDR_BROWSER=1."""
    for name in _CHROMIUM:
        if found := shutil.which(name):
            return found
    reason = "there is no Chromium: `.ci/browser` installs it on Debian"
    if _REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window."""
    path = find_chromium()
    async with async_playwright() as playwright:
        # As root, as in a container, Chromium cannot make its own sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = await playwright.chromium.launch(executable_path=path, args=arguments)
        yield launched
        await launched.close()


class Site:
    """An API at a port of its own. It may be stopped and started again."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._port = free_port()
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.address = f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen."""
        config = uvicorn.Config(
            self._app,
            host="127.0.0.1",
            port=self._port,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
        server = self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(server.serve())

        async def listens() -> bool:
            return server.started

        await assert_eventually(listens)

    async def stop(self) -> None:
        """End all connections."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving


@contextlib.asynccontextmanager
async def run_site(settings: Settings, client: Client) -> AsyncIterator[Site]:
    """Run an API until the context ends."""
    site = Site(create_app(settings, client))
    await site.start()
    try:
        yield site
    finally:
        await site.stop()


@pytest_asyncio.fixture(scope="session")
async def site(client: Client, settings: Settings) -> AsyncIterator[Site]:
    """The API in front of the shared workers."""
    async with run_site(settings, client) as running:
        yield running


@pytest_asyncio.fixture
async def http(site: Site, client: Client) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the same API, for what a test does beside the page. It ends all work."""
    async with httpx2.AsyncClient(base_url=site.address, timeout=60) as connected:
        yield connected
    await end_everything(client)


# A refusal, or an API that is away, is no fault of the page.
_EXPECTED: Final = re.compile(r"Failed to load resource")


@contextlib.asynccontextmanager
async def open_page(
    browser: Browser, address: str, viewport: dict[str, int] | None = None, **options: str
) -> AsyncIterator[Page]:
    """Open a page of its own session. The test fails if the page's own scripts fail."""
    context = await browser.new_context(
        base_url=address,
        viewport=viewport or DESKTOP,  # type: ignore[arg-type]
        reduced_motion="reduce",
        locale="en-GB",
        **options,  # type: ignore[arg-type]
    )
    faults: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _EXPECTED.search(message.text):
            faults.append(message.text)

    page = await context.new_page()
    page.set_default_timeout(40_000)
    page.on("console", hear)
    page.on("pageerror", lambda error: faults.append(str(error)))
    try:
        yield page
        assert faults == []
    finally:
        await context.close()


@pytest_asyncio.fixture
async def page(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """A page on a desktop."""
    async with open_page(browser, site.address) as opened:
        yield opened


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures for the documentation go: into it with KTRDR_SCREENSHOTS=1."""
    return ROOT / "docs" / "images" if _FOR_DOCUMENTS else tmp_path
