"""Reports of researches about several instruments."""

from pathlib import Path

from activities.inline_research import run_inline
from quant.messages.artifacts import Artifact
from quant.messages.data import DataSource
from quant.messages.report.dossier import Dossier
from storage.artifacts import ArtifactStore
from tests.support.quant.universes import write_universe


def research_universe(directory: Path, instruments: int, *, seed: int = 1) -> Dossier:
    """Return the data of the report of a research about so many instruments."""
    symbols = tuple(f"I{number:03}" for number in range(instruments))
    write_universe(directory, symbols, seed=seed)
    store = ArtifactStore(str(directory / "artifacts"))
    run_inline(
        DataSource(symbols=symbols),
        trials=2,
        seed=7,
        store=store,
        data_dir=directory,
        neighbours=False,
    )
    stored = store.open("assessment").read(Artifact.DOSSIER)
    assert stored is not None
    return Dossier.model_validate_json(stored)
