"""What the bars say about the cost of trading."""

import numpy as np
import pytest

from quant.bars.checks.spread import measure_bounce, measure_half_tick
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from quant.messages.strategy import Costs
from quant.verdict.remarks import describe_bars
from tests.support.quant.prices import make_bars

RNG = np.random.default_rng(3)
CALM = 100.0 * np.exp(np.cumsum(RNG.normal(0.0, 0.001, 4000)))


def test_bounce_shows_half_the_spread() -> None:
    bounced = make_bars(CALM * (1.0 + RNG.choice([-0.0008, 0.0008], 4000)))
    assert measure_bounce(bounced) == pytest.approx(0.0008, rel=0.1)
    assert measure_bounce(make_bars(CALM)) is None
    assert measure_half_tick(bounced) is None


def test_coarse_prices_show_their_tick() -> None:
    ticks = make_bars(np.round(CALM * 4.0) / 4.0)
    assert measure_half_tick(ticks) == pytest.approx(0.125 / np.median(ticks.close))


@pytest.mark.parametrize("symbol", ["SP500", "NASDAQ"])
def test_built_in_bars_suggest_no_cost(symbol: str) -> None:
    bars = load_bars(DataSource(symbol=symbol), None)
    assert (measure_bounce(bars), measure_half_tick(bars)) == (None, None)


def test_a_cost_below_what_the_bars_suggest_is_named() -> None:
    bounced = make_bars(CALM * (1.0 + RNG.choice([-0.0008, 0.0008], 4000)))
    tiny = Costs(commission=1e-6, slippage=0.0)
    [said] = [text for text in describe_bars(bounced, tiny) if "assumed cost" in text]
    assert "0.0001% per side is lower than the bounce" in said
    assert not [text for text in describe_bars(bounced, Costs()) if "assumed cost" in text]
