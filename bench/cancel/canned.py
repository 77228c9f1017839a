"""Results of the steps that pass every gate."""

from quant.messages.data import DataInfo
from quant.messages.evidence import Benchmark, CostLevel
from quant.messages.steps import AssessmentResult, BacktestResult, DesignResult, TrainingResult
from quant.messages.strategy import FeatureSpec, StrategySpec

_DATA = DataInfo(
    symbol="SP500",
    timeframe="1d",
    bars=2_000,
    start="2000-01-01T00:00:00",
    end="2007-12-31T00:00:00",
    holdout_start="2006-01-01T00:00:00",
    content_hash="0" * 64,
)
SPEC = StrategySpec(name="stand-in", features=(FeatureSpec(kind="return", period=5),))

DESIGN = DesignResult(spec=SPEC, data=_DATA, trials=1, best_sharpe=1.0)
TRAINING = TrainingResult(
    data=_DATA,
    model_sha256="0" * 64,
    iterations=10,
    folds=[],
    log_loss=0.69,
    baseline_log_loss=0.69,
    accuracy=0.5,
    auc=0.5,
    sharpe=1.0,
    feature_importance={"return_5": 1.0},
)
BACKTEST = BacktestResult(
    data=_DATA,
    levels=[
        CostLevel(
            cost_multiple=multiple,
            total_return=0.1,
            annual_return=0.05,
            annual_volatility=0.1,
            sharpe=0.5,
            max_drawdown=0.1,
            trades=50,
            win_rate=0.5,
            exposure=0.5,
            turnover=10.0,
        )
        for multiple in (0.0, 1.0, 2.0)
    ],
    benchmark=Benchmark(total_return=0.1, sharpe=0.5, max_drawdown=0.1),
)
ASSESSMENT = AssessmentResult(
    verdict="no_signal",
    summary="Nothing was computed.",
    statistics=None,
    observations=[],
    hypotheses=[],
    limitations=[],
)
