from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from arch.data import nasdaq, sp500

from errors import InvalidData, UnknownSymbol
from quant.bars.bars import MINIMUM_BARS, Bars
from quant.bars.loader import load_bars
from quant.bars.reading.content import MAX_FILE_BYTES
from quant.messages.data import DataSource
from quant.verdict import remarks

ROWS = MINIMUM_BARS + 20
GOLD = DataSource(symbol="GOLD")


def table(rows: int = ROWS) -> pd.DataFrame:
    close = 100.0 + np.sin(np.arange(rows) / 7.0)
    return pd.DataFrame(
        {
            "Date": pd.date_range("2020-01-01", periods=rows, freq="D"),
            "Open": close - 0.25,
            "High": close + 1.0,
            "Low": close - 1.0,
            "Close": close,
            "Volume": np.arange(rows) * 10,
        }
    )


def write_csv(directory: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(directory / "GOLD.csv", index=False)


def write_parquet(directory: Path, frame: pd.DataFrame) -> None:
    frame.to_parquet(directory / "GOLD.parquet", index=False)


Writer = Callable[[Path, pd.DataFrame], None]
both_formats = pytest.mark.parametrize("write", [write_csv, write_parquet])


def refusal(directory: Path) -> InvalidData:
    with pytest.raises(InvalidData) as caught:
        load_bars(GOLD, directory)
    assert str(directory) not in caught.value.message
    return caught.value


def set_cell(column: str, row: int, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[row - 1, column] = value
        return frame

    return change


def test_built_in_bars_are_valid_and_split_70_to_30() -> None:
    bars = load_bars(DataSource(), None)
    development, holdout = bars.split()
    assert (len(bars), len(development), len(holdout)) == (5031, 3521, 1510)
    assert bars.describe().start == "1999-01-04T00:00:00Z"
    assert bars.describe().holdout_start == holdout.format_time(0) == "2013-01-02T00:00:00Z"
    assert bars.periods_per_year == 252.0


@pytest.mark.parametrize(("symbol", "package"), [("SP500", sp500), ("NASDAQ", nasdaq)])
def test_built_in_bars_are_those_of_arch(symbol: str, package: ModuleType) -> None:
    bars, expected = load_bars(DataSource(symbol=symbol), None), package.load()
    assert bars.timestamps.tolist() == expected.index.as_unit("ns").astype(np.int64).tolist()
    for column in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(bars, column), expected[column.capitalize()])


def test_built_in_bars_are_loaded_once_and_cannot_be_changed() -> None:
    bars = load_bars(DataSource(symbol="NASDAQ"), None)
    assert load_bars(DataSource(symbol="NASDAQ"), None) is bars
    with pytest.raises(ValueError, match="read-only"):
        bars.close[0] = 1.0


@both_formats
def test_a_file_is_read_to_the_bit(tmp_path: Path, write: Writer) -> None:
    write(tmp_path, table())
    bars = load_bars(GOLD, tmp_path)
    np.testing.assert_array_equal(bars.close, table()["Close"].to_numpy())
    assert bars.timestamps[1] == pd.Timestamp("2020-01-02", tz="UTC").value
    for array in (bars.open, bars.high, bars.low, bars.close, bars.volume):
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        assert not array.flags.writeable


def test_csv_and_parquet_with_the_same_bars_have_the_same_content_hash(tmp_path: Path) -> None:
    hashes = set()
    for write in (write_csv, write_parquet):
        directory = tmp_path / write.__name__
        directory.mkdir()
        write(directory, table())
        hashes.add(load_bars(GOLD, directory).content_hash)
    assert len(hashes) == 1


def test_any_changed_value_changes_the_content_hash(tmp_path: Path) -> None:
    write_csv(tmp_path, table())
    before = load_bars(GOLD, tmp_path).content_hash
    write_csv(tmp_path, set_cell("Volume", 7, 1)(table()))
    assert load_bars(GOLD, tmp_path).content_hash != before


def test_a_pandas_index_in_parquet_serves_as_timestamp(tmp_path: Path) -> None:
    table().set_index("Date").rename_axis(None).to_parquet(tmp_path / "GOLD.parquet")
    assert load_bars(GOLD, tmp_path).format_time(0) == "2020-01-01T00:00:00Z"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_epoch_numbers_tell_their_unit_by_size(tmp_path: Path, unit: str) -> None:
    frame = table()
    frame["Date"] = frame["Date"].to_numpy().astype(f"datetime64[{unit}]").astype(np.int64)
    write_csv(tmp_path, frame)
    assert load_bars(GOLD, tmp_path).format_time(1) == "2020-01-02T00:00:00Z"


def test_times_with_a_zone_are_converted_to_utc(tmp_path: Path) -> None:
    frame = table()
    hours = pd.date_range("2020-01-01", periods=ROWS, freq="h")
    frame["Date"] = hours.strftime("%Y-%m-%dT%H:%M:%S+02:00")
    frame.to_csv(tmp_path / "GOLD_1h.csv", index=False)
    bars = load_bars(DataSource(symbol="GOLD", timeframe="1h"), tmp_path)
    assert bars.format_time(0) == "2019-12-31T22:00:00Z"


def test_days_with_a_zone_keep_their_date(tmp_path: Path) -> None:
    frame = table()
    frame["Date"] = frame["Date"].dt.strftime("%Y-%m-%dT00:00:00+02:00")
    write_csv(tmp_path, frame)
    assert load_bars(GOLD, tmp_path).format_time(0) == "2020-01-01T00:00:00Z"


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "GOLD.csv").write_bytes(b"\xef\xbb\xbf" + table().to_csv(index=False).encode())
    assert len(load_bars(GOLD, tmp_path)) == ROWS


