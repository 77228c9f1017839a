"""What is odd about bars, but no error, is remarked with its row."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from quant.bars.bars import Bars
from quant.bars.checks.oddities import list_oddities
from quant.bars.loader import load_bars
from quant.bars.parser import build_bars
from quant.messages.data import DataSource
from quant.verdict import remarks
from tests.support.quant.data import walk

DAILY = DataSource(symbol="X")


def bars_at(times: pd.DatetimeIndex, timeframe: str = "1d") -> Bars:
    table = walk(len(times), "1D").assign(timestamp=times)
    return build_bars(table, DataSource(symbol="X", timeframe=timeframe), "X.csv")


def cut(times: pd.DatetimeIndex, hole: pd.Timedelta) -> pd.DatetimeIndex:
    """Leave a hole before the 301st of the times."""
    return pd.DatetimeIndex([*times[:300], *(times[300:] + hole)])


@pytest.fixture
def business_days() -> Bars:
    return bars_at(pd.bdate_range("2015-01-02", periods=700))


def scaled(bars: Bars, first: int, last: int, factor: float) -> Bars:
    """Multiply the prices of some rows, counted from 0."""
    factors = np.ones(len(bars))
    factors[first:last] = factor
    prices = {name: getattr(bars, name) * factors for name in ("open", "high", "low", "close")}
    return replace(bars, **prices)


def test_usual_bars_have_no_oddities(business_days: Bars) -> None:
    assert list_oddities(business_days) == []
    for symbol in ("SP500", "NASDAQ"):
        assert list_oddities(load_bars(DataSource(symbol=symbol), None)) == []


@pytest.mark.parametrize(
    ("factor", "name"),
    [(1 / 4, "a 4:1 split"), (2 / 3, "a 3:2 split"), (10.0, "a 1:10 split"), (0.3, None)],
)
def test_a_split_is_named_with_row_and_ratio(
    business_days: Bars, factor: float, name: str | None
) -> None:
    split = scaled(business_days, 490, 700, factor)
    [remark] = list_oddities(split)
    ratio = split.close[490] / split.close[489]
    assert f"row 491 (2016-11-18T00:00:00Z), ratio {ratio:.4g}" in remark
    assert remark.endswith(f"like {name}." if name else f"{ratio:.4g}.")
    assert remark in remarks.describe_bars(split)


def test_a_bad_tick_is_one_jump_not_two(business_days: Bars) -> None:
    [remark] = list_oddities(scaled(business_days, 100, 102, 10.0))
    assert remark.startswith("1 jump of the close")
    assert "row 101" in remark
    assert remark.endswith("like a bad tick.")


def test_many_jumps_are_counted(business_days: Bars) -> None:
    for row in range(50, 650, 60):
        business_days = scaled(business_days, row, 700, 2.0)
    [remark] = list_oddities(business_days)
    assert remark.startswith("10 jumps")
    assert remark.endswith("and 7 more.")


@pytest.mark.parametrize(
    ("times", "timeframe", "hole"),
    [
        (pd.bdate_range("2015-01-02", periods=700), "1d", pd.Timedelta(days=1059)),
        (pd.date_range("2015-01-02", periods=700, freq="D"), "1d", pd.Timedelta(days=4)),
        (pd.date_range("2015-01-02", periods=700, freq="h"), "1h", pd.Timedelta(days=3)),
        (pd.date_range("2015-01-02", periods=700, freq="7D"), "1w", pd.Timedelta(days=70)),
    ],
)
def test_a_hole_is_named_with_its_row(
    times: pd.DatetimeIndex, timeframe: str, hole: pd.Timedelta
) -> None:
    [remark] = list_oddities(bars_at(cut(times, hole), timeframe))
    assert remark.startswith("1 hole in the bars: ")
    assert "before row 301" in remark
    assert ("2.9 years" in remark) == (hole.days == 1059)


@pytest.mark.parametrize("days", [4, 11])
def test_a_holiday_is_no_hole(days: int) -> None:
    times = pd.bdate_range("2015-01-02", periods=700)
    assert list_oddities(bars_at(cut(times, pd.Timedelta(days=days - 4)))) == []


def test_dates_that_are_a_day_early_are_remarked() -> None:
    tokyo = pd.bdate_range("2015-01-05", periods=700, tz="Asia/Tokyo").tz_convert("UTC")
    [remark] = list_oddities(bars_at(tokyo))
    assert "bars on Sundays and none on Fridays" in remark


def test_a_missing_volume_is_remarked(business_days: Bars) -> None:
    silent = replace(business_days, volume=np.zeros(len(business_days)))
    assert any("no volume" in remark for remark in remarks.describe_bars(silent))
