"""Predictions of a trained model, and the account that trades them."""

import numpy as np

from quant.backtest.account import Account
from quant.backtest.simulation import simulate
from quant.bars.bars import Bars, Floats
from quant.learning import boosting
from quant.learning.panel import Panel
from quant.messages.strategy import StrategySpec
from quant.strategy.table import FeatureTable
from quant.strategy.weights import decide_weights
from quant.universe.universe import Universe


def predict_rises(model_text: str, bars: Universe | Bars, spec: StrategySpec) -> Floats:
    """Predict for each bar the probability of a rise over the strategy's horizon.

    The probability depends on bars up to this one only. Bars before the period of interest should
    be included, to warm the features up.

    Returns:
        Shape (bars, instruments), with NaN in the warm-up and where there is no bar.
    """
    panel = Panel.make(FeatureTable(bars), spec)
    rows = np.flatnonzero(panel.ready)
    predicted = (
        boosting.predict(model_text, panel.features[rows]) if len(rows) else np.empty(0, np.float64)
    )
    return panel.spread(rows, predicted, 0, len(panel.universe))


def trade_predictions(bars: Universe | Bars, probabilities: Floats, spec: StrategySpec) -> Account:
    """Trade predictions on the last of the bars, after 1x cost.

    Args:
        bars: Bars until the last that is traded. Those before the first prediction measure
            volatility only.
        probabilities: Shape (traded bars, instruments), each predicted by a model that had not seen
            the bar. NaN means no position.
        spec: The strategy.
    """
    universe = Universe.of(bars)
    traded = universe.slice(len(universe) - len(probabilities), len(universe))
    return simulate(traded, decide_weights(universe, probabilities, spec), spec.costs)
