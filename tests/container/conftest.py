"""One engine, one set of images and one installation for all tests of containers."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container.base import root_file_system
from tests.container.engine import Engine, running_engine, what_is_missing
from tests.container.images import (
    FIRST_BUILD,
    base_of,
    build_stand_ins,
    built_meanwhile,
    checkout,
    import_base,
)
from tests.container.installation import Installation
from tests.support.helpers import ROOT

# Read before the tests hide all settings from themselves.
REQUIRED = os.environ.get("KTRDR_CONTAINERS") == "1"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A container engine; without one the tests are skipped, or fail with KTRDR_CONTAINERS=1."""
    if missing := what_is_missing():
        (pytest.fail if REQUIRED else pytest.skip)(missing)
    with running_engine() as started:
        yield started


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for large things."""
    return tmp_path_factory.mktemp("containers")


@pytest.fixture(scope="session")
def bookworm(engine: Engine, directory: Path) -> Path:
    """The root file system of Debian 12, not to be changed, and an image `debian:bookworm-slim`."""
    root = root_file_system("bookworm", directory)
    import_base(engine, root, "debian:bookworm-slim", base_of(ROOT / "Dockerfile"))
    return root


@pytest.fixture(scope="session")
def trixie(engine: Engine, directory: Path) -> Path:
    """The root file system of Debian 13, not to be changed, and an image `debian:trixie-slim`."""
    root = root_file_system("trixie", directory)
    import_base(engine, root, "debian:trixie-slim")
    return root


@pytest.fixture(scope="session")
def images(engine: Engine, directory: Path, bookworm: Path) -> Path:
    """All images that docker-compose.yml names, and the checkout that ours was built from."""
    assert bookworm.exists()
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
    """The installation, healthy before and after every test."""
    installed, _ = started
    installed.until_healthy()
    yield installed
    installed.until_healthy()
