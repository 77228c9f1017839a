"""The account against an independent one in plain Python, and the rules one by one."""

import numpy as np
import pytest

from errors import InconsistentAccount
from quant.backtest.account import follow_targets, require_consistent
from quant.backtest.simulation import simulate
from quant.bars.bars import Floats
from quant.messages.strategy import Costs
from tests.support.quant.market import Market, random_market
from tests.support.quant.oracle import Oracle, bars_of, random_bars

FREE = Costs(commission=0.0, slippage=0.0)
NONE = float("nan")


def signal(*targets: float) -> Floats:
    return np.array(targets, dtype=np.float64)


def columns(*instruments: list[float]) -> Floats:
    return np.array(instruments, dtype=np.float64).T


def assert_like_the_oracle(market: Market) -> None:
    account = follow_targets(market.opens, market.closes, market.weights, market.costs)
    expected = Oracle(market.opens, market.closes, market.weights, market.costs)
    # An account that was worth a million knows a cent of it only.
    scale = max(1.0, np.max(np.abs(expected.equity)))
    np.testing.assert_allclose(account.equity, expected.equity, rtol=1e-9, atol=1e-11 * scale)
    np.testing.assert_array_equal(account.positions, expected.positions)
    trades = sorted(expected.trades, key=lambda trade: (trade.entry, trade.instrument))
    ours = account.trades
    assert [*zip(ours.instrument, ours.entry, ours.exit, ours.direction, strict=True)] == [
        (trade.instrument, trade.entry, trade.exit, trade.direction) for trade in trades
    ]

    def close(values: Floats, exact: list[float], atol: float = 0.0) -> None:
        np.testing.assert_allclose(values, exact, rtol=1e-9, atol=atol)

    close(ours.size, [float(trade.added) for trade in trades])
    close(ours.entry_price, [float(trade.added_value / trade.added) for trade in trades])
    close(ours.exit_price, [float(trade.given_up_value / trade.given_up) for trade in trades])
    close(ours.profit, [float(trade.profit) for trade in trades], 1e-11 * scale)
    close(ours.net_return, [float(trade.profit / trade.added_value) for trade in trades], 1e-11)
    close(ours.costs, [float(trade.costs) for trade in trades], 1e-11 * scale)


@pytest.mark.parametrize(("instruments", "cases"), [(1, 1000), (2, 700), (5, 300)])
def test_random_accounts_are_those_of_the_oracle(instruments: int, cases: int) -> None:
    for seed in range(cases):
        assert_like_the_oracle(random_market(seed, instruments))


def test_decision_is_filled_at_the_next_open_and_the_last_open_closes() -> None:
    bars = bars_of(np.array([10.0, 20.0, 40.0, 50.0]), np.array([11.0, 30.0, 45.0, 55.0]))

    simulation = simulate(bars, signal(1, 1, 1, 1), FREE)

    np.testing.assert_allclose(simulation.equity, [1.0, 1.5, 2.25, 2.5])
    np.testing.assert_allclose(simulation.returns, [0.0, 0.5, 0.5, 2.5 / 2.25 - 1.0])
    assert simulation.positions.tolist() == [[0.0], [1.0], [1.0], [0.0]]
    trades = simulation.trades
    assert (trades.entry.tolist(), trades.exit.tolist()) == ([1], [3])
    assert (trades.entry_price.tolist(), trades.exit_price.tolist()) == ([20.0], [50.0])
    assert trades.net_return.tolist() == pytest.approx([1.5])
    assert trades.notional == pytest.approx(1.0 + 2.5)


def test_turnaround_trades_twice_at_one_open_and_pays_both_sides() -> None:
    flat = np.full(5, 100.0)
    costs = Costs(commission=0.01, slippage=0.0)

    simulation = simulate(bars_of(flat, flat), signal(1, -1, 0, 0, 0), costs)

    trades = simulation.trades
    assert trades.direction.tolist() == [1.0, -1.0]
    assert trades.exit[0] == trades.entry[1]
    assert simulation.equity[-1] == pytest.approx((0.99 / 1.01) * (1 - 0.02 / 1.01))


