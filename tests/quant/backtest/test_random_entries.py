"""Positions at other times: timing is told from exposure."""

import numpy as np
import pytest

from quant.backtest import metrics
from quant.backtest.random_entries import (
    FEWEST_SHIFTS,
    compare_random_entries,
    compute_position_returns,
)
from quant.backtest.simulation import simulate
from quant.bars.bars import Bars, Floats
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from quant.messages.strategy import Costs
from tests.support.quant.prices import make_bars

LOOK_BACK = 43


@pytest.fixture(scope="module")
def holdout() -> Bars:
    return load_bars(DataSource(symbol="NASDAQ"), None).split()[1]


def blocks(bars: int, length: int, seed: int) -> Floats:
    """Return positions that change at random every `length` bars, as an account holds them."""
    drawn = np.random.default_rng(seed).integers(-1, 2, -(-bars // length))
    held = np.repeat(drawn, length)[:bars].astype(np.float64)
    held[[0, -1]] = 0.0
    return held


def test_who_knows_the_future_beats_all_random_entries(holdout: Bars) -> None:
    tomorrow = np.sign(np.diff(holdout.close, append=holdout.close[-1]))
    held = np.roll(tomorrow, 1)

    found = compare_random_entries(holdout, held, Costs(), LOOK_BACK)

    assert found is not None
    assert (found.paths, found.as_good) == (len(holdout) - 2 * LOOK_BACK - 1, 0.0)
    assert found.p_value < 1e-12
    assert found.median_sharpe < found.high_sharpe


def test_the_figures_are_those_of_the_shifted_positions(holdout: Bars) -> None:
    costs, held = Costs(slippage=0.002), blocks(len(holdout), 7, 5)
    shifts = range(LOOK_BACK + 1, len(holdout) - LOOK_BACK)
    returns = [compute_position_returns(holdout, np.roll(held, shift), costs) for shift in shifts]
    ratios = [metrics.sharpe(each) or 0.0 for each in returns]

    found = compare_random_entries(holdout, held, costs, LOOK_BACK)

    assert found is not None
    year = np.sqrt(holdout.periods_per_year)
    # Two bars differ, where the end of the positions meets their beginning.
    assert found.median_sharpe == pytest.approx(np.median(ratios) * year, abs=0.01)
    assert found.high_sharpe == pytest.approx(np.quantile(ratios, 0.95) * year, abs=0.01)


def test_shifts_that_peek_are_left_out() -> None:
    """A trend rule that is shifted by a bar into the past knows the price that it trades."""
    rng, sizes = np.random.default_rng(6), {0: 0, LOOK_BACK: 0}
    tried = 300
    for _ in range(tried):
        bars = make_bars(np.exp(np.cumsum(rng.normal(0.0, 0.01, 1000))))
        mean = np.convolve(bars.close, np.ones(20) / 20.0)[: len(bars)]
        held = np.concatenate([[0.0], np.sign(bars.close - mean)[:-1]])
        held[:21] = held[-1] = 0.0
        for left_out in sizes:
            found = compare_random_entries(bars, held, Costs(), left_out)
            assert found is not None
            sizes[left_out] += found.p_value <= 0.05
    assert sizes[0] <= 0.025 * tried
    assert 0.025 * tried < sizes[LOOK_BACK] <= 0.085 * tried


def test_holding_what_rises_is_no_timing(holdout: Bars) -> None:
    held = np.ones(len(holdout))
    held[700:740] = 0

    found = compare_random_entries(holdout, held, Costs(), LOOK_BACK)

    assert found is not None
    assert found.as_good > 0.2
    assert found.median_sharpe > 0.5


def test_random_positions_rank_anywhere(holdout: Bars) -> None:
    found = [
        compare_random_entries(holdout, blocks(len(holdout), 10, seed), Costs(), LOOK_BACK)
        for seed in range(30)
    ]
    ranks = [each.as_good for each in found if each is not None]

    assert len(ranks) == 30
    assert 0.35 < np.mean(ranks) < 0.65
    assert min(ranks) < 0.2
    assert max(ranks) > 0.8
    for each in found:
        assert each is not None
        assert each.p_value == pytest.approx(each.as_good, abs=0.06)


def test_a_position_held_throughout_has_nothing_to_time(holdout: Bars) -> None:
    for position in (-1, 0, 1):
        held = np.full(len(holdout), float(position))
        assert compare_random_entries(holdout, held, Costs(), LOOK_BACK) is None
        # An account trades from the second bar on and closes at the last.
        held[[0, -1]] = 0.0
        assert compare_random_entries(holdout, held, Costs(), LOOK_BACK) is None


def test_a_constant_price_has_nothing_to_time() -> None:
    bars = make_bars(np.full(1000, 50.0))
    for costs in (Costs(), Costs(commission=0.0, slippage=0.0)):
        found = compare_random_entries(bars, blocks(1000, 10, 1), costs, LOOK_BACK)
        assert found is None or found.p_value > 0.4


def test_too_few_shifts_say_nothing(holdout: Bars) -> None:
    bars = holdout.slice(0, 200)
    longest = (len(bars) - 1 - FEWEST_SHIFTS) // 2
    held = blocks(len(bars), 10, 1)
    assert compare_random_entries(bars, held, Costs(), longest) is not None
    assert compare_random_entries(bars, held, Costs(), longest + 1) is None


def test_the_returns_of_positions_are_nearly_those_of_the_account(holdout: Bars) -> None:
    run = simulate(holdout, blocks(len(holdout), 10, 3), Costs())

    ours = metrics.sharpe(compute_position_returns(holdout, run.positions[:, 0], Costs()))

    assert ours == pytest.approx(metrics.sharpe(run.returns), abs=0.002)
