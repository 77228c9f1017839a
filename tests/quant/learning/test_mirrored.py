"""A mirrored model learns from bars and from their mirror image, in which every rise is a fall."""

from typing import get_args

import numpy as np
import pytest
from pydantic import ValidationError

from quant.bars.bars import Bars
from quant.learning import boosting
from quant.learning.panel import Panel
from quant.messages.strategy import CENTRES, FeatureKind, FeatureSpec, ModelSpec, StrategySpec
from quant.search.scorer import Scorer
from quant.strategy.features import INDICATORS, list_centres
from quant.strategy.table import FeatureTable
from tests.support.quant.prices import make_bars

MIRRORED = ModelSpec(num_iterations=40, num_leaves=4, mirrored=True)


def use(*kinds: FeatureKind, model: ModelSpec = MIRRORED, relative: bool = False) -> StrategySpec:
    features = tuple(FeatureSpec(kind=kind, period=10, relative=relative) for kind in kinds)
    return StrategySpec(name="mirror", features=features, model=model)


def walk(drift: float, deviation: float = 0.01) -> Bars:
    steps = np.random.default_rng(7).normal(drift, deviation, 3000)
    return make_bars(100.0 * np.exp(np.cumsum(steps)))


def mirror(bars: Bars) -> Bars:
    return make_bars(bars.close[0] ** 2 / bars.close)


@pytest.mark.parametrize("kind", get_args(FeatureKind))
def test_in_the_mirror_a_feature_lies_on_the_other_side_of_its_centre_or_stays(
    kind: FeatureKind,
) -> None:
    bars = walk(0.0, deviation=1e-5)
    seen, reflected = (INDICATORS[kind](each, 10)[300:] for each in (bars, mirror(bars)))
    expected = 2.0 * CENTRES[kind] - seen if kind in CENTRES else seen
    # Prices are inverted, and most indicators compare prices, not their logarithms.
    np.testing.assert_allclose(reflected, expected, rtol=1e-2, atol=1e-3 * np.ptp(seen))


def test_rows_are_added_as_the_mirror_shows_them() -> None:
    bars = walk(0.001)
    spec = use("return", "volatility", "rsi")
    panel = Panel.make(FeatureTable(bars), spec)
    rows = np.arange(100, 500)
    plain, both = panel.select(rows), panel.select_train(rows)
    count = len(plain)
    assert len(both) == 2 * count
    np.testing.assert_array_equal(both.features[:count], plain.features)
    np.testing.assert_array_equal(both.labels[count:], 1.0 - plain.labels)
    moved, calm, strength = both.features[count:].T
    np.testing.assert_array_equal(moved, -plain.features[:, 0])
    np.testing.assert_array_equal(calm, plain.features[:, 1])
    np.testing.assert_array_equal(strength, 100.0 - plain.features[:, 2])
    without = Panel.make(FeatureTable(bars), use("return", model=ModelSpec()))
    assert len(without.select_train(rows)) == count


def prefers_a_side(bars: Bars, model: ModelSpec) -> float:
    """Return by how much the probabilities of a bar and of its mirror image differ from 1."""
    panel = Panel.make(FeatureTable(bars), use("return", "rsi", model=MIRRORED))
    rows = panel.find_known()
    train = panel.select_train(rows) if model.mirrored else panel.select(rows)
    both = np.split(panel.select_train(rows).features, 2)
    seen, reflected = (boosting.grow_and_predict(train, each, model, seed=1) for each in both)
    return float(np.mean(np.abs(seen + reflected - 1.0)))


def test_a_rising_market_teaches_it_no_side() -> None:
    rising = walk(0.002)
    assert prefers_a_side(rising, MIRRORED.model_copy(update={"mirrored": False})) > 0.2
    assert prefers_a_side(rising, MIRRORED) < 0.01


def test_without_a_feature_that_tells_rises_from_falls_it_would_learn_nothing() -> None:
    with pytest.raises(ValidationError, match="tells rises from falls"):
        use("volatility", "adx")
    assert use("volatility", "adx", model=ModelSpec()).fingerprint()


def test_a_rank_has_its_centre_in_the_middle() -> None:
    np.testing.assert_array_equal(list_centres(use("rsi", "adx", relative=True)), [0.5, np.nan])
    np.testing.assert_array_equal(list_centres(use("rsi", "adx")), [50.0, np.nan])


def test_a_strategy_of_an_earlier_version_is_the_same_strategy() -> None:
    plain = use("return", model=ModelSpec())
    content = plain.model_dump()
    del content["model"]["mirrored"]
    assert StrategySpec.model_validate(content) == plain
    recorded = "916a28e8f40567f11fb2f0970e3b852fd03a03943edced91e2d13a2a206fb568"
    assert plain.fingerprint() == recorded
    assert use("return", model=ModelSpec(mirrored=True)).fingerprint() != recorded


def test_scores_are_those_of_the_mirrored_model() -> None:
    bars = walk(0.002)
    spec = use("return", model=MIRRORED.model_copy(update={"num_leaves": 2}))
    plain = spec.model_copy(update={"model": spec.model.model_copy(update={"mirrored": False})})
    scorer = Scorer(bars, 1)
    mirrored, usual = (scorer.score_candidate(1, each, {}).trial for each in (spec, plain))
    assert mirrored.trades is not None
    assert usual.trades is not None
    assert mirrored.trades > usual.trades
