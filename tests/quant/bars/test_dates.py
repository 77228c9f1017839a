"""Bars of some days only."""

from datetime import date

import numpy as np
import pytest
from pydantic import ValidationError

from errors import DataChanged, InvalidData
from quant.bars.loader import load_bars
from quant.messages.data import DataSource

WHOLE = load_bars(DataSource(), None)


def test_both_days_are_included() -> None:
    """1 January 2010 had no trading, and 31 December 2013 had."""
    source = DataSource(start_date=date(2010, 1, 4), end_date=date(2013, 12, 31))
    bars = load_bars(source, None)
    assert bars.format_time(0) == "2010-01-04T00:00:00Z"
    assert bars.format_time(-1) == "2013-12-31T00:00:00Z"
    first = WHOLE.iso_times.index("2010-01-04T00:00:00Z")
    np.testing.assert_array_equal(bars.close, WHOLE.close[first : first + len(bars)])


@pytest.mark.parametrize(
    ("days", "start", "end"),
    [
        ({"start_date": date(2015, 1, 1)}, "2015-01-02", "2018-12-31"),
        ({"end_date": date(2005, 1, 2)}, "1999-01-04", "2004-12-31"),
        ({"start_date": date(1, 1, 1), "end_date": date(9999, 12, 31)}, "1999-01-04", "2018-12-31"),
    ],
)
def test_an_end_may_be_open(days: dict[str, date], start: str, end: str) -> None:
    bars = load_bars(DataSource(**days), None)
    assert (bars.format_time(0)[:10], bars.format_time(-1)[:10]) == (start, end)


def test_their_description_leads_back_to_them() -> None:
    bars = load_bars(DataSource(start_date=date(2010, 1, 1)), None)
    info = bars.describe()
    assert info.source.start_date == date(2010, 1, 1)
    again = load_bars(info.source, None)
    assert again.content_hash == info.content_hash != WHOLE.content_hash
    with pytest.raises(DataChanged):
        load_bars(info.source.model_copy(update={"start_date": None}), None)


def test_without_days_the_hash_is_that_of_all_bars() -> None:
    every_day = load_bars(DataSource(start_date=date(1999, 1, 1), end_date=date(2030, 1, 1)), None)
    assert every_day.content_hash == WHOLE.content_hash


def test_too_few_bars_are_refused_with_those_that_exist() -> None:
    with pytest.raises(InvalidData, match=r"from 2018-06-01.*at least 500.*1999-01-04") as caught:
        load_bars(DataSource(start_date=date(2018, 6, 1)), None)
    assert caught.value.field == "start_date"
    with pytest.raises(InvalidData, match="has 0 bars until 1990-01-01"):
        load_bars(DataSource(end_date=date(1990, 1, 1)), None)


def test_the_start_is_not_after_the_end() -> None:
    with pytest.raises(ValidationError, match="is after"):
        DataSource(start_date=date(2015, 1, 1), end_date=date(2014, 1, 1))
