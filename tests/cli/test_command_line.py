"""What the `ktrdr` command does by itself, without any stack."""

import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from api.operations.schemas import ResultsResponse
from api.schemas import LeaderboardResponse
from cli.export import explain_write_errors
from cli.follow import follow_to_end
from cli.local_answers import ComparedResearch, Comparison
from cli.main import app
from cli.render.experiments import print_leaderboard
from cli.render.operations import print_outcome
from cli.render.results import print_comparison, print_results
from cli.render.terminal.tables import print_rows
from cli.render.understood import print_understood
from cli.service.client import Api
from cli.service.transport import ApiUnreachable
from errors import InvalidInput
from quant.messages.data import DataInfo
from quant.messages.evidence import Benchmark, CostLevel
from quant.messages.record.comparison import ComparedParameter
from quant.messages.steps import BacktestResult
from settings import Settings
from storage.ledger.records import Standing
from tests.support.helpers import ROOT, free_port
from tests.support.quant.data import walk
from workflows.interface.contract import OperationInfo, OperationStatus, OperationType
from workflows.interface.messages import ResearchRequest

ID = "op_agent_research_20261125_121439_5b290c3f"
ROW = Standing(
    operation_id=ID,
    status="completed",
    owner="ada",
    symbol="SP500",
    timeframe="1d",
    designer="search",
    strategy_name="search-c55c8a5e",
    verdict="poor",
    sharpe=-0.001,
    sharpe_low=-0.11,
    sharpe_high=1.42,
    deflated_sharpe=0.12,
    deflated_sharpe_then=0.2,
    trials_ever=1200,
    holdout_looks=1,
    total_return=0.645,
    cost=None,
    finished_at=datetime(2026, 11, 25, 12, 14, 39, tzinfo=UTC),
)
LEVEL = CostLevel(
    cost_multiple=1.0,
    total_return=-0.00001,
    annual_return=0.0,
    annual_volatility=0.1,
    sharpe=None,
    max_drawdown=0.2,
    trades=1,
    win_rate=None,
    exposure=0.5,
    turnover=1.0,
)


def printed(width: int, show: Any, *answer: Any) -> str:
    output = io.StringIO()
    show(Console(file=output, width=width, highlight=False), *answer)
    return output.getvalue()