def test_costs_are_commission_plus_slippage_times_the_multiple() -> None:
    flat = np.full(4, 100.0)
    costs = Costs(commission=0.001, slippage=0.002)

    trades = simulate(bars_of(flat, flat), signal(1, 0, 0, 0), costs, cost_multiple=2.0).trades

    assert trades.entry_price.tolist() == pytest.approx([100.4])
    assert trades.exit_price.tolist() == pytest.approx([99.6])
    assert trades.costs == pytest.approx(trades.size * (0.4 + 0.4 + 0.002 * (100.4 + 99.6)))
    assert trades.profit == pytest.approx(-trades.costs)


def test_peeking_at_the_next_close_does_not_earn_the_close_it_was_decided_at() -> None:
    """The price jumps between every close and the next open, and never moves within a bar."""
    rng = np.random.default_rng(5)
    prices = 100.0 * np.exp(np.cumsum(rng.choice((-0.02, 0.02), 200)))
    bars = bars_of(prices, prices)
    peeking = np.sign(np.diff(prices, append=prices[-1]))

    simulation = simulate(bars, peeking, FREE)

    filled_at_own_close = np.prod(1.0 + np.abs(np.diff(prices) / prices[:-1]))
    assert filled_at_own_close > 30.0
    assert simulation.equity[-1] < 2.0


def test_changing_the_future_changes_nothing_before_it() -> None:
    bars = random_bars(1, 50, 0.02)
    targets = np.random.default_rng(2).integers(-1, 2, 50).astype(np.float64)
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
    assert simulation.positions[:, 0].tolist() == [0.0, -1.0, 0.0, 0.0, 0.0]
    assert simulation.trades.direction.tolist() == [-1.0]


def test_a_decision_waits_for_the_next_open_unless_a_newer_one_replaces_it() -> None:
    prices = columns([10.0, 10.0, 10.0, 10.0, 10.0, 10.0], [5.0, NONE, NONE, 8.0, 9.0, 9.0])
    weights = columns([0.0] * 6, [1.0, 0.5, NONE, NONE, 0.0, 0.0])

    account = follow_targets(prices, prices, weights, FREE)

    assert account.positions[:, 1].tolist() == [0.0, 0.0, 0.0, 0.5, 0.5, 0.0]
    assert (account.trades.entry.tolist(), account.trades.entry_price.tolist()) == ([3], [8.0])
    assert account.equity.tolist() == pytest.approx([1.0, 1.0, 1.0, 1.0, 1.0625, 1.0625])


def test_units_are_held_until_the_target_changes() -> None:
    prices = columns([10.0, 10.0, 20.0, 40.0, 40.0, 40.0])

    account = follow_targets(prices, prices, columns([0.5, 0.5, NONE, 0.5, 0.0, 0.0]), FREE)

    assert account.equity.tolist() == pytest.approx([1.0, 1.0, 1.5, 2.5, 2.5, 2.5])
    assert account.trades.size.tolist() == pytest.approx([0.05])


def test_a_rebalance_trades_the_difference_and_is_part_of_one_trade() -> None:
    opens = columns([10.0, 10.0, 20.0, 20.0, 40.0, 40.0])
    costs = Costs(commission=0.01, slippage=0.0)

    account = follow_targets(opens, opens, columns([0.5, 1.0, 0.25, 0.0, 0.0, 0.0]), costs)

    bought = 0.5 / (10.0 * 1.01)
    worth = 1.0 - bought * 0.1 + bought * 10.0
    whole = worth / (20.0 * 1.01)
    cash = 1.0 - bought * 10.1 - (whole - bought) * 20.2
    rest = 0.25 * (cash + whole * 20.0) / (20.0 * 1.01)
    trades = account.trades
    assert (trades.entry.tolist(), trades.exit.tolist()) == ([1], [4])
    assert trades.size.tolist() == pytest.approx([whole])
    assert trades.entry_price.tolist() == pytest.approx(
        [(bought * 10.0 + (whole - bought) * 20.0) / whole]
    )
    assert trades.exit_price.tolist() == pytest.approx(
        [((whole - rest) * 20.0 + rest * 40.0) / whole]
    )
    cash += (whole - rest) * 19.8 + rest * 39.6
    assert account.equity[-1] == pytest.approx(cash)
    assert trades.profit.tolist() == pytest.approx([cash - 1.0])


