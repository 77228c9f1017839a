"""The engine behind the adapter against an independent account simulation in plain Python."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from errors import EngineError
from quant.backtest.account import require_consistent, simulate, the_one_trade
from quant.messages.strategy import Costs
from tests.support.helpers import ROOT
from tests.support.oracle import DAY, bars_of, oracle, random_bars

FREE = Costs(commission=0.0, slippage=0.0)


def signal(*targets: int) -> NDArray[np.int8]:
    return np.array(targets, dtype=np.int8)


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    targets=st.lists(st.sampled_from((-1, 0, 1)), min_size=1, max_size=60),
    # 0.4 per bar lets short positions lose everything.
    volatility=st.sampled_from((0.01, 0.05, 0.4)),
    costs=st.builds(Costs, commission=st.floats(0.0, 0.05), slippage=st.floats(0.0, 0.05)),
    multiple=st.sampled_from((0.0, 1.0, 2.0)),
)
def test_equals_the_oracle_on_random_bars_and_signals(
    seed: int, targets: list[int], volatility: float, costs: Costs, multiple: float
) -> None:
    bars = random_bars(seed, len(targets), volatility)

    simulation = simulate(bars, signal(*targets), costs, multiple)

    equity, trades = oracle(bars, targets, costs, multiple)
    np.testing.assert_allclose(simulation.equity, equity, rtol=1e-9, atol=1e-9)
    assert [
        (trade.entry_time, trade.exit_time, trade.direction) for trade in simulation.trades
    ] == [(trade.entry * DAY, trade.exit * DAY, trade.direction) for trade in trades]
    for ours, theirs in zip(simulation.trades, trades, strict=True):
        assert ours.size == pytest.approx(theirs.size, rel=1e-9)
        assert ours.profit == pytest.approx(theirs.profit, rel=1e-9, abs=1e-12)


def test_decision_is_filled_at_the_next_open_and_the_last_open_closes() -> None:
    bars = bars_of(np.array([10.0, 20.0, 40.0, 50.0]), np.array([11.0, 30.0, 45.0, 55.0]))

    simulation = simulate(bars, signal(1, 1, 1, 1), FREE)

    np.testing.assert_allclose(simulation.equity, [1.0, 1.5, 2.25, 2.5])
    np.testing.assert_allclose(simulation.returns, [0.0, 0.5, 0.5, 2.5 / 2.25 - 1.0])
    assert simulation.positions.tolist() == [0, 1, 1, 0]
    (trade,) = simulation.trades
    assert (trade.entry_price, trade.exit_price) == (20.0, 50.0)
    assert trade.net_return == pytest.approx(1.5)
    assert simulation.traded_notional == pytest.approx(1.0 + 2.5)


def test_turnaround_trades_twice_at_one_open_and_pays_both_sides() -> None:
    flat = np.full(5, 100.0)
    costs = Costs(commission=0.01, slippage=0.0)

    simulation = simulate(bars_of(flat, flat), signal(1, -1, 0, 0, 0), costs)

    long, short = simulation.trades
    assert long.exit_time == short.entry_time
    assert (long.direction, short.direction) == (1, -1)
    assert simulation.equity[-1] == pytest.approx((0.99 / 1.01) * (1 - 0.02 / 1.01))


def test_costs_are_commission_plus_slippage_times_the_multiple() -> None:
    flat = np.full(4, 100.0)
    costs = Costs(commission=0.001, slippage=0.002)

    (trade,) = simulate(bars_of(flat, flat), signal(1, 0, 0, 0), costs, cost_multiple=2.0).trades

    assert trade.entry_price == pytest.approx(100.4)
    assert trade.exit_price == pytest.approx(99.6)
    assert trade.costs == pytest.approx(trade.size * (0.4 + 0.4 + 0.002 * (100.4 + 99.6)))
    assert trade.profit == pytest.approx(-trade.costs)


def test_peeking_at_the_next_close_does_not_earn_the_close_it_was_decided_at() -> None:
    """The price jumps between every close and the next open, and never moves within a bar."""
    rng = np.random.default_rng(5)
    prices = 100.0 * np.exp(np.cumsum(rng.choice((-0.02, 0.02), 200)))
    bars = bars_of(prices, prices)
    peeking = np.sign(np.diff(prices, append=prices[-1])).astype(np.int8)

    simulation = simulate(bars, peeking, FREE)

    filled_at_own_close = np.prod(1.0 + np.abs(np.diff(prices) / prices[:-1]))
    assert filled_at_own_close > 30.0
    assert simulation.equity[-1] < 2.0


def test_changing_the_future_changes_nothing_before_it() -> None:
    bars = random_bars(1, 50, 0.02)
    targets = np.random.default_rng(2).integers(-1, 2, 50).astype(np.int8)
    altered = bars_of(
        np.concatenate((bars.open[:30], bars.open[30:] * 3.0)),
        np.concatenate((bars.close[:30], bars.close[30:] / 3.0)),
    )

    original = simulate(bars, targets, Costs())

    assert np.array_equal(original.equity[:30], simulate(altered, targets, Costs()).equity[:30])


def test_a_short_that_loses_everything_ends_the_account() -> None:
    prices = np.array([100.0, 100.0, 250.0, 150.0, 100.0, 90.0, 100.0, 100.0])

    simulation = simulate(bars_of(prices, prices), signal(-1, -1, -1, 1, 1, 1, 1, 0), FREE)

    np.testing.assert_allclose(simulation.equity, [1.0, 1.0, -0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert simulation.returns.tolist() == [0.0, 0.0, -1.5, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert len(simulation.trades) == 1


def test_an_account_that_is_lost_at_an_open_does_not_turn_around() -> None:
    opens = np.array([10.0, 10.0, 30.0, 20.0, 20.0])
    targets = (-1, 1, 1, 0, 0)

    simulation = simulate(bars_of(opens, np.full(5, 10.0)), signal(*targets), FREE)

    np.testing.assert_allclose(simulation.equity, [1.0, 1.0, -1.0, -1.0, -1.0])
    assert simulation.positions.tolist() == [0, -1, 0, 0, 0]
    assert [trade.direction for trade in simulation.trades] == [-1]


@pytest.mark.parametrize("targets", [(), (1,), (1, 1, 1)])
def test_targets_must_match_the_bars(targets: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="targets for 2 bars"):
        simulate(random_bars(0, 2, 0.01), signal(*targets), FREE)


def test_equity_that_differs_from_the_profits_is_an_engine_error() -> None:
    """What the engine's cash account did with a short: a gain, while its trades lost."""
    with pytest.raises(EngineError, match="contradicts itself"):
        require_consistent(0.07158, [-0.05, -0.0118])


