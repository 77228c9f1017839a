"""`ktrdr data`: bars of the user."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.quant.data import walk


def test_a_row_is_one_line_in_a_pipe(ktrdr: Any) -> None:
    listed = ktrdr("data", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["Symbol", "NASDAQ", "SP500"]


def test_bars_are_told_with_their_place(ktrdr: Any, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    walk(600, "1D").to_csv(file, index=False)
    stored = str(tmp_path / "bars" / "MINE.parquet")
    assert stored in ktrdr("data", "import", str(file), "--symbol", "MINE").stdout
    for command in ("list", "check"):
        assert stored in ktrdr("data", command).stdout


def test_a_dry_run_stores_nothing_and_says_what_it_understood(ktrdr: Any, tmp_path: Path) -> None:
    file = tmp_path / "EURUSD.txt"
    table = walk(600, "1h").drop(columns="volume")
    table["close"] *= np.where(table.index < 300, 4.0, 1.0)
    prices = table[["open", "close"]]
    table = table.assign(high=prices.max(axis=1), low=prices.min(axis=1))
    table[::-1].to_csv(file, index=False, sep="\t", header=False)
    options = ("--columns", "timestamp,open,high,low,close", "--no-volume", "--sort")
    shown = ktrdr("data", "import", str(file), *options, "--delimiter", "\\t", "--dry-run").stdout
    assert "Would import EURUSD 1h: 600 bars" in shown
    assert "The timeframe is 1h, by the times." in shown
    assert "The rows were sorted by time" in shown
    assert "like a 4:1 split" in shown
    assert "no volume" in shown
    assert not (tmp_path / "bars").exists()

    stored = json.loads(ktrdr("data", "import", str(file), *options, "--json").stdout)["data"]
    assert (stored["stored"], stored["timeframe"]) == (True, "1h")
    assert "The delimiter is a tab." in stored["notes"]
    assert (
        stored["remarks"]
        == json.loads(ktrdr("data", "check", "EURUSD", "--json").stdout)["data"][0]["remarks"]
    )


def test_one_file_that_no_library_reads_does_not_hide_the_others(
    ktrdr: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = tmp_path / "bars"
    bars.mkdir()
    times = pd.bdate_range("2020-02-03", periods=700, tz="America/New_York")
    new_york = walk(700, "1D").assign(timestamp=[str(each) for each in times])
    new_york.to_csv(bars / "NYC.csv", index=False)
    (bars / "mapping.yaml").write_text("NYC.csv: {timezone: America/New_York}\n")
    (bars / "BAD.parquet").touch()

    def break_down(*_: object, **__: object) -> None:
        raise OverflowError("too much")

    monkeypatch.setattr("quant.bars.reading.files.read_parquet", break_down)
    (bars / "BAD.parquet").write_bytes(b"PAR1")
    checked = ktrdr("data", "check")
    assert checked.exit_code == 1
    assert "BAD.parquet cannot be read as bars" in checked.stdout
    assert "NYC 1d: 700 bars, 2020-02-03T00:00:00Z" in checked.stdout


@pytest.mark.parametrize("options", [("--no-volume",), ("--delimiter", ";"), ("--sort",)])
def test_options_for_a_file_are_refused_for_a_download(
    ktrdr: Any, options: tuple[str, ...]
) -> None:
    refused = ktrdr("data", "import", "^GSPC", "--from", "yahoo", *options)
    assert refused.exit_code == 1
    assert "has no effect on a download" in refused.stderr


def test_a_mapping_of_no_file_is_a_warning(ktrdr: Any, tmp_path: Path) -> None:
    bars = tmp_path / "bars"
    bars.mkdir()
    walk(600, "1D").to_csv(bars / "MINE.csv", index=False)
    (bars / "mapping.yaml").write_text("MINE.csv: {delimiter: ','}\nGONE.csv: {delimiter: ','}\n")
    checked = ktrdr("data", "check")
    assert checked.exit_code == 0
    assert "no file matches 'GONE.csv'" in checked.stdout
    assert "MINE.csv'" not in checked.stdout
    warnings = [
        each["warning"] for each in json.loads(ktrdr("data", "check", "--json").stdout)["data"]
    ]
    assert len([each for each in warnings if each]) == 1
