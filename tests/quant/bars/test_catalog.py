from pathlib import Path

import pytest

from errors import InvalidData, InvalidInput, UnknownSymbol
from quant.bars.catalog import BarsFile, Catalog, CatalogEntry
from quant.bars.mapping import FileMapping
from quant.messages.data import DataSource


def source(symbol: str, timeframe: str = "1d") -> DataSource:
    """Build a source without the validation of its fields."""
    return DataSource.model_construct(symbol=symbol, timeframe=timeframe)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    directory.mkdir()
    for name in ("GOLD.csv", "BTC-USD.parquet", "BTC-USD_1h.csv", "notes.txt", "SP500.csv"):
        (directory / name).touch()
    (directory / "FOLDER.csv").mkdir()
    return directory


@pytest.mark.parametrize("symbol", ["SP500", "NASDAQ"])
def test_built_in_symbols_need_no_file(symbol: str) -> None:
    assert Catalog(None).find_file(source(symbol)) is None


def test_a_file_cannot_take_the_name_of_a_built_in_symbol(data_dir: Path) -> None:
    assert Catalog(data_dir).find_file(source("SP500")) is None


@pytest.mark.parametrize(
    ("symbol", "timeframe", "name"),
    [
        ("GOLD", "1d", "GOLD.csv"),
        ("BTC-USD", "1d", "BTC-USD.parquet"),
        ("BTC-USD", "1h", "BTC-USD_1h.csv"),
    ],
)
def test_a_file_name_tells_symbol_and_timeframe(
    data_dir: Path, symbol: str, timeframe: str, name: str
) -> None:
    assert Catalog(data_dir).find_file(source(symbol, timeframe)) == BarsFile(
        data_dir / name, FileMapping()
    )


def test_listing_shows_built_in_symbols_and_usable_files(data_dir: Path) -> None:
    assert Catalog(data_dir).list_symbols() == [
        CatalogEntry(symbol="NASDAQ", timeframe="1d", built_in=True),
        CatalogEntry(symbol="SP500", timeframe="1d", built_in=True),
        CatalogEntry(symbol="BTC-USD", timeframe="1d", built_in=False, file="BTC-USD.parquet"),
        CatalogEntry(symbol="BTC-USD", timeframe="1h", built_in=False, file="BTC-USD_1h.csv"),
        CatalogEntry(symbol="GOLD", timeframe="1d", built_in=False, file="GOLD.csv"),
    ]


@pytest.mark.parametrize("missing", [None, Path("does/not/exist")])
def test_without_a_directory_only_built_in_symbols_exist(missing: Path | None) -> None:
    assert [entry.symbol for entry in Catalog(missing).list_symbols()] == ["NASDAQ", "SP500"]


def test_unknown_symbol_lists_those_that_exist(data_dir: Path) -> None:
    with pytest.raises(UnknownSymbol, match="BTC-USD, GOLD, NASDAQ, SP500") as refusal:
        Catalog(data_dir).find_file(source("SILVER"))
    assert refusal.value.field == "symbol"


def test_unknown_symbol_lists_no_more_than_ten_names(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"A{number:02}.csv").touch()
    with pytest.raises(UnknownSymbol, match="A09 and 22 more"):
        Catalog(tmp_path).find_file(source("SILVER"))


@pytest.mark.parametrize("timeframe", ["1h", "5m", "", "0d", "daily", "../1d"])
def test_unknown_timeframe_is_refused(data_dir: Path, timeframe: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Catalog(data_dir).find_file(source("GOLD", timeframe))
    assert refusal.value.field == "timeframe"


@pytest.mark.parametrize(
    "symbol", ["../../etc/passwd", "../outside", "/etc/passwd", "..", ".", "", "GOLD.csv", "a\0b"]
)
def test_names_that_are_paths_are_unknown(data_dir: Path, symbol: str) -> None:
    (data_dir.parent / "outside.csv").touch()
    with pytest.raises(UnknownSymbol):
        Catalog(data_dir).find_file(source(symbol))


def test_an_absolute_path_to_an_existing_file_is_unknown(data_dir: Path) -> None:
    with pytest.raises(UnknownSymbol):
        Catalog(data_dir).find_file(source(str(data_dir / "GOLD")))


def test_a_symbolic_link_out_of_the_directory_is_unknown(data_dir: Path) -> None:
    outside = data_dir.parent / "outside.csv"
    outside.touch()
    (data_dir / "LINK.csv").symlink_to(outside)
    with pytest.raises(UnknownSymbol):
        Catalog(data_dir).find_file(source("LINK"))


def test_a_symbolic_link_within_the_directory_is_followed(data_dir: Path) -> None:
    (data_dir / "LINK.csv").symlink_to(data_dir / "GOLD.csv")
    assert Catalog(data_dir).find_file(source("LINK")) == BarsFile(
        data_dir / "LINK.csv", FileMapping()
    )


def test_two_files_for_the_same_bars_are_refused(data_dir: Path) -> None:
    (data_dir / "GOLD_1d.parquet").touch()
    with pytest.raises(InvalidData, match=r"GOLD\.csv and GOLD_1d\.parquet"):
        Catalog(data_dir).find_file(source("GOLD"))
