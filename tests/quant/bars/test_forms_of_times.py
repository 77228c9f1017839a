"""Times in the forms in which people have them: each is read right, or refused with advice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from errors import InvalidData, KtrdrError
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from tests.quant.bars.reading import ROWS, Table, days, hours, read, read_and_tell
from tests.support.quant.data import walk


def form(pattern: str) -> Callable[[Table], Table]:
    return lambda table: table.assign(timestamp=table["timestamp"].dt.strftime(pattern))


def count(unit: str, per: int = 1, before: int = 0) -> Callable[[Table], Table]:
    def change(table: Table) -> Table:
        times = table["timestamp"].to_numpy().astype(f"datetime64[{unit}]").astype(np.int64)
        return table.assign(timestamp=times // per + before)

    return change


@pytest.mark.parametrize(
    "change",
    [
        form("%Y%m%d%H%M"),
        form("%Y%m%d%H%M%S"),
        form("%Y.%m.%d %H:%M"),
        form("%Y/%m/%d %H:%M:%S"),
        form("%Y-%m-%dT%H:%M:%SZ"),
        form("%Y-%m-%d %H:%M:%S.%f+00:00"),
        count("s"),
        count("ms"),
        count("us"),
        count("ns"),
        count("ns", per=100, before=621_355_968_000_000_000),
    ],
)
def test_hours_are_read_in_any_usual_form(
    tmp_path: Path, usual_hours: str, change: Callable[[Table], Table]
) -> None:
    for name, timeframe in (("X.csv", None), ("X-1h.csv", None), ("X.csv", "1h")):
        bars = read(tmp_path, change(hours()), name, timeframe=timeframe)
        assert (bars.symbol, bars.timeframe, bars.content_hash) == ("X", "1h", usual_hours)


def test_days_without_separators_are_days(tmp_path: Path, usual_days: str) -> None:
    assert read(tmp_path, form("%Y%m%d")(days())).content_hash == usual_days


@pytest.mark.parametrize(
    ("step", "declared", "found"),
    [("7D", "1d", "1w"), ("1h", "1d", "1h"), ("1D", "1h", "1d"), ("5min", "1m", "5m")],
)
def test_a_timeframe_that_the_times_deny_is_refused(
    tmp_path: Path, step: str, declared: str, found: str
) -> None:
    with pytest.raises(
        InvalidData, match=f"declared as {declared}.*--timeframe {found}"
    ) as refused:
        read(tmp_path, walk(ROWS, step), timeframe=declared)
    assert refused.value.field == "timeframe"
    bars, told = read_and_tell(tmp_path, walk(ROWS, step))
    assert bars.timeframe == found
    assert found == "1d" or f"The timeframe is {found}, by the times." in told


def test_hours_in_a_file_of_days_are_refused_in_the_data_directory(tmp_path: Path) -> None:
    hours().to_csv(tmp_path / "BTC-1h.csv", index=False)
    with pytest.raises(InvalidData, match=r"mostly 1 hour apart.*name the file BTC_1h"):
        load_bars(DataSource(symbol="BTC-1h"), tmp_path)


def test_months_are_bars_of_thirty_days(tmp_path: Path) -> None:
    assert read(tmp_path, walk(ROWS, "MS")).timeframe == "30d"


def test_sessions_with_short_bars_keep_their_timeframe(tmp_path: Path) -> None:
    starts = pd.to_timedelta([9.5, 10, 11, 12, 13, 14, 15], unit="h")
    times = [day + start for day in pd.bdate_range("2020-01-02", periods=100) for start in starts]
    table = walk(len(times), "1h").assign(timestamp=times)
    assert read(tmp_path, table).timeframe == "1h"


@pytest.mark.parametrize(
    "cell",
    [
        "2500-01-01",
        "1500-01-01",
        "0001-01-01",
        "2262-04-11 23:47:16",
        "9999999999999999999",
        "99999999999999999999999",
        "99999999",
        "2020-02-30",
        "2020-01-01T00:00:00+99:99",
        "2020-01-01T25:00:00",
        "-1",
        "1e300",
        "NaT",
        "",
        "yesterday",
    ],
)
@pytest.mark.parametrize("zone", [None, "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("step", ["1D", "1h"])
def test_impossible_times_are_refused_with_their_row(
    tmp_path: Path, cell: str, zone: str | None, step: str
) -> None:
    with pytest.raises(KtrdrError, match=r"X\.csv, row 1: timestamp") as refused:
        read(tmp_path, walk(ROWS, step).assign(timestamp=cell), timezone=zone)
    assert refused.value.field == "timestamp"


def test_times_with_and_without_an_offset_do_not_mix(tmp_path: Path) -> None:
    texts = days()["timestamp"].dt.strftime("%Y-%m-%d 00:00:00")
    with pytest.raises(InvalidData, match=r"row 4: .* has an offset from UTC, and the first row"):
        read(tmp_path, days().assign(timestamp=texts.where(texts.index != 3, texts + "+01:00")))


@pytest.mark.parametrize("wrong", ["%Q", "%", "%z%z", "%d%d"])
def test_a_format_that_is_none_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(InvalidData, match=r"strptime|is not a time"):
        read(tmp_path, days(), time_format=wrong)


def tokyo(step: str = "B") -> pd.DatetimeIndex:
    return pd.date_range("2015-01-05", periods=ROWS, freq=step, tz="Asia/Tokyo")


@pytest.mark.parametrize(
    ("write", "options"),
    [
        (lambda times: [str(each) for each in times], {}),
        (lambda times: times.strftime("%Y-%m-%d %H:%M:%S%z"), {}),
        (lambda times: times.strftime("%Y-%m-%d"), {}),
        (lambda times: times.strftime("%Y-%m-%d"), {"timezone": "Asia/Tokyo"}),
        (
            lambda times: times.tz_convert("UTC").strftime("%Y-%m-%dT%XZ"),
            {"timezone": "Asia/Tokyo"},
        ),
        (lambda times: times.as_unit("s").astype(np.int64), {"timezone": "Asia/Tokyo"}),
        (lambda times: times.strftime("%d/%m/%Y %H:%M %z"), {"time_format": "%d/%m/%Y %H:%M %z"}),
        (lambda times: times.strftime("%d/%m/%Y"), {"time_format": "%d/%m/%Y"}),
    ],
)
def test_a_day_of_tokyo_is_that_day_however_it_is_written(
    tmp_path: Path, write: Callable[[pd.DatetimeIndex], Any], options: dict[str, str]
) -> None:
    bars = read(tmp_path, walk(ROWS, "1D").assign(timestamp=write(tokyo())), **options)
    assert bars.format_time(0) == "2015-01-05T00:00:00Z"
    assert [each[:10] for each in bars.iso_times] == list(tokyo().strftime("%Y-%m-%d"))
    assert bars.periods_per_year == 252.0


def test_a_zone_in_parquet_names_the_day(tmp_path: Path) -> None:
    walk(ROWS, "1D").assign(timestamp=tokyo()).to_parquet(tmp_path / "X.parquet")
    assert load_bars(DataSource(symbol="X"), tmp_path).format_time(0) == "2015-01-05T00:00:00Z"


def test_hours_with_offsets_that_change_are_read(tmp_path: Path) -> None:
    times = pd.date_range("2020-03-01", periods=ROWS, freq="h", tz="America/New_York")
    table = hours().assign(timestamp=[str(each) for each in times])
    for zone in (None, "America/New_York", "Asia/Tokyo"):
        bars = read(tmp_path, table, timezone=zone)
        assert bars.iso_times == list(times.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ"))