@pytest.mark.parametrize("change", [float("nan"), float("inf")])
def test_equity_that_is_no_number_is_an_engine_error(change: float) -> None:
    with pytest.raises(EngineError):
        require_consistent(change, [])


def test_equity_that_equals_the_profits_up_to_rounding_is_accepted() -> None:
    require_consistent(0.1 + 0.2, [0.3])


def test_an_engine_that_does_not_trade_as_asked_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match=r"hold -1 in bars 3 to 7, the backtest engine did \[\]"):
        the_one_trade([], slice(3, 8), -1)


def test_importing_the_adapter_does_not_ask_for_a_newer_engine() -> None:
    """In a fresh process, because the engine starts its request in a thread at the first import."""
    program = (
        "import threading\n"
        "started = []\n"
        "threading.Thread.start = lambda thread: started.append(thread.name)\n"
        "import quant.backtest.account\n"
        "assert not started, started\n"
    )
    # The engine itself is silent on build servers, which would hide a missing opt-out.
    silencing = {"RAPTORBT_NO_VERSION_CHECK", "CI", "GITHUB_ACTIONS", "GITLAB_CI"}
    environment = {name: value for name, value in os.environ.items() if name not in silencing}
    root = ROOT
    subprocess.run([sys.executable, "-c", program], check=True, cwd=root, env=environment)
