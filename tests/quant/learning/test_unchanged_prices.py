"""An unchanged price is neither a rise nor a fall: on symmetric ticks no side is preferred."""

import numpy as np
import pytest

from errors import InvalidInput
from quant.bars.bars import Bars
from quant.learning import boosting
from quant.learning.samples import Samples
from quant.messages.strategy import FeatureSpec, ModelSpec, StrategySpec
from quant.strategy.features import compute_labels, count_warm_up
from quant.strategy.positions import decide_positions
from quant.strategy.table import compute_features
from tests.support.quant.prices import make_bars

SPEC = StrategySpec(
    name="ticks",
    features=(FeatureSpec(kind="return", period=5), FeatureSpec(kind="rsi", period=10)),
    horizon=1,
    model=ModelSpec(num_iterations=40, num_leaves=4),
    threshold=0.02,
)


def ticks(seed: int) -> Bars:
    """Return a symmetric walk of which every fifth step is none."""
    steps = np.random.default_rng(seed).choice(
        [-2, -1, 0, 1, 2], 4000, p=[0.13, 0.27, 0.2, 0.27, 0.13]
    )
    return make_bars((np.cumsum(steps) + 1000) / 100.0)


def mirror(bars: Bars) -> Bars:
    """Return bars whose logarithm falls where the other rises."""
    return make_bars(bars.close[0] ** 2 / bars.close)


def test_on_symmetric_ticks_no_side_is_preferred() -> None:
    """A walk may have a direction by chance; with its mirror image it has none."""
    long = short = 0
    walks = [bars for seed in range(2) for bars in (ticks(seed), mirror(ticks(seed)))]
    for bars in walks:
        features, labels = compute_features(bars, SPEC), compute_labels(bars, SPEC.horizon)
        assert 0.15 < np.isnan(labels).mean() < 0.25
        first = count_warm_up(features)
        train = Samples.select(features[first:2800], labels[first:2800], ["a", "b"])
        model = boosting.grow("", train, None, SPEC.model, iterations=40, seed=1)
        held = decide_positions(boosting.predict(model, features[2800:]), SPEC)
        long, short = long + int((held > 0).sum()), short + int((held < 0).sum())
    assert 0.4 < long / (long + short) < 0.6


def test_a_price_that_never_changes_is_refused() -> None:
    labels = compute_labels(make_bars(np.full(500, 7.0)), 3)
    with pytest.raises(InvalidInput, match="price never changes") as refused:
        Samples.select(np.zeros((500, 1)), labels, ["a"])
    assert refused.value.field == "symbol"