def test_daily_bars_of_a_market_that_never_closes_are_365_a_year(tmp_path: Path) -> None:
    write_csv(tmp_path, table())
    assert load_bars(GOLD, tmp_path).periods_per_year == pytest.approx(365.25)


def test_hourly_bars_are_annualised_by_the_calendar(tmp_path: Path) -> None:
    frame = table()
    frame["Date"] = pd.date_range("2020-01-01", periods=ROWS, freq="h")
    frame.to_csv(tmp_path / "GOLD_1h.csv", index=False)
    bars = load_bars(DataSource(symbol="GOLD", timeframe="1h"), tmp_path)
    assert bars.periods_per_year == pytest.approx(24 * 365.25)


@both_formats
@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (lambda t: t.drop(columns=["High", "Low"]), "high", "lacks the columns high, low"),
        (lambda t: t.drop(columns="Date"), "timestamp", "lacks the column timestamp"),
        (lambda t: t.assign(close=1.0), "close", "column close more than once"),
        (lambda t: t.iloc[[0, 2, 1, *range(3, ROWS)]], "timestamp", r"row 3 \(2020-01-02.*sort"),
        (lambda t: t.iloc[[0, 1, 1, *range(2, ROWS)]], "timestamp", r"row 3 .*repeats"),
        (set_cell("Date", 4, None), "timestamp", "row 4: timestamp"),
        (set_cell("Close", 9, None), "close", r"row 9 \(2020-01-09T00:00:00Z\): close is missing"),
        (set_cell("Close", 9, np.inf), "close", "close is 'inf', not a finite number"),
        (set_cell("High", 5, 1.0), "high", "high is below the low"),
        (set_cell("Low", 5, 100.9), "low", "low is above the open or the close"),
        (set_cell("Open", 5, 105.0), "high", "high is below the open or the close"),
        (set_cell("Low", 5, 0.0), "low", "low is not a positive price"),
        (set_cell("Close", 5, -3.0), "close", "close is not a positive price"),
        (set_cell("Volume", 5, -1), "volume", "volume is negative"),
        (lambda t: t.iloc[: MINIMUM_BARS - 1], "symbol", "has 499 bars; at least 500 are needed"),
        (lambda t: t.iloc[:0], "symbol", "no data rows"),
    ],
)
def test_bad_bars_are_refused_with_column_and_row(
    tmp_path: Path,
    write: Writer,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    field: str,
    message: str,
) -> None:
    write(tmp_path, change(table()))
    caught = refusal(tmp_path)
    assert caught.field == field
    assert caught.message.startswith("GOLD.")
    with pytest.raises(InvalidData, match=message):
        raise caught


