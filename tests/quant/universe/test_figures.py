"""What the instruments of a universe have contributed, and have in common."""

import numpy as np
import pytest

from quant.backtest import metrics
from quant.backtest.random_entries import compare_random_entries
from quant.backtest.shared_shifts import compute_shared_sharpes
from quant.backtest.simulation import buy_and_hold, simulate
from quant.bars.bars import Floats
from quant.messages.strategy import Costs
from quant.universe.figures import correlate, count_independent, describe_instruments
from quant.universe.universe import Universe
from tests.support.quant.oracle import Oracle
from tests.support.quant.universes import make_bars, make_closes

COSTS = Costs()


def make(instruments: int, *, rows: int = 500, common: float = 0.0, seed: int = 1) -> Universe:
    closes = make_closes(rows, instruments, seed, common=common)
    return Universe.of(
        [
            make_bars(
                f"S{each}",
                closes[:, each],
                holes=range(20, rows, 11) if each == 1 else (),
            )
            for each in range(instruments)
        ]
    )


def random_weights(universe: Universe, seed: int, every: int = 5) -> Floats:
    shape = universe.exists.shape
    drawn = np.random.default_rng(seed).uniform(-1.0, 1.0, shape) / shape[1]
    weights = np.repeat(drawn, every, axis=0)[: shape[0]]
    return np.where(universe.exists, weights, np.nan)


@pytest.mark.parametrize("seed", range(4))
def test_a_universe_is_traded_as_an_account_bar_by_bar_would(seed: int) -> None:
    universe = make(4, rows=160, seed=seed)
    weights = random_weights(universe, seed)

    run = simulate(universe, weights, COSTS)

    expected = Oracle(universe.opens, universe.closes, weights, COSTS)
    np.testing.assert_allclose(run.equity, expected.equity, rtol=1e-9)
    assert len(run.trades) == len(expected.trades)


def test_the_profits_of_the_instruments_are_that_of_the_account() -> None:
    universe = make(5)
    run = simulate(universe, random_weights(universe, 1), COSTS)

    found = describe_instruments(universe, run)

    assert sum(each.profit for each in found) == pytest.approx(run.equity[-1] - 1.0, abs=1e-9)
    assert sum(each.trades for each in found) == len(run.trades)
    for each in found:
        assert sum(each.profit_by_year.values()) == pytest.approx(each.profit)


def test_buy_and_hold_holds_equal_parts() -> None:
    universe = Universe.of(
        [make_bars(name, make_closes(300, 1, seed)[:, 0]) for seed, name in enumerate("AB")]
    )

    equity = buy_and_hold(universe).equity

    # Bought at the second open, sold at the last one.
    grown = [0.5 * (bars.open[-1] / bars.open[1]) for bars in universe.instruments]
    assert equity[-1] == pytest.approx(sum(grown))


@pytest.mark.parametrize(("common", "least", "most"), [(0.0, 9.0, 10.0), (0.999, 1.0, 1.05)])
def test_copies_of_one_instrument_are_no_more_evidence(
    common: float, least: float, most: float
) -> None:
    independent = count_independent(make(10, rows=1500, common=common))

    assert independent is not None
    assert least <= independent <= most


def test_correlations_are_those_of_the_common_bars() -> None:
    moves = np.random.default_rng(1).normal(size=(400, 3))
    moves[:, 2] = moves[:, 0] + 0.1 * moves[:, 1]
    moves[::7, 1] = np.nan
    both = ~np.isnan(moves[:, 1])

    found = correlate(moves)

    assert found[0, 2] == pytest.approx(np.corrcoef(moves[:, 0], moves[:, 2])[0, 1])
    # Each is centred by its own mean, of all its bars.
    expected = np.corrcoef(moves[both, 0], moves[both, 1])[0, 1]
    assert found[0, 1] == pytest.approx(expected, abs=1e-3)


def test_random_entries_shift_all_instruments_together() -> None:
    universe = make(3, rows=300)
    held = np.nan_to_num(random_weights(universe, 2))
    look_back = 20

    found = compute_shared_sharpes(universe, held, COSTS, look_back)

    shifts = [0, *range(look_back + 1, len(held) - look_back)]
    expected = [metrics.sharpe(earn(universe, np.roll(held, shift, axis=0))) for shift in shifts]
    np.testing.assert_allclose(found, np.array(expected, np.float64), atol=1e-9)


def earn(universe: Universe, held: Floats) -> Floats:
    """Return what positions earn, bar by bar."""
    earned = np.zeros(len(held))
    before = np.roll(held, 1, axis=0)
    for number, (place, bars) in enumerate(zip(universe.places, universe.instruments, strict=True)):
        for own, bar in enumerate(place.tolist()):
            if own:
                overnight = bars.open[own] / bars.close[own - 1] - 1.0
                earned[bar] += before[bar, number] * overnight
            earned[bar] += held[bar, number] * (bars.close[own] / bars.open[own] - 1.0)
    paid: Floats = np.abs(held - before).sum(axis=1) * COSTS.per_side
    return earned - paid


def test_random_entries_of_one_instrument_are_summed_up_as_those_of_several() -> None:
    one = make(1, rows=400)
    held = np.nan_to_num(random_weights(one, 3))
    held[[0, -1]] = 0.0
    twice = Universe.of([one.instruments[0], one.instruments[0]])

    alone = compare_random_entries(one, held, COSTS, 10)
    halves = compare_random_entries(twice, np.column_stack([held, held]) / 2.0, COSTS, 10)

    assert alone is not None
    assert halves is not None
    assert halves.p_value == pytest.approx(alone.p_value, rel=1e-6)
    assert halves.median_sharpe == pytest.approx(alone.median_sharpe, abs=1e-6)
