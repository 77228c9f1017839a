"""The next generation: from the development scores of the last one, and from nothing else."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from activities.campaigns import CampaignActivities
from activities.computing.compute import Compute
from quant.messages.campaign import EvolvingMember, Generation, GenerationTask
from quant.messages.strategy import FeatureKind, FeatureSpec, StrategySpec
from quant.search.generations import Parent, propose_generation
from settings import Settings
from storage.ledger.ledger import Ledger
from storage.ledger.records import Experiment

KINDS: tuple[FeatureKind, ...] = ("return", "rsi", "macd", "adx")


def test_only_the_better_half_has_offspring() -> None:
    parents = [
        Parent(0, 2.0, ("return",)),
        Parent(0, 0.1, ("adx",)),
        Parent(0, None, ("macd",)),
        Parent(0, 1.0, ("return",)),
    ]
    found = [
        propose_generation(parents, ("return", "adx", "macd"), seed=seed) for seed in range(20)
    ]
    for members in found:
        assert len(members) == len(parents)
        assert all(each.features and "return" in each.features for each in members)


def test_a_cell_has_as_many_members_as_before_and_its_own_parents() -> None:
    parents = [Parent(0, 1.0, ("rsi",)), Parent(1, 9.0, ("adx",)), Parent(0, 0.5, ("rsi",))]
    members = propose_generation(parents, KINDS, seed=3)
    assert [each.cell for each in members] == [0, 1, 0]
    assert len({each.seed for each in members}) == 3
    assert all("rsi" in (each.features or ()) for each in members if each.cell == 0)


def test_without_any_score_everything_is_searched_again() -> None:
    members = propose_generation([Parent(0, None, ())] * 2, KINDS, seed=1)
    assert [each.features for each in members] == [None, None]


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_proposes_the_same(seed: int) -> None:
    parents = [Parent(0, float(number), KINDS[number : number + 2]) for number in range(3)]
    assert propose_generation(parents, KINDS, seed) == propose_generation(parents, KINDS, seed)


def propose(home: Path, **holdout: Any) -> Generation:
    """Propose from two recorded researches with these figures of the holdout."""
    settings = Settings(home=home)
    ledger = Ledger(settings.ledger_url)
    ledger.upgrade()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for number, (sharpe, kind) in enumerate([(1.5, "rsi"), (0.5, "adx")]):
        spec = StrategySpec(name="found", features=(FeatureSpec(kind=kind, period=14),))
        ledger.experiments.record(
            Experiment(
                operation_id=f"op_{number}",
                status="completed",
                owner="ada",
                symbol="SP500",
                timeframe="1d",
                seed=1,
                strategy=spec.model_dump(mode="json"),
                metrics={
                    "development_sharpe": sharpe,
                    "statistics": {"sharpe": holdout["sharpes"][number]},
                    "backtest_result": {"total_return": holdout["returns"][number]},
                },
                verdict=holdout["verdicts"][number],
                started_at=now,
                finished_at=now,
            )
        )
    activities = CampaignActivities(compute=Compute(1), ledger=ledger, settings=settings)
    members = tuple(EvolvingMember(operation_id=f"op_{number}", cell=0) for number in range(2))
    proposed = activities.propose_generation(
        GenerationTask(members=members, features=KINDS, seed=5)
    )
    ledger.close()
    return proposed


def test_no_figure_of_the_holdout_reaches_a_proposal(tmp_path: Path) -> None:
    first = propose(
        tmp_path / "a", sharpes=(2.0, -1.0), returns=(0.5, -0.5), verdicts=("promising", "poor")
    )
    other = propose(
        tmp_path / "b",
        sharpes=(-3.0, 4.0),
        returns=(-0.9, 9.0),
        verdicts=("no_signal", "promising"),
    )
    assert first == other
    assert all("rsi" in (each.features or ()) for each in first.members)
