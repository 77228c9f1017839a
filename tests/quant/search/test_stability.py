"""Neighbours of a strategy: they differ in one choice, and are scored alike."""

from typing import Any

import pytest

from quant.backtest.metrics import annualise
from quant.bars.bars import Floats
from quant.bars.loader import load_bars
from quant.learning import boosting
from quant.learning.boosting import grow_and_predict
from quant.learning.splits import SEARCH_FOLDS
from quant.messages.data import DataSource
from quant.messages.evidence import Neighbour, Stability
from quant.messages.strategy import FeatureSpec, ModelSpec, StrategySpec
from quant.search.scorer import Scorer
from quant.search.stability import list_neighbours, measure_stability

SPEC = StrategySpec(
    name="one",
    features=(FeatureSpec(kind="rsi", period=14), FeatureSpec(kind="return", period=5)),
    horizon=3,
    threshold=0.0,
    model=ModelSpec(num_iterations=20),
)


def test_every_neighbour_differs_in_one_choice() -> None:
    changed = dict(list_neighbours(SPEC))
    assert list(changed) == [
        *("threshold 0.01", "periods times 0.67", "periods times 1.5", "horizon 2", "horizon 5"),
    ]
    for neighbour in changed.values():
        differing = [name for name, value in SPEC if getattr(neighbour, name) != value]
        assert len(differing) == 1


def test_neighbours_stay_within_the_limits() -> None:
    edge = SPEC.model_copy(
        update={
            "features": (FeatureSpec(kind="rsi", period=2), FeatureSpec(kind="adx", period=250)),
            "horizon": 60,
            "threshold": 0.49,
        }
    )
    for _, neighbour in list_neighbours(edge):
        assert StrategySpec.model_validate(neighbour.model_dump()) == neighbour


def test_neighbours_are_scored_as_a_search_does() -> None:
    development = load_bars(DataSource(), None).split()[0].slice(0, 1500)
    found = measure_stability(development, SPEC, seed=3)
    own = Scorer(development, 3).score(SPEC)
    assert own is not None
    assert found.sharpe == pytest.approx(own * 252**0.5)
    assert len(found.neighbours) == 5
    assert len({neighbour.sharpe for neighbour in found.neighbours}) > 1
    assert measure_stability(development, SPEC, seed=3) == found


def test_neighbours_that_only_trade_otherwise_share_its_models(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    development = load_bars(DataSource(), None).split()[0].slice(0, 1500)
    spec = SPEC.model_copy(update={"threshold": 0.03})
    trained: list[ModelSpec] = []

    def train(*args: Any, **options: Any) -> Floats:
        trained.append(args[2])
        return grow_and_predict(*args, **options)

    monkeypatch.setattr(boosting, "grow_and_predict", train)
    found = {
        each.change: each.sharpe for each in measure_stability(development, spec, 3).neighbours
    }
    assert len(found) == 6
    # Of the strategy, of two periods and of two horizons.
    assert len(trained) == 5 * SEARCH_FOLDS
    for change, neighbour in list_neighbours(spec):
        alone = annualise(Scorer(development, 3).score(neighbour), development.periods_per_year)
        assert found[change] == alone, change


def test_a_neighbour_that_needs_more_bars_than_there_are_has_no_score() -> None:
    development = load_bars(DataSource(), None).slice(0, 350)
    slow = SPEC.model_copy(update={"features": (FeatureSpec(kind="return", period=160),)})
    by_change = {
        each.change: each.sharpe for each in measure_stability(development, slow, 3).neighbours
    }
    assert by_change["periods times 1.5"] is None


def test_a_peak_is_what_neighbours_do_not_share() -> None:
    def of(*sharpes: float | None) -> Stability:
        return Stability(
            sharpe=1.0, neighbours=tuple(Neighbour(change="x", sharpe=each) for each in sharpes)
        )

    assert of(0.4, None, 0.1).is_a_peak
    assert not of(0.6, 0.5, 0.9).is_a_peak
    assert not of(0.1).model_copy(update={"sharpe": -1.0}).is_a_peak
