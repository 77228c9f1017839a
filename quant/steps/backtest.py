"""The third step of a research: the backtest, on the holdout or on days of its own."""

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
from quant.bars.bars import Floats, format_times
from quant.learning.prediction import predict_rises
from quant.messages.artifacts import Artifact, Workspace
from quant.messages.data import DataInfo, DataSource
from quant.messages.evidence import Benchmark, CostLevel
from quant.messages.progress import ReportProgress, Stages
from quant.messages.report.curves import Curves, TradeRecord
from quant.messages.steps import BacktestInput, BacktestResult
from quant.messages.strategy import Costs
from quant.strategy.longer import count_look_back
from quant.strategy.weights import decide_weights
from quant.universe.benchmark import load_benchmark
from quant.universe.drawn import correlate_instruments, thin_prices
from quant.universe.figures import count_independent, describe_instruments
from quant.universe.loader import find_traded, load_universe
from quant.universe.universe import Universe
from quant.verdict.alpha import measure_alpha

COST_MULTIPLES: Final = (0.0, 1.0, 2.0)
# Trading a larger share of the volume of a bar would move its price.
PARTICIPATION: Final = 0.01

_TRIED_COST: Final = 1e-4


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
        DataChanged: The bars, or those of the benchmark, are no longer those of the training.
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
    # Days of their own have a clock of their own, and with it other bars of the benchmark.
    required = inp.benchmark_hash if inp.days is None else None
    reference = load_benchmark(inp.spec.benchmark, bars, data_dir, required)

    stages.start()
    probabilities = predict_rises(model_text, bars, inp.spec)[len(bars) - len(traded) :]
    targets = decide_weights(bars, probabilities, inp.spec)

    stages.start()
    costs = inp.costs or inp.spec.costs
    runs = {multiple: simulate(traded, targets, costs, multiple) for multiple in COST_MULTIPLES}
    benchmark = buy_and_hold(reference.slice(len(bars) - len(traded), len(bars)))

    stages.start()
    look_back = count_look_back(inp.spec, inp.data.timeframe)
    random = compare_random_entries(traded, runs[1.0].positions, costs, look_back)

    stages.start()
    curves = _build_curves(traded, runs, benchmark)
    workspace.write(Artifact.CURVES, curves.model_dump_json().encode())
    year = bars.periods_per_year
    stages.finish()
    return BacktestResult(
        data=info,
        levels=[build_level(multiple, run, year) for multiple, run in runs.items()],
        benchmark=Benchmark(
            total_return=metrics.total_return(benchmark.equity),
            sharpe=metrics.annualised_sharpe(benchmark.returns, year),
            max_drawdown=metrics.max_drawdown(benchmark.equity),
            content_hash=None if reference is bars else reference.content_hash,
        ),
        random_entries=random,
        traded_bars=len(traded),
        initial_capital=inp.initial_capital,
        break_even_cost=_find_break_even(traded, targets, costs, benchmark),
        capacity=_measure_capacity(traded, runs[1.0].positions),
        independent_instruments=count_independent(traded),
    )


def _load(inp: BacktestInput, data_dir: Path | None) -> tuple[Universe, Universe, DataInfo]:
    """Return the bars until the last traded one, the traded ones, and a description of both."""
    if inp.days is None:
        bars = load_universe(inp.data, data_dir)
        return bars, bars.split()[1], bars.describe()
    source = DataSource(
        symbol=inp.data.symbol, symbols=inp.data.symbols, timeframe=inp.data.timeframe
    )
    every = load_universe(source, data_dir)
    first, last = find_traded(every, inp.days)
    bars, traded = every.slice(0, last), every.slice(first, last)
    info = bars.describe().model_copy(update={"holdout_start": traded.format_time(0)})
    return bars, traded, info


def _measure_capacity(traded: Universe, positions: Floats) -> float | None:
    """Return the capital of which no full entry is above `PARTICIPATION` of a median bar's volume.

    A full entry buys the largest weight that was held.
    """
    largest = np.max(np.abs(positions), axis=0)
    capitals = [
        PARTICIPATION * float(np.median(bars.volume * bars.close)) / float(weight)
        for bars, weight in zip(traded.instruments, largest, strict=True)
        if len(bars) and weight > 0.0
    ]
    if not capitals and traded.is_single:  # It never traded.
        only = traded.instruments[0]
        capitals = [PARTICIPATION * float(np.median(only.volume * only.close))]
    least = min(capitals, default=0.0)
    return least if least > 0.0 else None


def _find_break_even(
    traded: Universe, targets: Floats, costs: Costs, benchmark: Account
) -> float | None:
    """Return the cost per side at which nothing is left of the alpha over buy and hold.

    Alpha falls nearly in a line with the cost, so two accounts are enough: without cost, and with
    `_TRIED_COST` per side.
    """
    cash = costs.cash_rate / traded.periods_per_year
    free, charged = (
        measure_alpha(
            simulate(traded, targets, costs.model_copy(update=paid)).excess_returns,
            benchmark.returns - cash,
        ).per_bar
        for paid in (
            {"commission": 0.0, "slippage": 0.0},
            {"commission": _TRIED_COST, "slippage": 0.0},
        )
    )
    return _TRIED_COST * free / (free - charged) if 0.0 < free > charged else None


def build_level(multiple: float, run: Account, periods_per_year: float) -> CostLevel:
    """Return the figures of an account at this multiple of the assumed costs."""
    return CostLevel(
        cost_multiple=multiple,
        total_return=metrics.total_return(run.equity),
        annual_return=metrics.annual_return(run.equity, periods_per_year),
        annual_volatility=metrics.annual_volatility(run.returns, periods_per_year),
        sharpe=metrics.annualised_sharpe(run.excess_returns, periods_per_year),
        max_drawdown=metrics.max_drawdown(run.equity),
        trades=len(run.trades),
        win_rate=metrics.win_rate(run.trades.net_return.tolist()),
        exposure=metrics.exposure(run.positions),
        turnover=metrics.turnover(run.trades.notional, run.equity, periods_per_year),
    )


def _build_curves(traded: Universe, runs: dict[float, Account], benchmark: Account) -> Curves:
    single = runs[1.0]
    figures = [] if traded.is_single else describe_instruments(traded, single)
    return Curves(
        timestamps=traded.iso_times,
        equity={f"{multiple:g}x": run.equity.tolist() for multiple, run in runs.items()},
        benchmark_equity=benchmark.equity.tolist(),
        drawdown=metrics.drawdown(single.equity).tolist(),
        returns=single.returns.tolist(),
        trades=_build_records(single.trades, traded),
        instruments=figures,
        prices=thin_prices(traded),
        correlations=correlate_instruments(traded, single, figures),
    )


def _build_records(trades: Trades, traded: Universe) -> list[TradeRecord]:
    return [
        TradeRecord(
            symbol=None if traded.is_single else traded.symbols[trades.instrument[number]],
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
