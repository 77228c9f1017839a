"""Example answers about strategies and health."""

from pydantic import BaseModel

from api.auth.schemas import CallerInfo, CallerResponse
from api.auth.scopes import Scope
from api.examples.research import ENDED_AT
from api.schemas import (
    FeatureInfo,
    Health,
    ListedBars,
    ListedStrategy,
    Readiness,
    StrategyFeatures,
    StrategyListResponse,
    StrategyResponse,
    StrategyValidation,
    TrainedFigures,
)
from quant.messages.strategy import FeatureSpec, StrategySpec
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE

_STRATEGY = StrategySpec(name="momentum", features=(FeatureSpec(kind="return", period=20),))

EXAMPLES: tuple[BaseModel, ...] = (
    CallerResponse(
        data=CallerInfo(keys=True, name="ada", owner="ada", scopes=[Scope.CANCEL, Scope.RUN])
    ),
    _STRATEGY,
    StrategyListResponse(
        data=[
            ListedStrategy(
                name="momentum",
                built_in=True,
                description="Follows the trend",
                symbol="NASDAQ",
                timeframe="1d",
                training_data=ListedBars(symbols=["NASDAQ"], timeframes=["1d"]),
                training_status="trained",
                latest_training_date=ENDED_AT,
                latest_metrics=TrainedFigures(accuracy=0.52, auc=0.51, sharpe_ratio=0.4),
            )
        ]
    ),
    StrategyValidation(
        valid=True,
        strategy_name="momentum",
        issues=[],
        available_indicators=["return", "rsi"],
        message="The strategy is valid.",
    ),
    StrategyFeatures(
        strategy_name="momentum",
        features=[FeatureInfo(kind="return", period=20, feature_id="return_20")],
        count=1,
    ),
    StrategyResponse(data=_STRATEGY),
    Health(version="0.1.0"),
    Readiness(
        ready=True,
        temporal=True,
        ledger=True,
        workers={RESEARCH_QUEUE: 1, TRAINING_QUEUE: 1, BACKTEST_QUEUE: 1},
    ),
)
