"""Example answers about strategies and health."""

from pydantic import BaseModel

from api.schemas import Health, Readiness, StrategyListResponse, StrategyResponse
from quant.messages.strategy import FeatureSpec, StrategySpec
from quant.strategy.files import StrategyEntry
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE

_STRATEGY = StrategySpec(name="momentum", features=(FeatureSpec(kind="return", period=20),))

EXAMPLES: tuple[BaseModel, ...] = (
    _STRATEGY,
    StrategyListResponse(
        data=[StrategyEntry(name="momentum", built_in=True, description="Follows the trend")]
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
