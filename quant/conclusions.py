"""The last two steps of a research: the backtest on the holdout, and the assessment."""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errors import InvalidData, InvalidInput
from quant import data, metrics, verdict
from quant.backtest import Simulation, Trade, simulate
from quant.curves import Curves, TradeRecord
from quant.data import Bars
from quant.models import (
    AssessmentInput,
    AssessmentResult,
    BacktestInput,
    BacktestResult,
    Benchmark,
    CostLevel,
    Progress,
    ReportProgress,
    Statistics,
    Workspace,
)
from quant.positions import target_positions
from quant.report import render
from quant.statistics import significance
from quant.training import predict

COST_MULTIPLES: Final = (0.0, 1.0, 2.0)
CURVES_ARTIFACT: Final = "backtest.json"
ASSESSMENT_ARTIFACT: Final = "assessment.json"
REPORT_ARTIFACT: Final = "report.html"


def backtest(
    inp: BacktestInput,
    model_text: str,
    data_dir: Path | None,
    workspace: Workspace,
    report: ReportProgress,
) -> BacktestResult:
    """Backtest a trained model on the holdout and store the curves as `backtest.json`.

    The indicators warm up on development bars; positions are decided, traded and measured on
    holdout bars only. Benchmark is buying at the first open that a strategy can buy at.

    Args:
        inp: What to backtest.
        model_text: The model that the training stored.
        data_dir: Where the user's bars are; None if there are none.
        workspace: Receives the artifact.
        report: Called after each stage.

    Raises:
        InvalidInput: `model_text` is not the model that `inp` names.
        EngineError: The engine's figures contradict each other.
    """
    if hashlib.sha256(model_text.encode()).hexdigest() != inp.model_sha256:
        raise InvalidInput(
            "The stored model is not the one that was trained; its SHA-256 differs.",
            field="model_sha256",
        )
    stages = _Stages(report, "load bars", "predict", "simulate", "store curves")
    stages.start()
    bars = data.load(inp.data, data_dir)
    _, holdout = bars.split()

    stages.start()
    probabilities = predict(model_text, bars, inp.spec)[bars.holdout_start :]
    targets = target_positions(probabilities, inp.spec)

    stages.start()
    runs = {
        multiple: simulate(holdout, targets, inp.spec.costs, multiple)
        for multiple in COST_MULTIPLES
    }
    always_long = np.ones(len(holdout), dtype=np.int8)
    benchmark = simulate(holdout, always_long, inp.spec.costs, cost_multiple=0.0)

    stages.start()
    curves = _curves(holdout, runs, benchmark)
    workspace.write(CURVES_ARTIFACT, curves.model_dump_json().encode())
    year = bars.periods_per_year
    stages.finish()
    return BacktestResult(
        data=bars.info(),
        levels=[_level(multiple, run, year) for multiple, run in runs.items()],
        benchmark=Benchmark(
            total_return=metrics.total_return(benchmark.equity),
            sharpe=metrics.annualised_sharpe(benchmark.returns, year),
            max_drawdown=metrics.max_drawdown(benchmark.equity),
        ),
        curves_artifact=CURVES_ARTIFACT,
    )


def assess(
    inp: AssessmentInput,
    curves: bytes | None,
    data_dir: Path | None,
    workspace: Workspace,
    report: ReportProgress,
) -> AssessmentResult:
    """Judge a research and store `assessment.json` and `report.html`.

    Args:
        inp: The results of the steps before.
        curves: Content of `backtest.json`; None if a gate stopped the research before.
        data_dir: Where the user's bars are; None if there are none.
        workspace: Receives the artifacts.
        report: Called after each stage.

    Raises:
        InvalidInput: Neither a gate rejection nor a backtest with its curves is given.
        InvalidData: The bars are not those that the model was trained on.
    """
    if inp.gate_rejection is None and (inp.backtest is None or curves is None):
        raise InvalidInput("Without a gate rejection an assessment needs a backtest.")
    stages = _Stages(report, "load", "statistics", "report")
    stages.start()
    bars = data.load(inp.data, data_dir)
    if bars.content_hash != inp.training.data.content_hash:
        raise InvalidData(f"The bars of {inp.data.symbol} have changed since the training.")
    parsed = _parsed(curves)

    stages.start()
    statistics = None
    if inp.gate_rejection is None and parsed is not None:
        statistics = _statistics(inp, parsed, bars.periods_per_year)
    result = AssessmentResult(
        verdict=verdict.decide(statistics, inp.backtest),
        summary=verdict.summary(inp, statistics),
        statistics=statistics,
        observations=verdict.observations(inp, statistics),
        hypotheses=verdict.hypotheses(inp, parsed),
        limitations=verdict.limitations(inp, statistics, parsed),
        report_artifact=REPORT_ARTIFACT,
    )

    stages.start()
    _store(inp, result, parsed, workspace)
    stages.finish()
    return result


