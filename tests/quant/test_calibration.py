"""The calibration's own machinery: researches that share bars and a ledger, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from activities.inline_research import run_inline
from bench.calibration import case, series
from quant.learning import training
from quant.messages.data import DataSource
from quant.verdict.gates import GateLimits, TrainingLimits
from storage.artifacts import ArtifactStore
from storage.ledger import Ledger
from tests.support.data import walk


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.upgrade()
    return ledger


def test_a_checkpoint_of_one_research_does_not_stop_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(case, "_TRIALS", 1)
    monkeypatch.setattr(series, "noise", lambda _, seed: walk(600, "1D", seed + 1))
    # A busy machine saves a checkpoint at the end of every chunk.
    monkeypatch.setitem(training.train.__kwdefaults__ or {}, "checkpoint_seconds", 0.0)
    seen: list[str] = []
    verdict_of = case._verdict

    def note(*given: Any, **named: Any) -> str:
        seen.append(verdict_of(*given, **named))
        return seen[-1]

    monkeypatch.setattr(case, "_verdict", note)
    case.is_promising(case.Case("Gaussian", None, 0, researches=2))
    assert len(seen) == 2


@pytest.mark.parametrize(("lowest_sharpe", "looks"), [(-100.0, 1), (100.0, 0)])
def test_a_look_counts_only_where_the_holdout_was_traded(
    tmp_path: Path,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    lowest_sharpe: float,
    looks: int,
) -> None:
    limits = GateLimits(training=TrainingLimits(sharpe=lowest_sharpe, excess_log_loss=10.0))
    monkeypatch.setattr("activities.inline_research.GateLimits", lambda: limits)
    walk(600, "1D").to_csv(tmp_path / "GOLD.csv", index=False)
    store = ArtifactStore(str(tmp_path / "artifacts"))
    research = run_inline(
        DataSource(symbol="GOLD"), trials=1, seed=1, store=store, data_dir=tmp_path, ledger=ledger
    )
    assert (research.backtest is not None) == bool(looks)
    bars = research.training.data.source
    assert (ledger.looks.count(bars), ledger.trials.count(bars)) == (looks, 1)
    ledger.close()
