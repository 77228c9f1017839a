"""Scores strategies on development bars.

The score is the Sharpe ratio per bar of trading out-of-fold predictions after 1x cost. A strategy
that hardly trades has no score: holding one position for years may pay, but that cannot be
distinguished from chance.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from quant.backtest.account import Account
from quant.backtest.metrics import sharpe
from quant.bars.bars import Bars, Floats
from quant.learning import boosting
from quant.learning.boosting import Samples
from quant.learning.prediction import trade_predictions
from quant.learning.splits import SEARCH_FOLDS, Fold, split_walk_forward
from quant.messages.strategy import StrategySpec
from quant.strategy.features import FeatureTable, compute_labels, count_warm_up, name_features

# One round trip per this many bars is needed. The gate on the holdout requires far fewer.
BARS_PER_TRADE: Final = 100


class Scorer:
    """Scores strategies on the same bars. Features and equal strategies are computed once."""

    def __init__(self, development: Bars, seed: int) -> None:
        self._bars = development
        self._seed = seed
        self._table = FeatureTable(development)
        self._known: dict[str, float | None] = {}

    def score(self, spec: StrategySpec) -> float | None:
        """Return the score of a strategy; None if it hardly trades.

        Raises:
            InvalidInput: Too few bars for the features and the horizon.
        """
        fingerprint = spec.fingerprint()
        if fingerprint not in self._known:
            run = self._trade(spec)
            trades = keeps_trading(run.positions[:, 0])
            self._known[fingerprint] = sharpe(run.returns) if trades else None
        return self._known[fingerprint]

    def _trade(self, spec: StrategySpec) -> Account:
        features = self._table.compute(spec)
        outcome = compute_labels(self._bars, spec.horizon)
        names = name_features(spec)
        folds = split_walk_forward(
            count_warm_up(features), len(self._bars), folds=SEARCH_FOLDS, horizon=spec.horizon
        )

        def predict(fold: Fold) -> Floats:
            model = boosting.grow(
                "",
                Samples(features[fold.train], outcome[fold.train], names),
                None,
                spec.model,
                iterations=spec.model.num_iterations,
                seed=boosting.derive_seed(self._seed, fold.number),
            )
            return boosting.predict(model, features[fold.test])

        # The last fold trains on as many rows as the others together. If it starts first, two
        # threads end at the same time. LightGBM computes without Python's lock.
        with ThreadPoolExecutor(2) as threads:
            probabilities = list(threads.map(predict, reversed(folds)))[::-1]
        tested = self._bars.slice(folds[0].test.start, len(self._bars))
        return trade_predictions(tested, np.concatenate(probabilities), spec)


def keeps_trading(positions: Floats) -> bool:
    """Return whether an account traded often enough in each of `SEARCH_FOLDS` parts.

    Args:
        positions: Weight held at each close, shape (bars,).
    """
    changes = np.append(np.diff(positions) != 0, False)
    # A round trip is two changes of the position.
    return all(
        part.sum() * BARS_PER_TRADE >= 2 * len(part)
        for part in np.array_split(changes, SEARCH_FOLDS)
    )
