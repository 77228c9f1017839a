"""For each process of pytest one engine, one set of images and one installation."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.container.base import root_file_system
from tests.container.engine import Engine, running_engine, what_is_missing
from tests.container.images import (
    FIRST_BUILD,
    base_of,
    build_stand_ins,
    built_meanwhile,
    checkout,
    import_base,
    inspected,
)
from tests.container.installation import Installation
from tests.support.helpers import ROOT

# Read before the tests hide all settings from themselves.
REQUIRED = os.environ.get("KTRDR_CONTAINERS") == "1"

MACHINES: Final = "test_fresh_machine.py"


class SideBySide(LoadScopeScheduling):  # type: ignore[misc]
    """One process of pytest tests fresh machines, another one all else, with an engine each.

    So the installation can be cut off from power while machines are installed.
    """

    def _split_scope(self, nodeid: str) -> str:
        return MACHINES if MACHINES in nodeid else "installation"


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> SideBySide:
    """Tell pytest-xdist to distribute the tests like this."""
    return SideBySide(config, log)


@pytest.fixture(scope="session")
def able() -> bool:
    """On a machine without containers the tests are skipped, or fail with KTRDR_CONTAINERS=1."""
    if missing := what_is_missing():
        (pytest.fail if REQUIRED else pytest.skip)(missing)
    return True


@pytest.fixture(scope="session")
def engine(able: bool, worker_id: str) -> Iterator[Engine]:
    """A container engine."""
    assert able
    number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))
    with running_engine(number) as started:
        yield started


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for large things."""
    return tmp_path_factory.mktemp("containers")


@pytest.fixture(scope="session")
def roots(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A directory for root file systems, which all processes of pytest share."""
    own = tmp_path_factory.getbasetemp()
    shared = (own if worker_id == "master" else own.parent) / "roots"
    shared.mkdir(exist_ok=True)
    return shared


@pytest.fixture(scope="session")
def bookworm(engine: Engine, roots: Path) -> str:
    """An image of Debian 12, on which ours is built, too."""
    image = "debian:bookworm-slim"
    root = root_file_system("bookworm", roots)
    import_base(engine, root, image, base_of(ROOT / "Dockerfile"))
    return image


@pytest.fixture(scope="session")
def trixie(engine: Engine, roots: Path) -> str:
    """An image of Debian 13."""
    image = "debian:trixie-slim"
    import_base(engine, root_file_system("trixie", roots), image)
    return image


@pytest.fixture(scope="session")
def images(engine: Engine, directory: Path, bookworm: str) -> Path:
    """All images that docker-compose.yml names, and the checkout that ours was built from."""
    assert inspected(engine, bookworm)
    where = checkout(directory / "checkout")
    with built_meanwhile(engine, where, FIRST_BUILD):
        build_stand_ins(engine, directory / "stand_ins")
    return where


@pytest.fixture(scope="session")
def started(engine: Engine, images: Path) -> tuple[Installation, float]:
    """The installation, started for the first time, and the seconds that its start took."""
    installation = Installation(engine, images)
    seconds = installation.start()
    installation.bring_in_bars_and_strategies()
    return installation, seconds


@pytest.fixture
def installation(started: tuple[Installation, float]) -> Iterator[Installation]:
    """The installation, healthy after every test, and so before the next."""
    installed, _ = started
    yield installed
    installed.until_healthy()