def test_instruments_that_change_together_are_sized_by_the_same_worth() -> None:
    prices = columns([10.0, 10.0, 20.0, 20.0], [10.0, 10.0, 5.0, 5.0])
    weights = columns([0.5, 0.0, 0.0, 0.0], [0.5, -1.0, 0.0, 0.0])

    account = follow_targets(prices, prices, weights, FREE)

    assert account.trades.instrument.tolist() == [0, 1, 1]
    # 1.25 is left after both have been closed, and the second one is sold short for all of it.
    assert account.trades.size.tolist() == pytest.approx([0.05, 0.05, 1.25 / 5.0])


def test_an_instrument_that_ends_is_closed_at_its_last_open() -> None:
    opens = columns([10.0, 10.0, 10.0, 10.0], [10.0, 10.0, 15.0, NONE])
    closes = columns([10.0, 10.0, 10.0, 10.0], [10.0, 10.0, 1.0, NONE])

    account = follow_targets(opens, closes, columns([0.0] * 4, [1.0] * 4), FREE)

    assert account.equity.tolist() == pytest.approx([1.0, 1.0, 1.5, 1.5])
    assert account.trades.exit.tolist() == [2]


def test_the_ruin_by_one_instrument_closes_all_of_them() -> None:
    prices = columns([10.0, 10.0, 30.0, 30.0, 30.0], [10.0, 10.0, 10.0, NONE, 20.0])
    weights = columns([-1.0, -1.0, 1.0, 1.0, 0.0], [0.5, 0.5, 1.0, 1.0, 0.0])

    account = follow_targets(prices, prices, weights, FREE)

    assert account.equity.tolist() == pytest.approx([1.0, 1.0, -1.0, -1.0, -0.5])
    assert account.positions.tolist() == [[0, 0], [-1, 0.5], [-1, 0.5], [0, 0.5], [0, 0]]
    assert account.trades.exit.tolist() == [3, 4]


def test_an_instrument_beside_it_that_is_not_traded_changes_nothing() -> None:
    """The figures of one instrument come from a product, those of several from a loop."""
    bars = random_bars(7, 400, 0.05)
    targets = np.random.default_rng(8).integers(-1, 2, 400).astype(np.float64)

    alone = simulate(bars, targets, Costs())
    beside = follow_targets(
        np.column_stack([bars.open, bars.open]),
        np.column_stack([bars.close, bars.close]),
        np.column_stack([np.zeros(400), targets]),
        Costs(),
    )

    np.testing.assert_allclose(beside.equity, alone.equity, rtol=1e-12)
    np.testing.assert_allclose(beside.trades.profit, alone.trades.profit, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("targets", [(), (1,), (1, 1, 1)])
def test_targets_must_match_the_bars(targets: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="targets of shape"):
        simulate(random_bars(0, 2, 0.01), signal(*targets), FREE)


def test_equity_that_differs_from_the_profits_is_an_error() -> None:
    with pytest.raises(InconsistentAccount, match="contradicts itself"):
        require_consistent(0.07158, signal(-0.05, -0.0118))


@pytest.mark.parametrize("change", [float("nan"), float("inf")])
def test_equity_that_is_no_number_is_an_error(change: float) -> None:
    with pytest.raises(InconsistentAccount):
        require_consistent(change, signal())


def test_equity_that_equals_the_profits_up_to_rounding_is_accepted() -> None:
    require_consistent(0.1 + 0.2, signal(0.3))


def test_figures_that_are_too_large_for_a_float_are_an_error() -> None:
    prices = columns([1e-300, 1e-300, 1e300, 1e300])
    with pytest.raises(InconsistentAccount):
        follow_targets(prices, prices, columns([1.0, 1.0, 1.0, 1.0]), FREE)


@pytest.mark.parametrize(
    ("opens", "closes", "weight", "complaint"),
    [
        ([10.0, NONE], [10.0, 10.0], 1.0, "only one of open and close"),
        ([10.0, 0.0], [10.0, 10.0], 1.0, "not positive"),
        ([10.0, 10.0], [10.0, -1.0], 1.0, "not positive"),
        ([10.0, np.inf], [10.0, 10.0], 1.0, "not positive and finite"),
        ([NONE, NONE], [NONE, NONE], 1.0, "or there is none"),
        ([10.0, 10.0], [10.0, 10.0], np.inf, "infinite"),
    ],
)
def test_impossible_prices_and_targets_are_refused(
    opens: list[float], closes: list[float], weight: float, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        follow_targets(columns(opens), columns(closes), columns([weight, weight]), FREE)
