"""Features and labels of the classifier.

A feature at bar t is computed from bars up to and including t. `quant.strategy.lookahead` checks
this for any feature; the tests apply it to each one here. Indicators come from TA-Lib, whose
reference is https://ta-lib.org/functions. All of them are relative to price or volume, so that a
level seen in training means the same twenty years later.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import talib

from quant.bars.bars import Bars, Floats
from quant.messages.strategy import FeatureKind, FeatureSpec, StrategySpec

Indicator = Callable[[Bars, int], Floats]

MACD_SIGNAL_PERIOD: Final = 9
STOCHASTIC_SMOOTHING: Final = 3


def log_return(bars: Bars, period: int) -> Floats:
    """Logarithmic return over `period` bars."""
    return _floats(talib.MOM(np.log(bars.close), timeperiod=period))


def rsi(bars: Bars, period: int) -> Floats:
    """Relative strength index, 0 to 100."""
    return _floats(talib.RSI(bars.close, timeperiod=period))


def sma_ratio(bars: Bars, period: int) -> Floats:
    """Close over its simple moving average, minus 1."""
    return bars.close / _floats(talib.SMA(bars.close, timeperiod=period)) - 1.0


def ema_ratio(bars: Bars, period: int) -> Floats:
    """Close over its exponential moving average, minus 1."""
    return bars.close / _floats(talib.EMA(bars.close, timeperiod=period)) - 1.0


def macd(bars: Bars, period: int) -> Floats:
    """MACD histogram over close, with fast = period, slow = 2 x period and signal = 9."""
    *_, histogram = talib.MACD(
        bars.close,
        fastperiod=period,
        slowperiod=2 * period,
        signalperiod=MACD_SIGNAL_PERIOD,
    )
    return _floats(histogram) / bars.close


def bollinger(bars: Bars, period: int) -> Floats:
    """Distance of the close from its moving average, in standard deviations."""
    mean = _floats(talib.SMA(bars.close, timeperiod=period))
    deviation = _floats(talib.STDDEV(bars.close, timeperiod=period, nbdev=1.0))
    return _ratio(bars.close - mean, deviation)


def volatility(bars: Bars, period: int) -> Floats:
    """Standard deviation of log returns over `period` bars, per bar."""
    returns = np.diff(np.log(bars.close))
    deviation = np.full(len(bars), np.nan)
    deviation[1:] = talib.STDDEV(returns, timeperiod=period, nbdev=1.0)
    return deviation


def atr_ratio(bars: Bars, period: int) -> Floats:
    """Average true range over close."""
    return _floats(talib.ATR(bars.high, bars.low, bars.close, timeperiod=period)) / bars.close


def adx(bars: Bars, period: int) -> Floats:
    """Average directional index, 0 to 100: strength of a trend in either direction."""
    return _floats(talib.ADX(bars.high, bars.low, bars.close, timeperiod=period))


def stochastic(bars: Bars, period: int) -> Floats:
    """Slow stochastic oscillator %D, 0 to 100, smoothed twice over three bars."""
    _, slow_d = talib.STOCH(
        bars.high,
        bars.low,
        bars.close,
        fastk_period=period,
        slowk_period=STOCHASTIC_SMOOTHING,
        slowd_period=STOCHASTIC_SMOOTHING,
    )
    return _floats(slow_d)


def volume_ratio(bars: Bars, period: int) -> Floats:
    """Volume over its simple moving average, minus 1; 0 where nothing was traded for a while."""
    mean = _floats(talib.SMA(bars.volume, timeperiod=period))
    return _ratio(bars.volume - mean, mean)


def range_position(bars: Bars, period: int) -> Floats:
    """Close within the lowest low and the highest high of `period` bars, 0 to 1."""
    lowest = _floats(talib.MIN(bars.low, timeperiod=period))
    highest = _floats(talib.MAX(bars.high, timeperiod=period))
    return _ratio(bars.close - lowest, highest - lowest)


INDICATORS: Final[Mapping[FeatureKind, Indicator]] = MappingProxyType(
    {
        "return": log_return,
        "rsi": rsi,
        "sma_ratio": sma_ratio,
        "ema_ratio": ema_ratio,
        "macd": macd,
        "bollinger": bollinger,
        "volatility": volatility,
        "atr_ratio": atr_ratio,
        "adx": adx,
        "stochastic": stochastic,
        "volume_ratio": volume_ratio,
        "range_position": range_position,
    }
)


class FeatureTable:
    """Features of one set of bars, each computed once however many strategies use it."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._columns: dict[FeatureSpec, Floats] = {}

    def matrix(self, spec: StrategySpec) -> Floats:
        """Return the features of a strategy, shape (bars, features); see `feature_matrix`."""
        return np.column_stack([self._column(feature) for feature in distinct_features(spec)])

    def _column(self, feature: FeatureSpec) -> Floats:
        if feature not in self._columns:
            self._columns[feature] = INDICATORS[feature.kind](self._bars, feature.period)
        return self._columns[feature]


def feature_matrix(bars: Bars, spec: StrategySpec) -> Floats:
    """Compute the features of a strategy.

    Returns:
        Shape (bars, features), columns in the order of `distinct_features`. The first `warm_up`
        rows, in which some indicator has not seen enough bars yet, hold NaN.
    """
    return FeatureTable(bars).matrix(spec)


def distinct_features(spec: StrategySpec) -> tuple[FeatureSpec, ...]:
    """Return the features in the order of the strategy; naming one twice adds nothing."""
    return tuple(dict.fromkeys(spec.features))


def feature_names(spec: StrategySpec) -> list[str]:
    """Name the columns of the feature matrix, such as `rsi_14`."""
    return [f"{feature.kind}_{feature.period}" for feature in distinct_features(spec)]


def warm_up(matrix: Floats) -> int:
    """Count the leading rows in which a feature is undefined."""
    complete = np.isfinite(matrix).all(axis=1)
    return int(np.argmax(complete)) if complete.any() else len(matrix)


def labels(bars: Bars, horizon: int) -> Floats:
    """Tell whether the price rises after each bar, as a decision at its close could trade it.

    A decision at the close of bar t fills at the open of t+1, so the label of t compares the open
    of t+1+horizon with the open of t+1.

    Returns:
        1.0 for a rise, 0.0 otherwise, and NaN for the last horizon+1 bars, whose outcome is not
        known yet.
    """
    outcome = np.full(len(bars), np.nan)
    known = len(bars) - horizon - 1
    if known > 0:
        entry = bars.open[1 : 1 + known]
        leave = bars.open[1 + horizon : 1 + horizon + known]
        outcome[:known] = leave > entry
    return outcome


def _floats(values: object) -> Floats:
    """Give an untyped result of TA-Lib its type."""
    return np.asarray(values, dtype=np.float64)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide, with 0 where a window is flat and the denominator is 0; NaN stays NaN."""
    result = np.where(np.isnan(denominator), np.nan, 0.0)
    return np.divide(numerator, denominator, out=result, where=denominator > 0.0)
