"""Results of the steps of a research, built by hand, for verdicts and remarks."""

from pathlib import Path
from typing import Any

from quant.messages.artifacts import Artifact
from quant.messages.data import DataInfo, DataSource
from quant.messages.evidence import Benchmark, CostLevel, RandomEntries, Statistics
from quant.messages.report.curves import Curves, TradeRecord
from quant.messages.report.dossier import Dossier
from quant.messages.steps import AssessmentInput, BacktestResult, TrainingResult
from quant.messages.strategy import FeatureSpec, StrategySpec
from quant.report.page import render_report
from workflows.interface.messages import ResearchResult

INFO = DataInfo(
    symbol="SP500",
    timeframe="1d",
    bars=5031,
    start="1999-01-04T00:00:00Z",
    end="2018-12-31T00:00:00Z",
    holdout_start="2013-01-02T00:00:00Z",
    content_hash="0" * 64,
)
SPEC = StrategySpec(
    name="example",
    features=(FeatureSpec(kind="rsi", period=14), FeatureSpec(kind="adx", period=20)),
)


def statistics(**changes: Any) -> Statistics:
    """Build strong figures, with these changes."""
    strong = Statistics(
        sharpe=1.5,
        sharpe_low=0.5,
        sharpe_high=2.5,
        p_value=0.01,
        probabilistic_sharpe=0.999,
        confirmed_sharpe=0.98,
        deflated_sharpe=0.97,
        record_p_value=0.01,
        alpha=0.12,
        beta=0.2,
        alpha_t_value=4.2,
        alpha_p_value=0.01,
        holdout_alpha=0.1,
        holdout_alpha_p_value=0.03,
        expected_best_sharpe=0.6,
        record_sharpe=1.2,
        record_bars=4100,
        trials_ever=412,
        holdout_looks=9,
        timing_p_value=0.02,
        minimum_track_record=300.0,
    )
    return strong.model_copy(update=changes)


def backtest(*returns: float, trades: int = 50, sharpe: float = 0.8) -> BacktestResult:
    """Build a result with these total returns at 0x, 1x and 2x cost."""
    levels = [
        CostLevel(
            cost_multiple=float(multiple),
            total_return=total,
            annual_return=total / 6,
            annual_volatility=0.15,
            sharpe=sharpe,
            max_drawdown=0.2,
            trades=trades,
            win_rate=0.5,
            exposure=0.6,
            turnover=12.5,
        )
        for multiple, total in enumerate(returns)
    ]
    benchmark = Benchmark(total_return=0.7, sharpe=0.8, max_drawdown=0.22)
    random = RandomEntries(
        paths=500, as_good=0.02, median_sharpe=0.1, high_sharpe=0.9, p_value=0.015
    )
    return BacktestResult(
        data=INFO,
        levels=levels,
        benchmark=benchmark,
        random_entries=random,
        capacity=2_500_000.0,
    )


def assessment(result: BacktestResult | None, **training: Any) -> AssessmentInput:
    """Build the input of an assessment: a skilled training, with these changes."""
    skilled = TrainingResult(
        data=INFO,
        model_sha256="0" * 64,
        iterations=100,
        folds=[],
        log_loss=0.68,
        baseline_log_loss=0.69,
        accuracy=0.55,
        auc=0.56,
        sharpe=0.9,
        feature_importance={"adx_20": 0.4, "rsi_14": 0.5},
    )
    return AssessmentInput(
        operation_id="research",
        data=DataSource(symbol="SP500"),
        spec=SPEC,
        seed=1,
        training=skilled.model_copy(update=training),
        backtest=result,
        gate_rejection=None if result else "2 trades on the holdout",
        trials_ever=12,
    )


def curves(*trades: tuple[int, float]) -> Curves:
    """Build the curves of a holdout of 200 bars with trades of this direction and profit."""
    nothing = [0.0] * 200
    return Curves(
        timestamps=["2018-01-02T00:00:00Z"] * 200,
        equity={"1x": nothing},
        benchmark_equity=nothing,
        drawdown=nothing,
        returns=nothing,
        trades=[
            TradeRecord(
                entry_time="2018-01-02T00:00:00Z",
                exit_time="2018-01-03T00:00:00Z",
                direction=direction,
                entry_price=100.0,
                exit_price=101.0,
                size=0.01,
                profit=profit,
                net_return=profit,
                costs=0.001,
            )
            for direction, profit in trades
        ],
    )


def draw_report(artifacts: str | Path, result: ResearchResult) -> str:
    """Return the page of a report, as the API draws it from the dossier."""
    dossier = Path(artifacts, result.report_path).with_name(Artifact.DOSSIER.value)
    return render_report(Dossier.model_validate_json(dossier.read_bytes()))
