"""Tables in the forms in which people have them: each is read right, or refused with advice."""

import csv
from pathlib import Path

import numpy as np
import pytest

from errors import InvalidData, InvalidInput
from quant.bars.loader import load_bars
from quant.bars.mapping import FileMapping
from quant.bars.reading.formats import text
from quant.messages.data import DataSource
from tests.quant.bars.reading import ROWS, Table, days, hours, read, read_and_tell
from tests.support.quant.data import walk

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")


def decorated(table: Table, day: str, clock: str, volume: str) -> Table:
    """Return a table as a trading terminal exports it, with day and time of day apart."""
    prices = table[["open", "high", "low", "close"]].rename(
        columns=lambda name: f"<{name.upper()}>"
    )
    prices.insert(0, "<DATE>", table["timestamp"].dt.strftime(day))
    prices.insert(1, "<TIME>", table["timestamp"].dt.strftime(clock))
    return prices.assign(**{volume: table["volume"]})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("day", "clock", "volume"),
    [
        ("%Y.%m.%d", "%H:%M:%S", "<TICKVOL>"),
        ("%Y%m%d", "%H%M%S", "<VOL>"),
        ("%Y-%m-%d", "%H%M", "<VOL>"),
    ],
)
def test_day_and_time_of_day_are_joined(
    tmp_path: Path, usual_hours: str, day: str, clock: str, volume: str, encoding: str
) -> None:
    table = decorated(hours(), day, clock, volume)
    text = table.to_csv(index=False, sep="\t").encode(encoding)
    bars, told = read_and_tell(tmp_path, text, "EURUSD.txt")
    assert bars.content_hash == usual_hours
    assert "The delimiter is a tab." in told
    assert "The times are in the two columns date and time." in told
    columns = {"timestamp": "<DATE>+<TIME>", "volume": volume}
    named, told = read_and_tell(tmp_path, text, columns=columns, delimiter="\\t")
    assert named.content_hash == usual_hours
    assert not any("columns date and time" in each for each in told)


@pytest.mark.parametrize(
    "header",
    [
        "Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,\n",
        ",Close,High,Low,Open,Volume\n,0700.HK,0700.HK,0700.HK,0700.HK,0700.HK\nDate,,,,,\n",
        "Price,Close,High,Low,Open,Volume\nDate,,,,,\n",
        ",Close,High,Low,Open,Volume\n",
    ],
)
def test_headers_of_several_lines_are_understood(
    tmp_path: Path, usual_days: str, header: str
) -> None:
    rows = days()[["timestamp", "close", "high", "low", "open", "volume"]]
    assert (
        read(tmp_path, header + rows.to_csv(index=False, header=False)).content_hash == usual_days
    )


def test_lines_before_the_header_are_left_out(tmp_path: Path, usual_days: str) -> None:
    text = 'Symbol: X\n"Exported on, Monday"\n\n' + days().to_csv(index=False, sep=";")
    bars, told = read_and_tell(tmp_path, text)
    assert bars.content_hash == usual_days
    assert told == ["2 lines before the header left out.", "The delimiter is a semicolon."]


