"""Predictions of a trained model, and the account that trades them."""

import numpy as np

from quant.backtest.account import Account
from quant.backtest.simulation import simulate
from quant.bars.bars import Bars, Floats
from quant.learning import boosting
from quant.messages.strategy import StrategySpec
from quant.strategy.features import compute_features, count_warm_up
from quant.strategy.positions import decide_positions


def predict_rises(model_text: str, bars: Bars, spec: StrategySpec) -> Floats:
    """Predict for each bar the probability of a rise over the strategy's horizon.

    The probability depends on bars up to this one only. Bars before the period of interest should
    be included, to warm the features up.

    Returns:
        Shape (bars,), with NaN in the warm-up.
    """
    features = compute_features(bars, spec)
    first = count_warm_up(features)
    probabilities = np.full(len(bars), np.nan)
    if first < len(bars):
        probabilities[first:] = boosting.predict(model_text, features[first:])
    return probabilities


def trade_predictions(bars: Bars, probabilities: Floats, spec: StrategySpec) -> Account:
    """Trade predictions on the same bars, after 1x cost.

    Args:
        bars: Prices to trade at.
        probabilities: Shape (bars,), each predicted by a model that had not seen the bar. NaN
            means no position.
        spec: The strategy.
    """
    return simulate(bars, decide_positions(probabilities, spec), spec.costs)
