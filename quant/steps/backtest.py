"""The third step of a research: the backtest on the holdout."""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np

from errors import InvalidInput
from quant.backtest import metrics
from quant.backtest.account import Account
from quant.backtest.random_entries import compare_random_entries
from quant.backtest.simulation import buy_and_hold, simulate
from quant.backtest.trades import Trades
from quant.bars.bars import Bars, format_times
from quant.bars.loader import load_bars
from quant.learning.prediction import predict_rises
from quant.messages.artifacts import Artifact, Workspace
from quant.messages.curves import Curves, TradeRecord
from quant.messages.evidence import Benchmark, CostLevel
from quant.messages.progress import ReportProgress, Stages
from quant.messages.steps import BacktestInput, BacktestResult
from quant.strategy.positions import decide_positions

COST_MULTIPLES: Final = (0.0, 1.0, 2.0)
# Trading a larger share of the volume of a bar would move its price.
PARTICIPATION: Final = 0.01


def backtest_holdout(
    inp: BacktestInput,
    model_text: str,
    data_dir: Path | None,
    workspace: Workspace,
    report: ReportProgress,
) -> BacktestResult:
    """Backtest a trained model on the holdout and store the curves as `backtest.json`.

    The indicators warm up on development bars. Positions are decided, traded and measured on
    holdout bars only. The benchmark buys at the first open at which a strategy can buy.

    Args:
        inp: What to backtest.
        model_text: The model that the training has stored.
        data_dir: Directory of the user's bars; None if there are none.
        workspace: Receives the artifact.
        report: Called after each stage.

    Raises:
        InvalidInput: `model_text` is not the model that `inp` names.
        InconsistentAccount: The figures of an account contradict each other.
    """
    if hashlib.sha256(model_text.encode()).hexdigest() != inp.model_sha256:
        raise InvalidInput(
            "The stored model is not the one that was trained; its SHA-256 differs.",
            field="model_sha256",
        )
    stages = Stages(
        report, "load bars", "predict", "simulate", "compare with random entries", "store curves"
    )
    stages.start()
    bars = load_bars(inp.data, data_dir)
    _, holdout = bars.split()

    stages.start()
    probabilities = predict_rises(model_text, bars, inp.spec)[bars.holdout_start :]
    targets = decide_positions(probabilities, inp.spec)

    stages.start()
    runs = {
        multiple: simulate(holdout, targets, inp.spec.costs, multiple)
        for multiple in COST_MULTIPLES
    }
    benchmark = buy_and_hold(holdout)

    stages.start()
    random = compare_random_entries(holdout, runs[1.0].positions[:, 0], inp.spec.costs, inp.seed)

    stages.start()
    curves = _build_curves(holdout, runs, benchmark)
    workspace.write(Artifact.CURVES, curves.model_dump_json().encode())
    year = bars.periods_per_year
    stages.finish()
    return BacktestResult(
        data=bars.describe(),
        levels=[_build_level(multiple, run, year) for multiple, run in runs.items()],
        benchmark=Benchmark(
            total_return=metrics.total_return(benchmark.equity),
            sharpe=metrics.annualised_sharpe(benchmark.returns, year),
            max_drawdown=metrics.max_drawdown(benchmark.equity),
        ),
        random_entries=random,
        capacity=_measure_capacity(holdout),
    )


def _measure_capacity(holdout: Bars) -> float | None:
    """Return the capital of which one full entry is `PARTICIPATION` of a median bar's volume."""
    traded = float(np.median(holdout.volume * holdout.close))
    return PARTICIPATION * traded if traded > 0.0 else None


def _build_level(multiple: float, run: Account, periods_per_year: float) -> CostLevel:
    return CostLevel(
        cost_multiple=multiple,
        total_return=metrics.total_return(run.equity),
        annual_return=metrics.annual_return(run.equity, periods_per_year),
        annual_volatility=metrics.annual_volatility(run.returns, periods_per_year),
        sharpe=metrics.annualised_sharpe(run.returns, periods_per_year),
        max_drawdown=metrics.max_drawdown(run.equity),
        trades=len(run.trades),
        win_rate=metrics.win_rate(run.trades.net_return.tolist()),
        exposure=metrics.exposure(run.positions[:, 0]),
        turnover=metrics.turnover(run.trades.notional, run.equity, periods_per_year),
    )


def _build_curves(holdout: Bars, runs: dict[float, Account], benchmark: Account) -> Curves:
    single = runs[1.0]
    return Curves(
        timestamps=holdout.iso_times,
        equity={f"{multiple:g}x": run.equity.tolist() for multiple, run in runs.items()},
        benchmark_equity=benchmark.equity.tolist(),
        drawdown=metrics.drawdown(single.equity).tolist(),
        returns=single.returns.tolist(),
        trades=_build_records(single.trades, holdout),
    )


def _build_records(trades: Trades, holdout: Bars) -> list[TradeRecord]:
    return [
        TradeRecord(
            entry_time=entry_time,
            exit_time=exit_time,
            direction=int(trades.direction[number]),
            entry_price=float(trades.entry_price[number]),
            exit_price=float(trades.exit_price[number]),
            size=float(trades.size[number]),
            profit=float(trades.profit[number]),
            net_return=float(trades.net_return[number]),
            costs=float(trades.costs[number]),
        )
        for number, (entry_time, exit_time) in enumerate(
            zip(
                format_times(holdout.timestamps[trades.entry]),
                format_times(holdout.timestamps[trades.exit]),
                strict=True,
            )
        )
    ]
