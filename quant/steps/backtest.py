"""The third step of a research: the backtest, on the holdout or on days of its own."""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np

from errors import InvalidData, InvalidInput
from quant.backtest import metrics
from quant.backtest.account import Account
from quant.backtest.random_entries import compare_random_entries
from quant.backtest.simulation import buy_and_hold, simulate
from quant.backtest.trades import Trades
from quant.bars.bars import Bars, format_times
from quant.bars.dates import cut_to_dates
from quant.bars.loader import load_bars
from quant.learning.prediction import predict_rises
from quant.messages.artifacts import Artifact, Workspace
from quant.messages.curves import Curves, TradeRecord
from quant.messages.data import DataInfo, DataSource, DateRange
from quant.messages.evidence import Benchmark, CostLevel
from quant.messages.progress import ReportProgress, Stages
from quant.messages.steps import BacktestInput, BacktestResult
from quant.strategy.positions import decide_positions

COST_MULTIPLES: Final = (0.0, 1.0, 2.0)
# Trading a larger share of the volume of a bar would move its price.
PARTICIPATION: Final = 0.01
# With fewer, no figure means anything.
MINIMUM_TRADED_BARS: Final = 20


def backtest_holdout(
    inp: BacktestInput,
    model_text: str,
    data_dir: Path | None,
    workspace: Workspace,
    report: ReportProgress,
) -> BacktestResult:
    """Backtest a trained model and store the curves as `backtest.json`.

    The holdout is traded, or the days that the input names. The indicators warm up on the bars
    before. Positions are decided, traded and measured on the traded bars only. The benchmark buys
    at the first open at which a strategy can buy.

    Args:
        inp: What to backtest.
        model_text: The model that the training has stored.
        data_dir: Directory of the user's bars; None if there are none.
        workspace: Receives the artifact.
        report: Called after each stage.

    Raises:
        InvalidInput: `model_text` is not the model that `inp` names.
        InvalidData: There are too few bars on these days.
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
    bars, traded, info = _load(inp, data_dir)

    stages.start()
    probabilities = predict_rises(model_text, bars, inp.spec)[len(bars) - len(traded) :]
    targets = decide_positions(probabilities, inp.spec)

    stages.start()
    costs = inp.costs or inp.spec.costs
    runs = {multiple: simulate(traded, targets, costs, multiple) for multiple in COST_MULTIPLES}
    benchmark = buy_and_hold(traded)

    stages.start()
    random = compare_random_entries(traded, runs[1.0].positions[:, 0], costs, inp.seed)

    stages.start()
    curves = _build_curves(traded, runs, benchmark)
    workspace.write(Artifact.CURVES, curves.model_dump_json().encode())
    year = bars.periods_per_year
    stages.finish()
    return BacktestResult(
        data=info,
        levels=[_build_level(multiple, run, year) for multiple, run in runs.items()],
        benchmark=Benchmark(
            total_return=metrics.total_return(benchmark.equity),
            sharpe=metrics.annualised_sharpe(benchmark.returns, year),
            max_drawdown=metrics.max_drawdown(benchmark.equity),
        ),
        random_entries=random,
        traded_bars=len(traded),
        initial_capital=inp.initial_capital,
        capacity=_measure_capacity(traded),
    )


def _load(inp: BacktestInput, data_dir: Path | None) -> tuple[Bars, Bars, DataInfo]:
    """Return the bars until the last traded one, the traded ones, and a description of both."""
    if inp.days is None:
        bars = load_bars(inp.data, data_dir)
        return bars, bars.split()[1], bars.describe()
    source = DataSource(symbol=inp.data.symbol, timeframe=inp.data.timeframe)
    every = load_bars(source, data_dir)
    traded = _cut(every, inp.days)
    bars = every.slice(0, int(np.searchsorted(every.timestamps, traded.timestamps[-1])) + 1)
    info = bars.describe().model_copy(update={"holdout_start": traded.format_time(0)})
    return bars, traded, info


def _cut(bars: Bars, days: DateRange) -> Bars:
    traded = cut_to_dates(bars, days, 0)
    if len(traded) < MINIMUM_TRADED_BARS:
        raise InvalidData(
            f"{bars.symbol} {bars.timeframe} has {len(traded)} bars on the days to be traded; a "
            f"backtest needs at least {MINIMUM_TRADED_BARS}. All its bars are from "
            f"{bars.format_time(0)} to {bars.format_time(-1)}.",
            field="start_date",
        )
    return traded


def _measure_capacity(traded: Bars) -> float | None:
    """Return the capital of which one full entry is `PARTICIPATION` of a median bar's volume."""
    money = float(np.median(traded.volume * traded.close))
    return PARTICIPATION * money if money > 0.0 else None


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


def _build_curves(traded: Bars, runs: dict[float, Account], benchmark: Account) -> Curves:
    single = runs[1.0]
    return Curves(
        timestamps=traded.iso_times,
        equity={f"{multiple:g}x": run.equity.tolist() for multiple, run in runs.items()},
        benchmark_equity=benchmark.equity.tolist(),
        drawdown=metrics.drawdown(single.equity).tolist(),
        returns=single.returns.tolist(),
        trades=_build_records(single.trades, traded),
    )


def _build_records(trades: Trades, traded: Bars) -> list[TradeRecord]:
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
                format_times(traded.timestamps[trades.entry]),
                format_times(traded.timestamps[trades.exit]),
                strict=True,
            )
        )
    ]
