"""The features of all instruments of a universe, each computed once for all strategies."""

import numpy as np

from quant.bars.bars import Bars, Floats
from quant.messages.strategy import FeatureSpec, StrategySpec
from quant.strategy.features import INDICATORS, list_features, require_volume
from quant.strategy.longer import aggregate, carry_back
from quant.strategy.requirements import require_longer, require_others
from quant.universe.universe import Universe


class FeatureTable:
    """The features of some bars.

    Args:
        bars: The bars.
    """

    def __init__(self, bars: Universe | Bars) -> None:
        self.universe = Universe.of(bars)
        self._columns: dict[FeatureSpec, list[Floats]] = {}

    def compute(self, spec: StrategySpec) -> list[Floats]:
        """Return the features of a strategy, for each instrument of shape (its bars, features).

        Columns are in the order of `list_features`. The first rows, `count_warm_up` says how many,
        hold NaN, because some indicator has not seen enough bars there.

        Raises:
            InvalidInput: A feature needs a volume that an instrument does not have.
        """
        columns = [self._compute_column(feature) for feature in list_features(spec)]
        return [np.column_stack(parts) for parts in zip(*columns, strict=True)]

    def _compute_column(self, feature: FeatureSpec) -> list[Floats]:
        if feature not in self._columns:
            self._columns[feature] = self._measure(feature)
        return self._columns[feature]

    def _measure(self, feature: FeatureSpec) -> list[Floats]:
        instruments = self.universe.instruments
        for bars in instruments:
            require_volume(bars, (feature,))
        columns = [_measure_one(bars, feature) for bars in instruments]
        return self._rank(columns, feature) if feature.relative else columns

    def _rank(self, columns: list[Floats], feature: FeatureSpec) -> list[Floats]:
        """Return the rank of each value among those of its time, 0 to 1; 0.5 for one alone."""
        # SciPy takes longer to load than all else that a check before a start does.
        from scipy.stats import rankdata  # noqa: PLC0415

        require_others(feature, len(self.universe.instruments))
        values = self.universe.spread(columns)
        known = ~np.isnan(values)
        ranks = rankdata(values, axis=1, nan_policy="omit") - 1.0
        others = known.sum(axis=1, keepdims=True) - 1
        shares = np.where(others > 0, ranks / np.maximum(others, 1), 0.5)
        return [
            np.where(known[place, number], shares[place, number], np.nan)
            for number, place in enumerate(self.universe.places)
        ]


def _measure_one(bars: Bars, feature: FeatureSpec) -> Floats:
    if len(bars) == 0:
        return np.empty(0, np.float64)
    if feature.timeframe is None:
        return INDICATORS[feature.kind](bars, feature.period)
    require_longer(feature, bars.timeframe)
    longer, complete = aggregate(bars, feature.timeframe)
    return carry_back(INDICATORS[feature.kind](longer, feature.period), complete)


def compute_features(bars: Bars, spec: StrategySpec) -> Floats:
    """Compute the features of a strategy for one instrument, shape (bars, features)."""
    return FeatureTable(bars).compute(spec)[0]
