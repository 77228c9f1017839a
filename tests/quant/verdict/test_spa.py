"""The test of one strategy, against the test of many of `arch`."""

import numpy as np
import pytest
from arch.bootstrap import SPA, StationaryBootstrap

from quant.backtest.metrics import FloatArray
from quant.verdict.spa import superior_p_value

REPETITIONS = 500


def draw_returns(kind: str, seed: int) -> FloatArray:
    random = np.random.default_rng(seed)
    bars = int(random.integers(30, 500))
    returns = random.normal(random.normal(0.0, 0.12), 1.0, bars) * 0.01
    match kind:
        case "seldom":
            returns[random.random(bars) < 0.9] = 0.0
        case "two values":
            returns = np.where(returns > 0.0, 0.01, -0.01)
        case "autocorrelated":
            returns = np.convolve(returns, np.ones(8) / 8, "same")
        case "bad":
            returns -= 0.004 * random.random()
    return returns


@pytest.mark.parametrize("kind", ["normal", "seldom", "two values", "autocorrelated", "bad"])
def test_p_values_are_those_of_arch(kind: str) -> None:
    relevant = set()
    for seed in range(30):
        returns = draw_returns(kind, seed)
        block = 1 + seed % 12
        oracle = SPA(
            np.zeros_like(returns), -returns, block_size=block, reps=REPETITIONS, seed=seed
        )
        oracle.compute()
        bootstrap = StationaryBootstrap(block, returns, seed=seed)
        means = bootstrap.apply(np.mean, REPETITIONS)[:, 0]
        assert superior_p_value(returns, means, block) == oracle.pvalues["consistent"]
        if np.mean(returns) < 0.0:
            relevant.add(oracle.pvalues["consistent"] != oracle.pvalues["upper"])
    # Strategies that lose, but not by much, and others that are too bad to matter.
    assert kind == "seldom" or relevant == {False, True}
