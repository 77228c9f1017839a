"""Positions at random times: timing is told from exposure."""

import numpy as np
import pytest

from quant.backtest import metrics
from quant.backtest.random_entries import (
    PATHS,
    compare_random_entries,
    compute_position_returns,
)
from quant.backtest.simulation import simulate
from quant.bars.bars import Bars, Floats
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from quant.messages.strategy import Costs


@pytest.fixture(scope="module")
def holdout() -> Bars:
    return load_bars(DataSource(symbol="NASDAQ"), None).split()[1]


def blocks(bars: int, length: int, seed: int) -> Floats:
    """Return positions that change at random every `length` bars."""
    drawn = np.random.default_rng(seed).integers(-1, 2, -(-bars // length))
    return np.repeat(drawn, length)[:bars].astype(np.float64)


def test_who_knows_the_future_beats_all_random_entries(holdout: Bars) -> None:
    tomorrow = np.sign(np.diff(holdout.close, append=holdout.close[-1]))
    held = np.roll(tomorrow, 1)

    found = compare_random_entries(holdout, held, Costs(), seed=1)

    assert found is not None
    assert (found.paths, found.as_good) == (PATHS, 0.0)
    assert found.p_value < 1e-12
    assert found.median_sharpe < found.high_sharpe


def test_holding_what_rises_is_no_timing(holdout: Bars) -> None:
    held = np.ones(len(holdout))
    held[700:740] = 0

    found = compare_random_entries(holdout, held, Costs(), seed=1)

    assert found is not None
    assert found.as_good > 0.2
    assert found.median_sharpe > 0.5


def test_random_positions_rank_anywhere(holdout: Bars) -> None:
    ranks = [
        found.as_good
        for seed in range(30)
        if (found := compare_random_entries(holdout, blocks(len(holdout), 10, seed), Costs(), seed))
    ]

    assert len(ranks) == 30
    assert 0.35 < np.mean(ranks) < 0.65
    assert min(ranks) < 0.2
    assert max(ranks) > 0.8


def test_the_p_value_is_the_share_as_long_as_that_can_be_seen(holdout: Bars) -> None:
    for seed in range(10):
        found = compare_random_entries(holdout, blocks(len(holdout), 10, seed), Costs(), seed)
        assert found is not None
        assert found.p_value == pytest.approx(found.as_good, abs=0.06)


def test_without_a_change_there_is_nothing_to_time(holdout: Bars) -> None:
    for position in (-1, 0, 1):
        held = np.full(len(holdout), float(position))
        assert compare_random_entries(holdout, held, Costs(), seed=1) is None


def test_equal_seeds_give_equal_bits(holdout: Bars) -> None:
    held = blocks(len(holdout), 10, 3)
    assert compare_random_entries(holdout, held, Costs(), 1) == compare_random_entries(
        holdout, held, Costs(), 1
    )
    assert compare_random_entries(holdout, held, Costs(), 1) != compare_random_entries(
        holdout, held, Costs(), 2
    )


def test_the_returns_of_positions_are_nearly_those_of_the_account(holdout: Bars) -> None:
    run = simulate(holdout, blocks(len(holdout), 10, 3), Costs())

    ours = metrics.sharpe(compute_position_returns(holdout, run.positions[:, 0], Costs()))

    assert ours == pytest.approx(metrics.sharpe(run.returns), abs=0.002)
