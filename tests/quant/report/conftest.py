"""A small research whose report is looked at."""

from pathlib import Path

import pytest

from activities.inline_research import run_inline
from quant.messages.artifacts import Artifact
from quant.messages.data import DataSource
from quant.messages.report.dossier import Dossier
from storage.artifacts import ArtifactStore


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of its artifacts."""
    home = tmp_path_factory.mktemp("research")
    run_inline(DataSource(symbol="NASDAQ"), trials=3, seed=7, store=ArtifactStore(str(home)))
    return home


@pytest.fixture(scope="session")
def dossier(home: Path) -> Dossier:
    """The data of its report."""
    stored = ArtifactStore(str(home)).open("assessment").read(Artifact.DOSSIER)
    assert stored is not None
    return Dossier.model_validate_json(stored)
