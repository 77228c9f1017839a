"""Files with other column names, time zones and formats, and the import of bars."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from errors import InvalidData, UnknownSymbol
from quant.bars.bars import Bars
from quant.bars.catalog import Catalog
from quant.bars.importer import import_bars
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from tests.support.quant.data import walk

ROWS = 600


def write(directory: Path, mapping: dict[str, Any] | str) -> None:
    text = mapping if isinstance(mapping, str) else yaml.safe_dump(mapping)
    (directory / "mapping.yaml").write_text(text)


@pytest.fixture
def usual(tmp_path: Path) -> Bars:
    """Return daily bars from a file that needs no mapping."""
    own = tmp_path / "usual"
    own.mkdir()
    walk(ROWS, "1D").to_csv(own / "USUAL.csv", index=False)
    return load_bars(DataSource(symbol="USUAL"), own)


def test_columns_have_other_names(tmp_path: Path, usual: Bars) -> None:
    table = walk(ROWS, "1D").rename(
        columns={"timestamp": "Day", "close": "Last Price", "volume": "Vol."}
    )
    table["Close"] = -1.0
    table.to_csv(tmp_path / "AAPL_daily.csv", index=False)
    columns = {"timestamp": "Day", "close": "last price", "volume": "Vol."}
    write(tmp_path, {"AAPL_daily.csv": {"symbol": "AAPL", "columns": columns}})
    assert load_bars(DataSource(symbol="AAPL"), tmp_path).content_hash == usual.content_hash
    with pytest.raises(UnknownSymbol):
        load_bars(DataSource(symbol="AAPL_daily"), tmp_path)


def test_columns_of_a_parquet_file_have_other_names(tmp_path: Path, usual: Bars) -> None:
    table = walk(ROWS, "1D").rename(columns={"timestamp": "t", "open": "o"})
    table.to_parquet(tmp_path / "AAPL.parquet")
    write(tmp_path, {"*.parquet": {"columns": {"timestamp": "t", "open": "o"}}})
    assert load_bars(DataSource(symbol="AAPL"), tmp_path).content_hash == usual.content_hash


def test_a_continental_file(tmp_path: Path, usual: Bars) -> None:
    table = walk(ROWS, "1D")
    table["timestamp"] = pd.to_datetime(table["timestamp"]).dt.strftime("%d.%m.%Y")
    table.to_csv(tmp_path / "DAX.csv", index=False, sep=";", decimal=",")
    form = {"delimiter": ";", "decimal": ",", "time_format": "%d.%m.%Y"}
    write(tmp_path, {"DAX.csv": form})
    assert load_bars(DataSource(symbol="DAX"), tmp_path).content_hash == usual.content_hash


def test_days_without_separators_are_not_seconds(tmp_path: Path, usual: Bars) -> None:
    table = walk(ROWS, "1D")
    table["timestamp"] = pd.to_datetime(table["timestamp"]).dt.strftime("%Y%m%d")
    table.to_csv(tmp_path / "X.csv", index=False)
    write(tmp_path, {"X.csv": {"time_format": "%Y%m%d"}})
    assert load_bars(DataSource(symbol="X"), tmp_path).content_hash == usual.content_hash


def local(directory: Path, times: "pd.DatetimeIndex") -> None:
    table = walk(len(times), "1h")
    table["timestamp"] = times.strftime("%Y-%m-%d %H:%M:%S")
    table.to_csv(directory / "NYC_1h.csv", index=False)
    write(directory, {"NYC_*.csv": {"timezone": "America/New_York"}})


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(("name", "step"), [("DAX", "1D"), ("DAX_1w", "7D")])
def test_a_day_of_a_zone_stays_that_day(tmp_path: Path, zone: str, name: str, step: str) -> None:
    table = walk(ROWS, step)
    times = pd.to_datetime(table["timestamp"])
    table["timestamp"] = times.dt.strftime("%Y-%m-%d")
    table.to_csv(tmp_path / f"{name}.csv", index=False)
    write(tmp_path, {"DAX*": {"timezone": zone}})
    timeframe = "1w" if name.endswith("w") else "1d"
    bars = load_bars(DataSource(symbol="DAX", timeframe=timeframe), tmp_path)
    assert [moment[:10] for moment in bars.iso_times] == list(table["timestamp"])
    assert all(moment.endswith("T00:00:00Z") for moment in bars.iso_times)


def test_built_in_bars_need_no_mapping(tmp_path: Path) -> None:
    write(tmp_path, "[not a mapping")
    assert len(load_bars(DataSource(symbol="SP500"), tmp_path)) == 5031
    with pytest.raises(InvalidData, match=r"mapping\.yaml"):
        load_bars(DataSource(symbol="MINE"), tmp_path)


def test_times_of_a_zone_change_with_its_summer(tmp_path: Path) -> None:
    days = pd.bdate_range("2024-01-02", periods=120)
    times = pd.DatetimeIndex([day + pd.Timedelta(hours=h) for day in days for h in range(9, 15)])
    local(tmp_path, times)
    bars = load_bars(DataSource(symbol="NYC", timeframe="1h"), tmp_path)
    assert bars.format_time(0) == "2024-01-02T14:00:00Z"
    assert bars.format_time(-6) == "2024-06-17T13:00:00Z"


@pytest.mark.parametrize("hour", ["2024-03-10 02:00:00", "2024-11-03 01:00:00"])
def test_an_hour_that_a_zone_has_never_or_twice_is_refused(tmp_path: Path, hour: str) -> None:
    times = pd.date_range(pd.Timestamp(hour) - pd.Timedelta(hours=550), periods=600, freq="1h")
    local(tmp_path, times)
    with pytest.raises(InvalidData, match="exactly once in America/New_York") as refused:
        load_bars(DataSource(symbol="NYC", timeframe="1h"), tmp_path)
    assert refused.value.field == "timestamp"
    assert hour in refused.value.message


def test_times_with_an_offset_keep_it(tmp_path: Path, usual: Bars) -> None:
    table = walk(ROWS, "1D")
    table["timestamp"] = pd.to_datetime(table["timestamp"], utc=True).dt.strftime(
        "%Y-%m-%dT%H:%M:%S+00:00"
    )
    table.to_csv(tmp_path / "X.csv", index=False)
    write(tmp_path, {"*": {"timezone": "Asia/Tokyo"}})
    assert load_bars(DataSource(symbol="X"), tmp_path).content_hash == usual.content_hash


@pytest.mark.parametrize(
    ("mapping", "complaint"),
    [
        ("{", "Not valid YAML in line 1"),
        ("X.csv: &a {delimiter: ;}\nY.csv: *a", "aliases are not allowed"),
        ("X.csv: {<<: {delimiter: ;}}", "merge keys are not allowed"),
        ("X.csv: {delimiter: 0x" + "f" * 5000 + "}", "the number is too long"),
        ("X.csv: {time_format: 2001-13-45}\nX.csv: {}", "X.csv appears twice"),
        ("X.csv: {symbol: !!python/name:os.system }", "tags are not allowed"),
        ("[" * 10_000, "nested too deeply"),
        ("#" * 300_000, "at most 262,144 bytes"),
        ("- a", "top level"),
        ({"X.csv": {"timezone": "Mars/Olympus"}}, "X.csv.timezone: .*'Mars/Olympus' is not a time"),
        ({"X.csv": {"timezone": "../../etc/passwd"}}, "is not a time zone"),
        ({"X.csv": {"colums": {}}}, "X.csv.colums"),
        ({"X.csv": {"columns": {"price": "p"}}}, "X.csv.columns.price"),
        ({"X.csv": {"delimiter": "--"}}, "X.csv.delimiter"),
        ({"X.csv": {"columns": {"close": "Settle"}}}, "X.csv lacks the column settle"),
        ({"X.csv": {"time_format": "%d/%m/%Y"}}, "row 1.*is not a time in the form %d/%m/%Y"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_where(
    tmp_path: Path, mapping: dict[str, Any] | str, complaint: str
) -> None:
    walk(ROWS, "1D").to_csv(tmp_path / "X.csv", index=False)
    write(tmp_path, mapping)
    with pytest.raises(InvalidData, match=complaint):
        load_bars(DataSource(symbol="X"), tmp_path)


def test_what_is_imported_is_what_a_research_reads(tmp_path: Path, usual: Bars) -> None:
    target = tmp_path / "new" / "data"
    info = import_bars(usual, target)
    assert info.content_hash == usual.content_hash
    assert [path.name for path in target.iterdir() if path.is_file()] == ["USUAL.parquet"]
    assert load_bars(DataSource(symbol="USUAL"), target).content_hash == usual.content_hash


def test_an_import_replaces_only_when_told_to(tmp_path: Path, usual: Bars) -> None:
    target = tmp_path / "data"
    import_bars(usual, target)
    longer = np.roll(usual.volume, 1)
    other = Bars(
        "USUAL", "1d", usual.timestamps, usual.open, usual.high, usual.low, usual.close, longer
    )
    with pytest.raises(InvalidData, match=r"USUAL\.parquet already holds USUAL 1d; --replace"):
        import_bars(other, target)
    assert import_bars(other, target, replace=True).content_hash == other.content_hash
    (target / "USUAL.parquet").rename(target / "USUAL_1d.parquet")
    with pytest.raises(InvalidData, match="move it away first"):
        import_bars(usual, target, replace=True)


def test_reserved_names_and_misleading_mappings_are_refused(tmp_path: Path, usual: Bars) -> None:
    values = (usual.timestamps, usual.open, usual.high, usual.low, usual.close, usual.volume)
    with pytest.raises(InvalidData, match="name of a built-in symbol"):
        import_bars(Bars("SP500", "1d", *values), tmp_path)
    write(tmp_path, {"*.parquet": {"columns": {"open": "close"}}})
    with pytest.raises(InvalidData, match="would be read differently"):
        import_bars(usual, tmp_path)
    assert [entry.symbol for entry in Catalog(tmp_path).list_symbols()] == ["NASDAQ", "SP500"]
