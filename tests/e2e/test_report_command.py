"""`ktrdr data`, and what can be done with researches that have ended."""

from pathlib import Path

import pytest

from tests.e2e.stack import Stack
from tests.support.quant.data import walk

pytestmark = pytest.mark.long


def test_own_bars_are_imported_checked_listed_and_researched(stack: Stack, tmp_path: Path) -> None:
    table = walk(900, "1D", seed=4).rename(columns={"timestamp": "Date", "close": "Adj Close"})
    file = tmp_path / "prices.csv"
    table.to_csv(file, index=False, sep=";")
    arguments = ["data", "import", str(file), "--symbol", "MINE", "--delimiter", ";"]

    refused = stack.run(*arguments)
    assert refused.returncode == 1
    assert "lacks the column close" in refused.stderr
    imported = stack.answer(*arguments, "--column", "close=Adj Close")
    assert (imported["symbol"], imported["bars"]) == ("MINE", 900)
    again = stack.run(*arguments, "--column", "close=Adj Close")
    assert "--replace" in again.stderr
    assert (
        "Imported MINE 1d: 900 bars"
        in stack.run(*arguments, "--column", "close=Adj Close", "--replace").stdout
    )

    listed = {entry["symbol"]: entry["file"] for entry in stack.answer("data", "list")}
    assert listed["MINE"] == "MINE.parquet"
    [found] = stack.answer("data", "check", "MINE")
    assert (found["content_hash"], found["error"]) == (imported["content_hash"], None)
    bars = stack.home / "bars"
    (bars / "BROKEN.csv").write_text("timestamp,open\n2020-01-01,1\n")
    (bars / "mapping.yaml").write_text("GONE.csv: {timezone: UTC, delimiter: ';'}\n")
    checked = stack.run("data", "check")
    assert checked.returncode == 1
    assert "BROKEN.csv lacks the columns" in checked.stdout
    assert "no file matches 'GONE.csv'" in checked.stdout
    assert "MINE 1d: 900 bars" in checked.stdout
    assert "of the holdout bars open at the close before them" in checked.stdout
    unknown = stack.run("data", "check", "NOSUCH")
    assert "Known symbols" in unknown.stderr
    (bars / "mapping.yaml").unlink()
    (bars / "BROKEN.csv").unlink()

    research = stack.answer("research", "--symbol", "MINE", "--trials", "1", "--follow")
    assert research["status"] == "completed"


def test_bad_options_of_an_import_are_named(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "X.csv"
    walk(600, "1D").to_csv(file, index=False)
    for options, complaint in (
        (["--timezone", "Mars/Olympus"], "Mars/Olympus"),
        (["--column", "close"], "--column 'close'"),
        (["--column", "price=p"], "--column: price: "),
        (["--timeframe", "soon"], "timeframe"),
        (["--symbol", "///"], "symbol"),
        (["--start", "2020-01-01"], "--start: has no effect on a file"),
        (["--thousands", "."], "the same character"),
        (["--symbol", "SP500"], "built-in"),
    ):
        refused = stack.run("data", "import", str(file), *options)
        assert refused.returncode == 1, options
        assert complaint in refused.stderr
        assert "Traceback" not in refused.stderr
    assert "X" not in {entry["symbol"] for entry in stack.answer("data", "list")}


def test_researches_are_reported_compared_ranked_and_reproduced(
    stack: Stack, tmp_path: Path
) -> None:
    ids = [
        stack.answer("research", "--symbol", symbol, "--trials", "2", "--seed", "3", "--follow")[
            "operation_id"
        ]
        for symbol in ("NASDAQ", "SP500")
    ]
    for kind, start in (("html", b"<!doctype"), ("json", b'{"input"'), ("png", b"\x89PNG")):
        path = tmp_path / f"report.{kind}"
        stack.answer("report", ids[0], "--format", kind, "--output", str(path))
        assert path.read_bytes().startswith(start)

    page = tmp_path / "comparison.html"
    compared = stack.answer("compare", *ids, "--output", str(page))
    assert [row["operation_id"] for row in compared["researches"]] == ids
    for operation_id in ids:
        assert f"/api/v1/operations/{operation_id}/report" in page.read_text()
    shown = stack.run("compare", *ids).stdout
    assert "NASDAQ 1d" in shown
    assert "Deflated" in shown
    nowhere = stack.run("report", ids[0], "--output", str(tmp_path / "nosuch" / "report.html"))
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (1, 1)
    missing = stack.run("compare", ids[0], "nosuch")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)

    reproduced = stack.answer("reproduce", ids[0])
    assert (reproduced["identical"], reproduced["reproduces"]) == (True, ids[0])
    ranked = [row["operation_id"] for row in stack.answer("leaderboard")]
    assert set(ids) <= set(ranked)
    assert reproduced["operation_id"] not in ranked
    assert "Trials" in stack.run("leaderboard").stdout


def test_gates_are_set_by_options(stack: Stack) -> None:
    research = stack.answer(
        *("research", "--strategy", "momentum", "--seed", "1", "--min-trades", "99999", "--follow")
    )
    assert "99,999 needed" in research["result_summary"]["gate_rejection_reason"]
    refused = stack.run("research", "--max-drawdown", "-1")
    assert refused.returncode == 1
    assert "--max-drawdown" in refused.stderr
