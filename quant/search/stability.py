"""The neighbourhood of a strategy: how it does with slightly different parameters.

A strategy that works with one period and one threshold only has most likely been fitted to noise.
The neighbours are scored on development bars as a search scores its candidates. None of them is
chosen, so they do not count as trials.
"""

from collections.abc import Iterator
from typing import Final

from errors import InvalidInput
from quant.backtest.metrics import annualise
from quant.bars.bars import Bars
from quant.messages.evidence import Neighbour, Stability
from quant.messages.strategy import StrategySpec
from quant.search.scorer import Scorer
from quant.universe.universe import Universe

_FACTORS: Final = (2 / 3, 3 / 2)
_THRESHOLD_STEP: Final = 0.01
_HIGHEST_THRESHOLD: Final = 0.49
# With more, the neighbours would cost more time than the training.
_ITERATIONS: Final = 200


def measure_stability(development: Universe | Bars, spec: StrategySpec, seed: int) -> Stability:
    """Score a strategy and its neighbours.

    Args:
        development: Bars to score on; the holdout must not be among them.
        spec: The strategy.
        seed: Seed of the models.
    """
    scorer = Scorer(development, seed, threads=2)

    def score(candidate: StrategySpec) -> float | None:
        try:
            return annualise(scorer.score(_cap_iterations(candidate)), development.periods_per_year)
        except InvalidInput:
            return None  # Longer periods may need more bars than there are.

    return Stability(
        sharpe=score(spec),
        neighbours=tuple(
            Neighbour(change=change, sharpe=score(neighbour))
            for change, neighbour in list_neighbours(spec)
        ),
    )


def list_neighbours(spec: StrategySpec) -> Iterator[tuple[str, StrategySpec]]:
    """Yield strategies that differ in one parameter, each with a description of the change."""
    # First those that have the models of the strategy itself.
    for step in (-_THRESHOLD_STEP, _THRESHOLD_STEP):
        threshold = round(min(max(spec.threshold + step, 0.0), _HIGHEST_THRESHOLD), 6)
        if threshold != spec.threshold:
            yield f"threshold {threshold:g}", spec.model_copy(update={"threshold": threshold})
    for factor in _FACTORS:
        features = tuple(
            feature.model_copy(update={"period": _scale(feature.period, factor, 2, 250)})
            for feature in spec.features
        )
        if features != spec.features:
            yield (
                f"periods times {factor:.2g}",
                spec.model_copy(update={"features": features}),
            )
    for factor in _FACTORS:
        horizon = _scale(spec.horizon, factor, 1, 60)
        if horizon != spec.horizon:
            yield f"horizon {horizon}", spec.model_copy(update={"horizon": horizon})


def _scale(value: int, factor: float, least: int, most: int) -> int:
    """Return the value times the factor, but at least 1 away from it, within the limits."""
    step = max(1, round(abs(value * factor - value)))
    return min(max(value + (step if factor > 1.0 else -step), least), most)


def _cap_iterations(spec: StrategySpec) -> StrategySpec:
    iterations = min(spec.model.num_iterations, _ITERATIONS)
    return spec.model_copy(
        update={"model": spec.model.model_copy(update={"num_iterations": iterations})}
    )
