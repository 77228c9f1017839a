"""Ticks stand at round values, and their labels do not touch."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.report.ticks import list_decades, list_numbers, list_times


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (-63.0, 3.0, 4.0, ["\N{MINUS SIGN}60", "\N{MINUS SIGN}40", "\N{MINUS SIGN}20", "0"]),
        (-0.3, 0.55, 4.0, ["\N{MINUS SIGN}0.25", "0.00", "0.25", "0.50"]),
        (0.0, 1.0, 5.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.0, 26_000.0, 3.0, ["0", "10,000", "20,000"]),
        (0.0, 3.3e-8, 3.5, ["0", "1e\N{MINUS SIGN}08", "2e\N{MINUS SIGN}08", "3e\N{MINUS SIGN}08"]),
    ],
)
def test_numbers_are_round(low: float, high: float, most: float, labels: list[str]) -> None:
    assert [tick.label for tick in list_numbers(low, high, most)] == labels


def test_whole_numbers_have_no_ticks_between_them() -> None:
    assert [tick.label for tick in list_numbers(0.9, 3.1, 10.0, whole=True)] == ["1", "2", "3"]
    assert [tick.value for tick in list_numbers(0.0, 101.0, 4.0, whole=True)] == [0.0, 50.0, 100.0]


@pytest.mark.parametrize(
    ("low", "high", "length", "labels"),
    [
        (0.35, 2.3, 300.0, ["0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1", "2"]),
        (0.35, 2.3, 60.0, ["0.5", "1", "2"]),
        (0.5, 2_000.0, 60.0, ["1", "10", "100", "1,000"]),
        (0.96, 1.04, 100.0, ["0.96", "0.98", "1.00", "1.02", "1.04"]),
        (0.01, 0.1, 30.0, ["0.01", "0.1"]),
    ],
)
def test_logarithms_have_as_many_ticks_as_fit(
    low: float, high: float, length: float, labels: list[str]
) -> None:
    assert [tick.label for tick in list_decades(low, high, length)] == labels


@pytest.mark.parametrize(
    ("start", "stop", "labels"),
    [
        ("2001-05-01", "2018-12-31", ["2002", "2004", "2006", "2008", "2010"]),
        ("2016-01-15", "2018-02-01", ["2016-07", "2017-01", "2017-07", "2018-01"]),
        ("2016-02-25", "2016-03-24", ["2016-02-29", "2016-03-07", "2016-03-14", "2016-03-21"]),
        (
            "1969-12-31T20",
            "1970-01-01T07",
            ["12-31 21:00", "01-01 00:00", "01-01 03:00", "01-01 06:00"],
        ),
        ("2016-02-25T10:00:00", "2016-02-25T10:00:12", ["10:00:00", "10:00:05", "10:00:10"]),
    ],
)
def test_times_are_those_of_the_calendar(start: str, stop: str, labels: list[str]) -> None:
    low, high = np.array([start, stop], "datetime64[s]").astype(np.int64).tolist()
    assert [tick.label for tick in list_times(low, high, 240.0)][:5] == labels


finite = st.floats(-1e100, 1e100)


@given(finite, finite, st.booleans())
def test_numbers_are_in_range_apart_and_few(one: float, other: float, whole: bool) -> None:
    low, high = sorted((one, other))
    if high - low <= 1e-9 * max(abs(low), abs(high)) or high - low < 1e-100:
        return
    values = [tick.value for tick in list_numbers(low, high, 5.0, whole=whole)]
    slack = 1e-6 * (high - low)
    assert len(values) <= 6
    assert all(low - slack <= value <= high + slack for value in values)
    assert all(b - a >= (high - low) / 5.0 - slack for a, b in pairwise(values))


@given(st.floats(-100.0, 100.0), st.floats(1e-6, 150.0), st.floats(30.0, 400.0))
def test_logarithms_are_in_range_and_apart(start: float, span: float, length: float) -> None:
    low, high = 10.0**start, 10.0 ** min(start + span, 101.0)
    ticks = list_decades(low, high, length)
    places = [
        (math.log10(tick.value) - math.log10(low)) * length / math.log10(high / low)
        for tick in ticks
    ]
    assert all(-0.1 <= place <= length + 0.1 for place in places)
    assert all(b - a > 9.0 for a, b in pairwise(places))


@given(
    st.floats(-9e9, 9e9), st.floats(2.0, 9e9), st.floats(100.0, 600.0)
)  # About the years 1685 to 2255, from seconds to centuries.
def test_labels_of_times_differ_and_do_not_touch(start: float, span: float, length: float) -> None:
    ticks = list_times(start, start + span, length)
    assert all(start <= tick.value <= start + span for tick in ticks)
    assert len({tick.label for tick in ticks}) == len(ticks)
    for before, after in pairwise(ticks):
        distance = (after.value - before.value) / span * length
        assert distance > 4.7 * len(after.label)
