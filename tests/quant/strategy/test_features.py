from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from errors import InvalidInput
from quant.bars.bars import Bars, Floats
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from quant.messages.strategy import FeatureKind, FeatureSpec, StrategySpec
from quant.strategy.features import (
    INDICATORS,
    compute_labels,
    count_warm_up,
    name_features,
)
from quant.strategy.lookahead import assert_causal
from quant.strategy.table import FeatureTable, compute_features

KINDS = get_args(FeatureKind)
CUTS = (1, 2, 30, 399, 400, 777, 999)


@pytest.fixture(scope="module")
def bars() -> Bars:
    return load_bars(DataSource(), None).slice(0, 1000)


@pytest.fixture(scope="module")
def flat(bars: Bars) -> Bars:
    price = np.full(len(bars), 50.0)
    return replace(bars, open=price, high=price, low=price, close=price, volume=np.zeros(len(bars)))


def test_every_kind_has_an_indicator() -> None:
    assert set(INDICATORS) == set(KINDS)


@pytest.mark.parametrize("period", [2, 14, 250])
@pytest.mark.parametrize("kind", KINDS)
def test_no_feature_looks_ahead(bars: Bars, kind: FeatureKind, period: int) -> None:
    assert_causal(lambda part: INDICATORS[kind](part, period), bars, CUTS)


def shifted_close(bars: Bars) -> Floats:
    return np.append(bars.close[1:], np.nan)


def shifted_close_once_it_is_known(bars: Bars) -> Floats:
    return np.append(bars.close[1:], bars.close[-1:])


def centred_mean(bars: Bars) -> Floats:
    return np.convolve(bars.close, np.ones(3) / 3, mode="same")


def centred_over_the_sample(bars: Bars) -> Floats:
    mean: float = bars.close.mean()
    return bars.close - mean


@pytest.mark.parametrize(
    "cheat",
    [
        shifted_close,
        shifted_close_once_it_is_known,
        centred_mean,
        centred_over_the_sample,
    ],
)
def test_an_injected_look_ahead_is_caught(bars: Bars, cheat: Callable[[Bars], Floats]) -> None:
    with pytest.raises(AssertionError, match="look-ahead"):
        assert_causal(cheat, bars, CUTS)


def test_dropped_rows_are_caught(bars: Bars) -> None:
    with pytest.raises(AssertionError, match="missing"):
        assert_causal(lambda part: part.close[:-5], bars, CUTS)


@pytest.mark.parametrize("period", [2, 14, 250])
@pytest.mark.parametrize("kind", KINDS)
def test_features_are_undefined_in_the_warm_up_only(
    bars: Bars, flat: Bars, kind: FeatureKind, period: int
) -> None:
    for market in (bars, flat):
        column = INDICATORS[kind](market, period)
        first = count_warm_up(column[:, np.newaxis])
        assert column.shape == (len(market),)
        assert first <= 2 * period + 9
        assert np.isfinite(column[first:]).all()


def test_the_matrix_has_one_column_per_distinct_feature(bars: Bars) -> None:
    spec = StrategySpec(
        name="x",
        features=(
            FeatureSpec(kind="rsi", period=14),
            FeatureSpec(kind="macd", period=12),
            FeatureSpec(kind="rsi", period=14),
        ),
    )
    matrix = compute_features(bars, spec)
    assert matrix.shape == (1000, 2)
    assert name_features(spec) == ["rsi_14", "macd_12"]
    assert count_warm_up(matrix) == 2 * 12 + 9 - 2
    np.testing.assert_array_equal(matrix, FeatureTable(bars).compute(spec)[0])


def test_formulas_that_can_be_written_down(bars: Bars) -> None:
    close = bars.close
    returns = np.diff(np.log(close))
    last = {kind: INDICATORS[kind](bars, 10)[-1] for kind in KINDS}
    assert last["return"] == pytest.approx(np.log(close[-1] / close[-11]))
    assert last["sma_ratio"] == pytest.approx(close[-1] / close[-10:].mean() - 1)
    assert last["bollinger"] == pytest.approx(
        (close[-1] - close[-10:].mean()) / close[-10:].std(), rel=1e-6
    )
    assert last["volatility"] == pytest.approx(returns[-10:].std(), rel=1e-6)
    assert last["volume_ratio"] == pytest.approx(bars.volume[-1] / bars.volume[-10:].mean() - 1)
    low, high = bars.low[-10:].min(), bars.high[-10:].max()
    assert last["range_position"] == pytest.approx((close[-1] - low) / (high - low))


def test_features_of_a_volume_that_is_not_known_are_refused(bars: Bars) -> None:
    spec = StrategySpec(name="any", features=(FeatureSpec(kind="volume_ratio", period=20),))
    with pytest.raises(InvalidInput, match="SP500 1d have no volume, which the feature") as refused:
        compute_features(replace(bars, volume=np.zeros(len(bars))), spec)
    assert refused.value.field == "features"


def test_labels_compare_the_open_after_the_decision_with_the_open_a_horizon_later() -> None:
    # Opens of the S&P 500 repeat the close before, so labels from either would be equal.
    bars = load_bars(DataSource(symbol="NASDAQ"), None).slice(0, 1000)
    assert not np.isclose(bars.open[1:], bars.close[:-1], rtol=1e-4).mean() > 0.05
    horizon = 5
    outcome = compute_labels(bars, horizon)
    assert np.isnan(outcome[-horizon - 1 :]).all()
    for bar in range(len(bars) - horizon - 1):
        entry, leave = bars.open[bar + 1], bars.open[bar + 1 + horizon]
        if entry == leave:
            assert np.isnan(outcome[bar])
        else:
            assert outcome[bar] == float(leave > entry)


def test_an_unchanged_price_is_neither_a_rise_nor_a_fall(bars: Bars) -> None:
    closes = np.tile([1.0, 1.0, 2.0, 2.0, 1.0, 1.0], 10)
    outcome = compute_labels(replace(bars.slice(0, 60), open=closes), 1)
    assert outcome[:5].tolist() == pytest.approx([1.0, np.nan, 0.0, np.nan, np.nan], nan_ok=True)


def test_labels_of_too_few_bars_are_all_unknown(bars: Bars) -> None:
    assert np.isnan(compute_labels(bars.slice(0, 5), 10)).all()