def publish(
    inp: AssessmentInput, result: AssessmentResult, curves: bytes | None, workspace: Workspace
) -> None:
    """Store an assessment as `assessment.json` and `report.html`, in place of an earlier one."""
    _store(inp, result, _parsed(curves), workspace)


def _parsed(curves: bytes | None) -> Curves | None:
    return None if curves is None else Curves.model_validate_json(curves)


def _store(
    inp: AssessmentInput, result: AssessmentResult, curves: Curves | None, workspace: Workspace
) -> None:
    workspace.write(ASSESSMENT_ARTIFACT, result.model_dump_json(indent=2).encode())
    workspace.write(REPORT_ARTIFACT, render(inp, result, curves).encode())


class _Stages:
    """Reports the named stages of a step one after the other."""

    def __init__(self, report: ReportProgress, *names: str) -> None:
        self._report = report
        self._names = names
        self._started = 0

    def start(self) -> None:
        """Report that the next stage begins."""
        self._send(self._started, self._names[self._started])
        self._started += 1

    def finish(self) -> None:
        """Report that all stages are done."""
        self._send(len(self._names), "done")

    def _send(self, completed: int, current: str) -> None:
        self._report(
            Progress(
                percentage=100.0 * completed / len(self._names),
                current_step=current,
                steps_completed=completed,
                steps_total=len(self._names),
            )
        )


def _statistics(inp: AssessmentInput, curves: Curves, periods_per_year: float) -> Statistics:
    return significance(
        np.array(curves.returns),
        periods_per_year,
        trials_ever=inp.trials_ever,
        trials_variance=inp.trials_variance,
        seed=inp.seed,
    )


def _level(multiple: float, run: Simulation, periods_per_year: float) -> CostLevel:
    return CostLevel(
        cost_multiple=multiple,
        total_return=metrics.total_return(run.equity),
        annual_return=metrics.annual_return(run.equity, periods_per_year),
        annual_volatility=metrics.annual_volatility(run.returns, periods_per_year),
        sharpe=metrics.annualised_sharpe(run.returns, periods_per_year),
        max_drawdown=metrics.max_drawdown(run.equity),
        trades=len(run.trades),
        win_rate=metrics.win_rate([trade.net_return for trade in run.trades]),
        exposure=metrics.exposure(run.positions),
        turnover=metrics.turnover(run.traded_notional, run.equity, periods_per_year),
    )


def _curves(holdout: Bars, runs: dict[float, Simulation], benchmark: Simulation) -> Curves:
    single = runs[1.0]
    return Curves(
        timestamps=_iso(holdout.timestamps),
        equity={f"{multiple:g}x": run.equity.tolist() for multiple, run in runs.items()},
        benchmark_equity=benchmark.equity.tolist(),
        drawdown=metrics.drawdown(single.equity).tolist(),
        returns=single.returns.tolist(),
        trades=[_record(trade) for trade in single.trades],
    )


def _record(trade: Trade) -> TradeRecord:
    entry_time, exit_time = _iso(np.array([trade.entry_time, trade.exit_time]))
    return TradeRecord(
        entry_time=entry_time,
        exit_time=exit_time,
        direction=trade.direction,
        entry_price=trade.entry_price,
        exit_price=trade.exit_price,
        size=trade.size,
        profit=trade.profit,
        net_return=trade.net_return,
        costs=trade.costs,
    )


def _iso(nanoseconds: NDArray[np.int64]) -> list[str]:
    moments = np.datetime_as_string(nanoseconds.astype("datetime64[ns]"), unit="s")
    return [f"{moment}Z" for moment in moments]
