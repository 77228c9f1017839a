"""How answers are printed, in terminals of any width and in pipes."""

import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from api.operations.schemas import ResultsResponse
from api.schemas import LeaderboardResponse
from cli.local_answers import ComparedResearch, Comparison
from cli.render.experiments import print_leaderboard
from cli.render.operations import print_outcome
from cli.render.results import print_comparison, print_results
from cli.render.terminal.tables import print_rows
from cli.render.understood import print_understood
from quant.messages.data import DataInfo
from quant.messages.evidence import Benchmark, CostLevel
from quant.messages.record.comparison import ComparedParameter
from quant.messages.steps import BacktestResult
from storage.ledger.records import Standing
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


def test_what_was_understood_is_printed() -> None:
    understood = ResearchRequest(brief="x", trials=3, features=("rsi",), long_only=True).understood
    shown = printed(200, print_understood, understood, ["'x' has no effect."])
    assert (
        "SP500, 1d bars; search of 3 trials, features of mean reversion (rsi), long only" in shown
    )
    assert "Warning: 'x' has no effect." in shown
