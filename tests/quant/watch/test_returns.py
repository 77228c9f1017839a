"""Returns from open to open: what is held is worth what it can be sold for."""

from dataclasses import replace

import numpy as np
import pytest

from quant.backtest.simulation import simulate
from quant.bars.bars import Bars, Floats
from quant.messages.strategy import Costs
from quant.universe.universe import Universe
from quant.watch.returns import measure_open_returns
from tests.support.quant.universes import make_bars

FREE = Costs(commission=0.0, slippage=0.0)
DEAR = Costs(commission=0.002, slippage=0.001, borrow_rate=0.05, cash_rate=0.02)
BARS = 60


def flatten(bars: Bars) -> Bars:
    """Return bars within which the price does not move."""
    return replace(bars, high=bars.open, low=bars.open, close=bars.open)


def draw_universe(rng: np.random.Generator, instruments: int, *, holes: bool) -> Universe:
    """Return random walks; the first instrument has all bars, others begin late or have holes."""
    found = []
    for number in range(instruments):
        first = int(rng.integers(0, 20)) if holes and number else 0
        closes = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.03, BARS - first)))
        missing = rng.choice(BARS - first, 12, replace=False) if holes and number else ()
        found.append(make_bars(f"I{number}", closes, first=first, holes=sorted(missing)))
    return Universe.of(found)


def draw_weights(rng: np.random.Generator, universe: Universe) -> Floats:
    """Return weights that change now and then, NaN where an instrument has no bar."""
    changes = rng.random(universe.opens.shape) < 0.3
    drawn = np.where(changes, rng.uniform(-0.3, 0.3, changes.shape), np.nan)
    drawn[0] = 0.0
    return np.where(universe.exists, drawn, np.nan)


@pytest.mark.parametrize("instruments", [1, 2, 5])
@pytest.mark.parametrize("holes", [False, True])
def test_what_is_held_is_worth_what_a_sale_at_the_next_opens_would_bring(
    instruments: int, holes: bool
) -> None:
    for seed in range(15):
        rng = np.random.default_rng(seed)
        universe = draw_universe(rng, instruments, holes=holes)
        if holes:
            # Orders are sized by the last price, which is then the last open, too.
            universe = Universe.of([flatten(each) for each in universe.instruments])
        weights = draw_weights(rng, universe)

        worth = np.cumprod(1.0 + measure_open_returns(universe, weights, FREE).strategy)

        sold = [
            # An account is closed at the last open of each instrument.
            simulate(universe.slice(0, end), weights[:end], FREE).equity[-1]
            for end in range(2, BARS + 1)
        ]
        np.testing.assert_allclose(worth, sold, rtol=1e-9)


def test_one_instrument_twice_is_that_instrument() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        universe = draw_universe(rng, 1, holes=False)
        [only] = universe.instruments
        twice = Universe.of([only, replace(only, symbol="OTHER")])
        weights = draw_weights(rng, universe)

        one = measure_open_returns(universe, weights, DEAR)
        two = measure_open_returns(twice, np.repeat(weights / 2.0, 2, axis=1), DEAR)

        np.testing.assert_allclose(one.market, two.market, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(one.weights, two.weights, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(one.strategy, two.strategy, rtol=1e-9, atol=1e-12)


def test_later_bars_change_no_earlier_return() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        universe = draw_universe(rng, 4, holes=True)
        weights = draw_weights(rng, universe)
        end = int(rng.integers(30, BARS))
        # What is held when the bars end is sold: the last bar of each comes before that.
        known = min(int(place[-1]) for place in universe.slice(0, end).places)

        whole = measure_open_returns(universe, weights, DEAR)
        part = measure_open_returns(universe.slice(0, end), weights[:end], DEAR)

        for name in ("strategy", "market", "weights"):
            np.testing.assert_allclose(
                getattr(part, name)[:known], getattr(whole, name)[:known], rtol=1e-9, atol=1e-12
            )


def test_bars_before_the_traded_ones_say_who_is_active() -> None:
    closes = np.full(40, 100.0)
    rising = 100.0 * np.power(1.01, np.arange(40, dtype=np.float64))
    # The second has no bar at the first traded time, and was there all the time.
    universe = Universe.of([make_bars("A", closes), make_bars("B", rising, holes=[20])])

    market = measure_open_returns(universe, np.zeros((20, 2)), FREE).market

    # Half of the account is in each from the first open on.
    assert market[1] == pytest.approx(0.5 * 0.01, rel=1e-6)