@pytest.fixture
def ktrdr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command with bars of its own and nothing behind its API."""
    monkeypatch.setenv("KTRDR_DATA_DIR", str(tmp_path / "bars"))
    monkeypatch.setenv("KTRDR_API_PORT", str(free_port()))
    monkeypatch.delenv("KTRDR_API_URL", raising=False)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, arguments)


def test_the_command_starts_without_the_libraries_of_servers_and_numbers() -> None:
    heavy = {"fastapi", "google.protobuf", "numpy", "pandas", "pyarrow", "sqlalchemy", "temporalio"}
    program = f"import sys, cli.main; print(*{heavy} & set(sys.modules))"
    imported = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert imported.stdout.split() == []


@pytest.mark.parametrize("width", [30, 80, 300])
def test_an_id_is_never_cut(width: int) -> None:
    shown = printed(width, print_leaderboard, LeaderboardResponse(data=[ROW], total_count=1))
    assert ID in shown
    assert "1,200" in shown
    assert re.search(r"(?<!-)0[.]00", shown)


def test_a_table_that_fits_is_a_table_and_another_a_list() -> None:
    rows = [("first", "a b c"), ("second", "d " * 30)]
    assert printed(100, print_rows, ("ID", "What"), rows).splitlines()[0].split() == ["ID", "What"]
    narrow = printed(40, print_rows, ("ID", "What"), rows).splitlines()
    assert narrow[:3] == ["first", "  What: a b c", "second"]
    assert max(map(len, narrow)) <= 40


def test_a_row_is_one_line_in_a_pipe(ktrdr: Any) -> None:
    listed = ktrdr("data", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["Symbol", "NASDAQ", "SP500"]


def test_results_are_yaml() -> None:
    answer = ResultsResponse(
        operation_id=ID,
        operation_type=OperationType.BACKTEST,
        status=OperationStatus.COMPLETED,
        results={"levels": [{"trades": 1}]},
    )
    shown = printed(80, print_results, answer)
    assert shown.splitlines()[1:] == ["levels:", "- trades: 1"]


def test_a_step_that_ran_alone_ends_with_its_figures() -> None:
    info = DataInfo(
        **{"symbol": "SP500", "timeframe": "1d", "start": "2000-01-03", "end": "2026-11-24"},
        bars=6000,
        holdout_start="2021-01-04",
        content_hash="0" * 64,
    )
    benchmark = Benchmark(total_return=0.7, sharpe=None, max_drawdown=0.3)
    result = BacktestResult(data=info, levels=[LEVEL], benchmark=benchmark)
    operation = OperationInfo(
        operation_id=ID,
        operation_type=OperationType.BACKTEST,
        status=OperationStatus.COMPLETED,
        created_at=ROW.finished_at,
        result_summary=result.model_dump(mode="json"),
    )
    shown = printed(200, print_outcome, operation)
    assert "+0.0% in 1 trade, Sharpe ratio none, drawdown 20.0%" in shown
    assert "+70.0%" in shown


def test_a_research_that_a_gate_stopped_is_compared_by_the_same_sharpe_ratio() -> None:
    stopped = ComparedResearch(
        operation_id=ID,
        strategy="s",
        bars="SP500 1d",
        verdict="no_signal",
        trials_ever=12,
        statistics=None,
        holdout=LEVEL.model_copy(update={"sharpe": -0.77}),
    )
    horizon = ComparedParameter(name="horizon", values=[5], differs=True)
    seed = ComparedParameter(name="seed", values=[7], differs=False)
    answer = Comparison(
        researches=[stopped],
        parameters=[horizon, seed],
        correlations=[[-0.25]],
        common_days=[[100]],
        page=None,
    )
    shown = printed(300, print_comparison, answer)
    assert "-0.77" in shown
    assert "horizon" in shown
    assert "seed" not in shown
    assert "-0.25" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", ID), "at least two"),
        (("compare", ID, ID), "twice"),
        (("cancel", "--all"), "--owner or --symbol"),
    ],
)
def test_a_request_without_sense_is_refused_before_it_is_sent(
    ktrdr: Any, arguments: tuple[str, ...], message: str
) -> None:
    refused = ktrdr(*arguments)
    assert refused.exit_code == 1
    assert message in refused.stderr


def test_what_is_typed_wins_over_the_environment(
    ktrdr: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KTRDR_API_URL", f"http://127.0.0.1:{free_port()}/environment")
    port = str(free_port())
    assert "/environment" in ktrdr("status").stderr
    assert f"localhost:{port}" in ktrdr("--port", port, "status").stderr
    typed = f"http://127.0.0.1:{port}/typed"
    assert typed in ktrdr("--port", port, "--url", typed, "status").stderr


def test_following_ends_at_once_if_there_was_never_an_api() -> None:
    settings = Settings()
    with pytest.raises(ApiUnreachable, match="`make up` starts one"):
        follow_to_end(
            Api(f"http://127.0.0.1:{free_port()}", settings), ID, Console(file=io.StringIO())
        )


@pytest.mark.parametrize("place", ["nosuch/report.html", "file/report.html", "."])
def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / place
    with (
        pytest.raises(InvalidInput, match=r"--output: .* cannot be written: ") as refusal,
        explain_write_errors("--output", path),
    ):
        path.write_bytes(b"")
    assert refusal.value.field == "output"


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


def test_the_state_directory_is_the_same_wherever_a_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings().home == ROOT / "var"
    assert Settings().data_dir == ROOT / "var" / "data"
    # As in an installed wheel, beside which there is no checkout.
    monkeypatch.setattr("settings.__file__", str(tmp_path / "settings.py"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert Settings().home == tmp_path / "state" / "ktrdr"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    assert Settings().home == tmp_path / "ann" / ".local" / "state" / "ktrdr"


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cancel", ID, "--dry-run"), "--dry-run has no effect"),
        (("experiments", ID, "--symbol", "SP500"), "--symbol has no effect"),
        (("experiments", "--export", "x.csv", "--limit", "3"), "--limit has no effect"),
        (("cancel", ID, "--owner", "ann"), "--all"),
        (("cancel", "--all", "--owner", "ann", "--force"), "--force"),
        (("--port", "8001", "up"), "up asks no API"),
        (("--url", "http://127.0.0.1:1", "admin", "versions"), "admin asks no API"),
        (("--port", "8001", "research", "--embedded"), "--embedded"),
    ],
)
def test_an_option_without_effect_is_refused(
    ktrdr: Any, arguments: tuple[str, ...], message: str
) -> None:
    refusal = ktrdr(*arguments)
    assert refusal.exit_code == 2
    assert message in refusal.stderr


def test_a_schedule_has_all_options_of_a_research() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    of_research = {each.name for each in commands["research"].params}
    of_schedule = {each.name for each in commands["schedule"].commands["create"].params}
    assert of_research - of_schedule == {"follow", "embedded", "dry_run"}
    assert {"goal", "designer", "memory", "min_sharpe", "bypass_gates"} <= of_schedule


def test_the_help_of_a_research_lists_the_words_of_a_brief(ktrdr: Any) -> None:
    shown = " ".join(ktrdr("research", "--help").stdout.split())
    for word in ("momentum", "contrarian", "Bollinger", "long only", "15 minute"):
        assert word in shown


def test_what_was_understood_is_printed() -> None:
    understood = ResearchRequest(brief="x", trials=3, features=("rsi",), long_only=True).understood
    shown = printed(200, print_understood, understood, ["'x' has no effect."])
    assert (
        "SP500, 1d bars; search of 3 trials, features of mean reversion (rsi), long only" in shown
    )
    assert "Warning: 'x' has no effect." in shown