@both_formats
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("Close", "n/a?", "row 9 .*close is 'n/a\\?'"),
        ("Volume", "1,000", "volume is '1,000'"),
        ("Open", "True", "open is 'True'"),
        ("Date", "01/02/2020", "row 9: timestamp '01/02/2020' is not an ISO 8601"),
        ("Date", "9999-01-01", "row 9: timestamp '9999-01-01"),
    ],
)
def test_text_in_the_wrong_place_is_quoted(
    tmp_path: Path, write: Writer, column: str, value: str, message: str
) -> None:
    frame = table().astype({column: str})
    write(tmp_path, set_cell(column, 9, value)(frame))
    with pytest.raises(InvalidData, match=message):
        raise refusal(tmp_path)


def test_small_numbers_are_no_timestamps(tmp_path: Path) -> None:
    write_csv(tmp_path, table().assign(Date=np.arange(ROWS)))
    assert "row 1: timestamp '0' is neither" in refusal(tmp_path).message


def test_mixed_epoch_units_are_refused(tmp_path: Path) -> None:
    write_csv(tmp_path, table().assign(Date=np.geomspace(1.6e9, 1.6e18, ROWS)))
    assert "another unit than the first row" in refusal(tmp_path).message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "GOLD.csv is empty."),
        (b" \n\n", "GOLD.csv is empty."),
        (b"date,open\n\xff\xfe,1\n", "line 2: not valid UTF-8"),
        (b"date,open\n2020\0,1\n", "NUL bytes"),
        (b"date,open,high,low,close,volume\n", "no data rows"),
        (b'date,open,high,low,close,volume\n"2020', "not a well-formed CSV"),
        (b"date,open,high,low,close,volume\n2020-01-01,1,1,1,1,1,9\n", "not a well-formed CSV"),
        (b"just some text", "lacks the columns timestamp, open"),
    ],
)
def test_what_is_not_a_csv_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "GOLD.csv").write_bytes(content)
    assert message in refusal(tmp_path).message


@pytest.mark.parametrize("kept", [0, 4, 100, -100])
def test_a_truncated_parquet_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "GOLD.parquet"
    write_parquet(tmp_path, table())
    path.write_bytes(path.read_bytes()[:kept])
    assert "GOLD.parquet is" in refusal(tmp_path).message


def test_a_parquet_file_with_damaged_pages_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "GOLD.parquet"
    write_parquet(tmp_path, table())
    content = bytearray(path.read_bytes())
    content[4:2000] = bytes(1996)
    path.write_bytes(content)
    assert "GOLD.parquet is not a readable Parquet file" in refusal(tmp_path).message


def test_a_file_beyond_the_size_limit_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "GOLD.csv").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert "at most" in refusal(tmp_path).message


def test_a_symbolic_link_out_of_the_data_directory_is_not_followed(tmp_path: Path) -> None:
    inside = tmp_path / "data"
    inside.mkdir()
    write_csv(tmp_path, table())
    (inside / "GOLD.csv").symlink_to(tmp_path / "GOLD.csv")
    with pytest.raises(UnknownSymbol):
        load_bars(GOLD, inside)


def test_a_part_shares_the_arrays(bars: Bars) -> None:
    part = bars.slice(10, 20)
    assert len(part) == 10
    assert np.shares_memory(part.close, bars.close)
    assert part.format_time(0) == bars.format_time(10)


@pytest.fixture(scope="module")
def bars() -> Bars:
    return load_bars(DataSource(), None)


def test_opens_that_repeat_the_close_before_are_remarked_on() -> None:
    bars = load_bars(DataSource(symbol="SP500"), None)
    closes, opens = bars.close[: bars.holdout_start - 1], bars.open[1 : bars.holdout_start]
    share = np.mean(np.abs(opens / closes - 1.0) < 1e-4)
    assert 0.6 < share < 0.7
    [remark] = remarks.describe_bars(bars)
    assert remark.startswith(f"{share:.0%} of the development bars and 13% of the holdout bars")
    assert remarks.describe_bars(load_bars(DataSource(symbol="NASDAQ"), None)) == []
