"""Features and labels of the classifier.

A feature at bar t is computed from bars up to and including t. `quant.strategy.lookahead` checks
this, and a test applies it to every feature. Indicators come from TA-Lib; https://ta-lib.org/functions
is their reference. All are relative to price or volume, so that a level seen in training means the
same twenty years later.

Every indicator here takes bars and a look-back period in bars. It returns shape (bars,), with NaN
in the warm-up: the first bars, for which it has not seen enough bars yet.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import talib

from errors import InvalidInput
from quant.bars.bars import Bars, Floats
from quant.messages.strategy import CENTRES, FeatureKind, FeatureSpec, StrategySpec

Indicator = Callable[[Bars, int], Floats]

MACD_SIGNAL_PERIOD: Final = 9
STOCHASTIC_SMOOTHING: Final = 3
_MIDDLE_RANK: Final = 0.5


def log_return(bars: Bars, period: int) -> Floats:
    """Return the logarithmic return over `period` bars."""
    return _to_floats(talib.MOM(np.log(bars.close), timeperiod=period))


def rsi(bars: Bars, period: int) -> Floats:
    """Return the relative strength index, 0 to 100."""
    return _to_floats(talib.RSI(bars.close, timeperiod=period))


def sma_ratio(bars: Bars, period: int) -> Floats:
    """Return close over its simple moving average, minus 1."""
    return bars.close / _to_floats(talib.SMA(bars.close, timeperiod=period)) - 1.0


def ema_ratio(bars: Bars, period: int) -> Floats:
    """Return close over its exponential moving average, minus 1."""
    return bars.close / _to_floats(talib.EMA(bars.close, timeperiod=period)) - 1.0


def macd(bars: Bars, period: int) -> Floats:
    """Return the MACD histogram over close: fast = period, slow = 2 x period, signal = 9."""
    *_, histogram = talib.MACD(
        bars.close,
        fastperiod=period,
        slowperiod=2 * period,
        signalperiod=MACD_SIGNAL_PERIOD,
    )
    return _to_floats(histogram) / bars.close


def bollinger(bars: Bars, period: int) -> Floats:
    """Return the distance of the close from its moving average, in standard deviations."""
    mean = _to_floats(talib.SMA(bars.close, timeperiod=period))
    deviation = _to_floats(talib.STDDEV(bars.close, timeperiod=period, nbdev=1.0))
    return _divide(bars.close - mean, deviation)


def volatility(bars: Bars, period: int) -> Floats:
    """Return the standard deviation of the last `period` log returns, per bar."""
    returns = np.diff(np.log(bars.close))
    deviation = np.full(len(bars), np.nan)
    deviation[1:] = talib.STDDEV(returns, timeperiod=period, nbdev=1.0)
    return deviation


def atr_ratio(bars: Bars, period: int) -> Floats:
    """Return the average true range over close."""
    return _to_floats(talib.ATR(bars.high, bars.low, bars.close, timeperiod=period)) / bars.close


def adx(bars: Bars, period: int) -> Floats:
    """Return the average directional index, 0 to 100: the strength of a trend, up or down."""
    return _to_floats(talib.ADX(bars.high, bars.low, bars.close, timeperiod=period))


def stochastic(bars: Bars, period: int) -> Floats:
    """Return the slow stochastic oscillator %D, 0 to 100, smoothed twice over three bars."""
    _, slow_d = talib.STOCH(
        bars.high,
        bars.low,
        bars.close,
        fastk_period=period,
        slowk_period=STOCHASTIC_SMOOTHING,
        slowd_period=STOCHASTIC_SMOOTHING,
    )
    return _to_floats(slow_d)


def volume_ratio(bars: Bars, period: int) -> Floats:
    """Return volume over its simple moving average, minus 1; 0 where that average is 0."""
    mean = _to_floats(talib.SMA(bars.volume, timeperiod=period))
    return _divide(bars.volume - mean, mean)


def range_position(bars: Bars, period: int) -> Floats:
    """Return where the close lies between the lowest low (0) and the highest high (1)."""
    lowest = _to_floats(talib.MIN(bars.low, timeperiod=period))
    highest = _to_floats(talib.MAX(bars.high, timeperiod=period))
    return _divide(bars.close - lowest, highest - lowest)


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


# They need a volume, which not all bars have.
VOLUME_KINDS: Final[frozenset[FeatureKind]] = frozenset({"volume_ratio"})


def require_volume(bars: Bars, features: Sequence[FeatureSpec]) -> None:
    """Check that the bars have a volume if a feature needs one.

    Raises:
        InvalidInput: They have none; a feature of it would be a constant.
    """
    kinds = sorted({feature.kind for feature in features} & VOLUME_KINDS)
    if kinds and not bars.has_volume:
        raise InvalidInput(
            f"The bars of {bars.symbol} {bars.timeframe} have no volume, which the feature "
            f"{kinds[0]} needs. Leave that feature out, or import the bars with their volume.",
            field="features",
        )


def list_features(spec: StrategySpec) -> tuple[FeatureSpec, ...]:
    """List the features in the order of the strategy, each once."""
    return tuple(dict.fromkeys(spec.features))


def name_features(spec: StrategySpec) -> list[str]:
    """Name the columns of the feature matrix, such as `rsi_14`."""
    return [feature.label for feature in list_features(spec)]


def list_centres(spec: StrategySpec) -> Floats:
    """Return where each feature tells neither rises nor falls, shape (features,).

    NaN for a feature that does not tell them apart. A rank has its centre in the middle.
    """
    return np.array(
        [
            (_MIDDLE_RANK if feature.relative else CENTRES[feature.kind])
            if feature.kind in CENTRES
            else np.nan
            for feature in list_features(spec)
        ]
    )


def count_warm_up(matrix: Floats) -> int:
    """Count the first rows of a matrix (bars, features) in which some feature is NaN."""
    complete = np.isfinite(matrix).all(axis=1)
    return int(np.argmax(complete)) if complete.any() else len(matrix)


def compute_labels(bars: Bars, horizon: int) -> Floats:
    """Label each bar by whether the price rises after it.

    A decision at the close of bar t fills at the open of bar t + 1. The label of bar t therefore
    compares the open of bar t + 1 + horizon with the open of bar t + 1.

    An unchanged price is neither a rise nor a fall, and says nothing about the direction. Counted
    as a fall, it would make every model short where ticks are coarse.

    Returns:
        Shape (bars,): 1.0 for a rise, 0.0 for a fall. NaN where the price is unchanged, and for the
        last horizon + 1 bars, whose outcome is not known yet.
    """
    outcome = np.full(len(bars), np.nan)
    known = len(bars) - horizon - 1
    if known > 0:
        entry = bars.open[1 : 1 + known]
        leave = bars.open[1 + horizon : 1 + horizon + known]
        outcome[:known] = np.where(leave == entry, np.nan, leave > entry)
    return outcome


def _to_floats(values: object) -> Floats:
    """Convert an untyped result of TA-Lib; its shape stays."""
    return np.asarray(values, dtype=np.float64)


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    """Divide, shape (bars,): 0 where the denominator is 0, NaN where it is NaN."""
    result = np.where(np.isnan(denominator), np.nan, 0.0)
    return np.divide(numerator, denominator, out=result, where=denominator > 0.0)