@pytest.mark.parametrize(
    "line",
    ["", " ", ",", "a, b ,c", "a;b\tc|d", "'a,b',c", '"a,b",c', 'a,"b""c",d', 'a"b,c', '"a"b, "c"'],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_line_is_split_as_csv_is(line: str, delimiter: str) -> None:
    [cells] = csv.reader([line], delimiter=delimiter)
    assert text._split_line(line, delimiter) == [cell.strip() for cell in cells]


def test_a_file_without_a_header_needs_names(tmp_path: Path, usual_days: str) -> None:
    text = days().to_csv(index=False, header=False)
    with pytest.raises(InvalidData, match=r"found columns: 2001-01-01, .*--columns timestamp,open"):
        read(tmp_path, text)
    assert read(tmp_path, text, header=COLUMNS).content_hash == usual_days


def test_missing_columns_are_told_with_those_found(tmp_path: Path) -> None:
    german = days().rename(columns={"timestamp": "Datum", "open": "Erster", "close": "Schluss"})
    with pytest.raises(InvalidData, match="found columns: Datum, Erster, high") as told:
        read(tmp_path, german)
    assert told.value.field == "timestamp"


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    twice = days().assign(again=1.0).rename(columns={"again": "close"})
    with pytest.raises(InvalidData, match="column close more than once"):
        read(tmp_path, twice)


def test_the_newest_first_is_sorted_when_told_to(tmp_path: Path, usual_days: str) -> None:
    with pytest.raises(InvalidData, match="--sort"):
        read(tmp_path, days()[::-1])
    bars, told = read_and_tell(tmp_path, days()[::-1], sort=True)
    assert bars.content_hash == usual_days
    assert "sorted" in told[0]


def test_a_missing_volume_must_be_declared(tmp_path: Path) -> None:
    silent = days().drop(columns="volume")
    with pytest.raises(InvalidData, match="--no-volume") as refused:
        read(tmp_path, silent)
    assert refused.value.field == "volume"
    bars = read(tmp_path, silent, columns={"volume": None})
    assert not bars.has_volume
    with pytest.raises(ValueError, match="only the volume"):
        FileMapping(columns={"close": None})


@pytest.mark.parametrize(
    ("cells", "options", "volume"),
    [
        ("9.479", {"decimal": ","}, None),
        ("9.479", {"decimal": ",", "thousands": "."}, 9479.0),
        ("1.234.567", {"decimal": ",", "thousands": "."}, 1_234_567.0),
        ("9.47", {"decimal": ",", "thousands": "."}, None),
        ("1,234", {}, None),
        ("1,234", {"thousands": ","}, 1234.0),
        ("1,23", {"thousands": ","}, None),
        ("1'234", {"thousands": "'"}, 1234.0),
        ("1,5", {}, None),
        ("1e3", {}, 1000.0),
        ("1e400", {}, None),
    ],
)
def test_a_number_is_right_or_refused(
    tmp_path: Path, cells: str, options: dict[str, str], volume: float | None
) -> None:
    # Beside a plain number, so that the column is not of numbers only in one reading.
    table = days().assign(volume=["900", *[cells] * (ROWS - 1)])
    text = table.to_csv(index=False, sep=";", decimal=options.get("decimal", "."))
    if volume is None:
        with pytest.raises(InvalidData, match=r"row 2 .*: volume is"):
            read(tmp_path, text, **options)
    else:
        assert read(tmp_path, text, **options).volume.tolist() == [900.0, *[volume] * (ROWS - 1)]


@pytest.mark.parametrize(
    ("cell", "advice"), [("1,5", "--decimal"), ("1,234", "--thousands ','"), ("1'234", "'")]
)
def test_a_refused_number_comes_with_advice(tmp_path: Path, cell: str, advice: str) -> None:
    with pytest.raises(InvalidData, match=advice):
        read(tmp_path, days().assign(volume=cell))


def test_all_four_prices_are_adjusted_as_the_close_is(tmp_path: Path) -> None:
    table = days()
    factor = np.linspace(0.6, 1.0, ROWS)
    table["Adj Close"] = table["close"] * factor
    bars, told = read_and_tell(tmp_path, table, columns={"close": "Adj Close"})
    for column in ("open", "high", "low", "close"):
        np.testing.assert_allclose(getattr(bars, column), table[column] * factor, rtol=1e-12)
    assert "adjusted as the close is" in told[0]
    with pytest.raises(InvalidData, match="row 7: the close or the adjusted close"):
        read(
            tmp_path,
            table.assign(close=table["close"].where(table.index != 6, 0.0)),
            columns={"close": "Adj Close"},
        )


def test_a_low_one_digit_above_the_close_is_imported(tmp_path: Path) -> None:
    table = days()
    table.loc[281, ["low", "close"]] = [57.948287963867195, 57.948287963867188]
    table.loc[281, ["open", "high"]] = [58.9, 59.0]
    assert len(read(tmp_path, table.to_csv(index=False, float_format="%.17g"))) == ROWS


@pytest.mark.parametrize("difference", [1e-16, 1e-12, 5e-8])
def test_rounding_is_no_error(tmp_path: Path, difference: float) -> None:
    table = days()
    highest = table[["open", "close"]].max(axis=1)
    bars = read(tmp_path, table.assign(high=highest * (1.0 - difference)))
    assert np.all(bars.high >= np.maximum(bars.open, bars.close))
    with pytest.raises(InvalidData, match="high is below the open or the close"):
        read(tmp_path, table.assign(high=highest * (1.0 - 1e-4)))


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("^GSPC", "GSPC"),
        ("BTC/USDT", "BTC-USDT"),
        ("EURUSD=X", "EURUSD=X"),
        ("Gold (oz)", "Gold-oz"),
    ],
)
def test_symbols_of_others_get_a_legal_name(tmp_path: Path, name: str, symbol: str) -> None:
    bars, told = read_and_tell(tmp_path, days(), symbol=name)
    assert bars.symbol == symbol
    assert told == ([] if name == symbol else [f"{name} is stored as {symbol}."])


def test_what_is_no_table_or_no_symbol_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="neither a CSV nor a Parquet"):
        read(tmp_path, "", "X.xlsx")
    with pytest.raises(InvalidInput, match="is not a symbol"):
        read(tmp_path, days(), symbol="///")
    with pytest.raises(InvalidInput, match="Name it with --timeframe"):
        read(tmp_path, walk(ROWS, "1s"))


def test_whatever_a_library_makes_of_a_file_it_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise OverflowError("x" * 10_000)

    monkeypatch.setattr("pandas.read_csv", break_down)
    days().to_csv(tmp_path / "X.csv", index=False)
    with pytest.raises(InvalidData, match=r"^X\.csv cannot be read as bars \(OverflowError") as no:
        load_bars(DataSource(symbol="X"), tmp_path)
    assert len(no.value.message) < 300
