"""A provider on loopback, and a key for it."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.computing.compute import Compute
from activities.research import ResearchActivities
from settings import Settings
from storage.ledger.ledger import Ledger
from tests.llm.provider import Provider, running_provider
from tests.support.helpers import activity_environment
from tests.support.outside.temporal_server import end_everything

KEY = "sk-secret-0123456789abcdef"


@pytest_asyncio.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    """A provider of both protocols; the environment leads to it."""
    async with running_provider() as running:
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.address)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.address}/v1")
        yield running


@pytest_asyncio.fixture(scope="session")
async def compute() -> AsyncIterator[Compute]:
    """Compute processes for activities that run without a worker."""
    compute = Compute(8, niceness=Settings().compute_niceness)
    yield compute
    await compute.close()


@pytest.fixture
def own_settings(tmp_path: Path, strategy_dir: Path) -> Settings:
    """Settings with a ledger and artifacts that no other test uses."""
    return Settings(home=tmp_path, strategy_dir=strategy_dir)


@pytest.fixture
def ledger(own_settings: Settings, migrated_file: Path) -> Iterator[Ledger]:
    """The ledger of these settings."""
    own_settings.home.mkdir(exist_ok=True)
    shutil.copyfile(migrated_file, own_settings.home / "ledger.db")
    ledger = Ledger(own_settings.ledger_url, own_settings.daily_budget)
    yield ledger
    ledger.close()


@pytest.fixture
def activities(compute: Compute, ledger: Ledger, own_settings: Settings) -> ResearchActivities:
    """Activities without a worker."""
    return ResearchActivities(compute=compute, ledger=ledger, settings=own_settings)


@pytest.fixture
def environment() -> ActivityEnvironment:
    """What an activity finds around it."""
    return activity_environment()


@pytest_asyncio.fixture
async def tidy(client: Client) -> AsyncIterator[Client]:
    """A client of the shared workers; what a test has started ends with it."""
    yield client
    await end_everything(client)
