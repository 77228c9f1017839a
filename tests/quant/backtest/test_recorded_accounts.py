"""The account gives the figures of the engine that was used before it.

`recorded_accounts.npz` was written by raptorbt 0.13.4, one margin session (`KernelSession`,
`fill_timing="next_bar_open"`, leverage 1) per holding, before it was replaced. Each case has the
arrays `bars` (open, close), `targets`, `costs` (commission, slippage, multiple), `account` (equity,
returns, positions) and `trades` (entry and exit bar, direction, entry and exit price, size, profit,
net return, costs).
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from quant.backtest.account import follow_targets
from quant.bars.bars import Floats
from quant.messages.strategy import Costs


def recorded() -> Mapping[str, Mapping[str, NDArray[np.float64]]]:
    """Return the arrays of every case."""
    cases: dict[str, dict[str, NDArray[np.float64]]] = defaultdict(dict)
    with np.load(Path(__file__).with_name("recorded_accounts.npz")) as file:
        for name in file:
            case, _, array = name.rpartition("/")
            cases[case][array] = file[name].astype(np.float64)
    return cases


CASES = recorded()


def assert_equal(ours: Floats, theirs: Floats) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_figures_are_those_of_the_earlier_engine(case: str) -> None:
    bars, targets, account, trades = (
        CASES[case][name] for name in ("bars", "targets", "account", "trades")
    )
    commission, slippage, multiple = CASES[case]["costs"].tolist()
    costs = Costs(commission=commission, slippage=slippage).times(multiple)

    ours = follow_targets(bars[:, :1], bars[:, 1:], targets[:, np.newaxis], costs)

    assert_equal(np.column_stack([ours.equity, ours.returns, ours.positions]), account)
    assert len(ours.trades) == len(trades)
    for name, theirs in zip(
        (
            *("entry", "exit", "direction", "entry_price", "exit_price"),
            *("size", "profit", "net_return", "costs"),
        ),
        trades.T,
        strict=True,
    ):
        assert_equal(getattr(ours.trades, name), theirs)
    # Sizes may be tiny.
    np.testing.assert_allclose(ours.trades.size, trades[:, 5], rtol=1e-12)
