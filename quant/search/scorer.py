"""Scores strategies on development bars.

The score is the Sharpe ratio per bar of trading out-of-fold predictions after 1x cost. A strategy
that hardly trades has no score: holding one position for years may pay, but that cannot be
distinguished from chance.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quant.backtest.metrics import sharpe
from quant.bars.bars import Bars, Floats
from quant.learning import boosting
from quant.learning.panel import Panel
from quant.learning.prediction import trade_predictions
from quant.learning.splits import SEARCH_FOLDS, Fold
from quant.messages.record.trials import Trial
from quant.messages.search import ScoredCandidate
from quant.messages.strategy import StrategySpec
from quant.strategy.table import FeatureTable
from quant.universe.universe import Universe

# One entry per this many bars is needed, of whatever instrument. That is about the floor on round
# trips of the verdict, on a holdout of 1,500 bars. Slow trends trade hardly more often.
BARS_PER_TRADE: Final = 150


class Scorer:
    """Scores strategies on the same bars. Features and equal strategies are computed once.

    So are the models of strategies that follow each other and differ only in how they trade.

    `seed` is the seed of the models.

    Args:
        development: Bars to score on.
        seed: Seed of the models.
        threads: How many folds are computed at once.
    """

    def __init__(self, development: Universe | Bars, seed: int, *, threads: int = 1) -> None:
        self.seed: Final = seed
        self._universe = Universe.of(development)
        self._threads = threads
        self._table = FeatureTable(self._universe)
        self._learned: tuple[object, ...] = ()
        self._predicted: Floats = np.empty(0)
        self._known: dict[str, float | None] = {}
        self._trades: dict[str, int] = {}

    def score(self, spec: StrategySpec) -> float | None:
        """Return the score of a strategy; None if it hardly trades.

        Raises:
            InvalidInput: Too few bars for the features and the horizon.
        """
        fingerprint = spec.fingerprint()
        if fingerprint not in self._known:
            run = trade_predictions(self._universe, self._predict(spec), spec)
            trades = keeps_trading(run.positions)
            self._known[fingerprint] = sharpe(run.excess_returns) if trades else None
            self._trades[fingerprint] = count_trades(run.positions)
        return self._known[fingerprint]

    def score_candidate(
        self, number: int, spec: StrategySpec, parameters: dict[str, float | int | str | bool]
    ) -> ScoredCandidate:
        """Return a candidate of a search with its score.

        Args:
            number: Number of the trial.
            spec: The strategy.
            parameters: What the study chose; empty if no study has proposed it.

        Raises:
            InvalidInput: Too few bars for the features and the horizon.
        """
        score = self.score(spec)
        return ScoredCandidate(
            spec=spec,
            trial=Trial(
                number=number,
                fingerprint=spec.trial_fingerprint(self.seed),
                sharpe=score,
                parameters=parameters,
                trades=self._trades[spec.fingerprint()],
            ),
        )

    def _predict(self, spec: StrategySpec) -> Floats:
        """Return out-of-fold predictions, shape (bars from the first fold on, instruments)."""
        learned = (spec.features, spec.horizon, spec.model)
        if learned != self._learned:
            self._predicted = self._walk_forward(spec)
            self._learned = learned
        return self._predicted

    def _walk_forward(self, spec: StrategySpec) -> Floats:
        panel = Panel.make(self._table, spec)
        folds = panel.split(SEARCH_FOLDS, spec.horizon)

        def predict(fold: Fold) -> Floats:
            tested = panel.find_test(fold)
            predicted = boosting.grow_and_predict(
                panel.select_train(panel.find_train(fold)),
                panel.features[tested],
                spec.model,
                seed=boosting.derive_seed(self.seed, fold.number),
            )
            return panel.spread(tested, predicted, fold.test.start, fold.test.stop)

        return np.concatenate(self._map(predict, folds))

    def _map(self, predict: Callable[[Fold], Floats], folds: Sequence[Fold]) -> list[Floats]:
        if self._threads == 1:
            return [predict(fold) for fold in folds]
        # The last fold trains on as many rows as the others together. If it starts first, two
        # threads end at the same time. LightGBM computes without Python's lock.
        with ThreadPoolExecutor(self._threads) as threads:
            return list(threads.map(predict, reversed(folds)))[::-1]


def count_trades(positions: Floats) -> int:
    """Return how often any instrument was entered, long or short.

    Args:
        positions: Weight held at each close, shape (bars, instruments).
    """
    return int(_count_entries(positions).sum())


def keeps_trading(positions: Floats) -> bool:
    """Return whether an account entered the market often enough in each of `SEARCH_FOLDS` parts.

    Args:
        positions: Weight held at each close, shape (bars, instruments).
    """
    return all(
        part.sum() * BARS_PER_TRADE >= len(part)
        for part in np.array_split(_count_entries(positions), SEARCH_FOLDS)
    )


def _count_entries(positions: Floats) -> NDArray[np.int64]:
    """Return how many instruments were entered at each bar, shape (bars,). A reversal is one."""
    held = np.sign(positions)
    before = np.vstack([np.zeros_like(held[:1]), held[:-1]])
    entries: NDArray[np.int64] = ((held != before) & (held != 0.0)).sum(axis=1)
    return entries
