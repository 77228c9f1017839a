"""The system under test: one dev server, one set of workers and one API for all tests.

A plugin of pytest: `tests/support/running/sharing.py` loads it.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.worker import Worker

from api.app import create_app
from settings import Settings
from storage.ledger.ledger import Ledger
from tests.support import helpers
from tests.support.outside import temporal_server
from tests.support.outside.starts import Starts
from tests.support.quant.data import walk, write_bars, write_many_bars, write_strategies
from tests.support.quant.universes import write_universe
from worker import run_workers


@pytest.fixture(scope="session", autouse=True)
def plain_environment() -> Iterator[None]:
    """Hide the settings of whoever runs the tests, and let computation have its share."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("KTRDR_", "TEMPORAL_", "ANTHROPIC_", "OPENAI_")):
                patch.delenv(name)
        # Beside busy programs, a step that lets others go first would take minutes.
        patch.setenv("KTRDR_COMPUTE_NICENESS", "1")
        yield


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of the user's bars, good and bad."""
    directory = tmp_path_factory.mktemp("data")
    write_bars(directory)
    return directory


@pytest.fixture
def fresh_bars(data_dir: Path) -> Iterator[Callable[[str, int], None]]:
    """Write bars of which no other test knows anything, under a name and by a seed."""
    written: set[Path] = set()

    def write(symbol: str, seed: int) -> None:
        path = data_dir / f"{symbol}.csv"
        walk(2000, "1D", seed).to_csv(path, index=False)
        written.add(path)

    yield write
    for path in written:
        path.unlink()


@pytest.fixture
def fresh_universe(data_dir: Path) -> Iterator[Callable[..., None]]:
    """Write the bars of several instruments; see `write_universe`."""
    written: set[Path] = set()

    def write(symbols: Sequence[str], **given: Any) -> None:
        write_universe(data_dir, symbols, **given)
        written.update(data_dir / f"{symbol}.csv" for symbol in symbols)

    yield write
    for path in written:
        path.unlink()


@pytest.fixture(scope="session")
def many_bars(data_dir: Path) -> None:
    """Bars on which every step takes a while, in the data directory."""
    write_many_bars(data_dir)


@pytest.fixture(scope="session")
def strategy_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of the user's strategies, quick, slow and hopeless."""
    directory = tmp_path_factory.mktemp("strategies")
    write_strategies(directory)
    return directory


@pytest.fixture(scope="session")
def settings(
    tmp_path_factory: pytest.TempPathFactory, data_dir: Path, strategy_dir: Path
) -> Settings:
    """Settings of the shared workers and the API."""
    return Settings(
        home=tmp_path_factory.mktemp("home"),
        data_dir=data_dir,
        strategy_dir=strategy_dir,
        compute_slots=8,
    )


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables of a ledger, which are copied faster than made."""
    path = tmp_path_factory.mktemp("migrated") / "ledger.db"
    ledger = Ledger(f"sqlite:///{path}")
    ledger.upgrade()
    ledger.close()
    return path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Temporal server, started as the embedded stack starts it."""
    with temporal_server.dev_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


@pytest.fixture(scope="session")
def starts() -> Starts:
    """What the clients of the shared namespace have started."""
    return Starts()


@pytest_asyncio.fixture(scope="session")
async def temporal(server: str, starts: Starts) -> Client:
    """A client of a namespace that may have no worker."""
    return await temporal_server.connect(server, interceptors=[starts])


@pytest.fixture(scope="session")
def shared_workers() -> list[Worker]:
    """The shared workers, as soon as a test has needed them."""
    return []


@pytest.fixture(autouse=True)
def shared_workers_run(shared_workers: list[Worker]) -> Iterator[None]:
    """Fail the test in which a shared worker ends, and do not let later ones wait in vain."""

    def check() -> None:
        ended = [each.task_queue for each in shared_workers if each.is_shutdown]
        assert not ended, f"the shared workers of these queues have ended: {ended}"

    check()
    yield
    check()


@pytest_asyncio.fixture(scope="session")
async def client(
    temporal: Client, settings: Settings, shared_workers: list[Worker]
) -> AsyncIterator[Client]:
    """A client of the namespace that the shared workers serve."""
    async with run_workers(temporal, settings) as workers:
        shared_workers += workers
        yield temporal
        shared_workers.clear()


@pytest_asyncio.fixture
async def alone(temporal: Client) -> Client:
    """A client of a namespace of its own, which no worker serves."""
    return await temporal_server.new_namespace(temporal)


@pytest_asyncio.fixture(scope="session")
async def api(client: Client, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """The API in front of the shared workers."""
    async with helpers.serving(create_app(settings, client)) as http:
        yield http
