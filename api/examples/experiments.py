"""Example answers about experiments, hypotheses and the leaderboard."""

from pydantic import BaseModel

from api.examples.research import BEGAN_AT, ENDED_AT, RESEARCH_ID, STRATEGY
from api.operations.schemas import Difference, Reproduced
from api.schemas import (
    ExperimentListResponse,
    ExperimentResponse,
    HypothesisListResponse,
    LeaderboardResponse,
)
from quant.messages.hypotheses import Condition
from storage.records import Experiment, ExperimentSummary, HypothesisRecord, Standing

_EXPERIMENT = ExperimentSummary(
    operation_id=RESEARCH_ID,
    status="completed",
    owner="ada",
    symbol="NASDAQ",
    timeframe="1d",
    designer="search",
    strategy_name=STRATEGY,
    verdict="poor",
    sharpe=-0.21,
    sharpe_low=-0.98,
    sharpe_high=0.55,
    deflated_sharpe=0.08,
    trials_ever=12,
    development_sharpe=0.41,
    total_return=-0.034,
    cost=None,
    finished_at=ENDED_AT,
)

EXAMPLES: tuple[BaseModel, ...] = (
    ExperimentListResponse(data=[_EXPERIMENT], total_count=1),
    LeaderboardResponse(
        data=[
            Standing(
                **_EXPERIMENT.model_dump(exclude={"deflated_sharpe", "trials_ever"}),
                deflated_sharpe=0.05,
                deflated_sharpe_then=_EXPERIMENT.deflated_sharpe,
                trials_ever=4_120,
                holdout_looks=31,
            )
        ],
        total_count=1,
    ),
    ExperimentResponse(
        data=Experiment(
            operation_id=RESEARCH_ID,
            status="completed",
            owner="ada",
            symbol="NASDAQ",
            timeframe="1d",
            seed=7,
            designer="search",
            verdict="poor",
            started_at=BEGAN_AT,
            finished_at=ENDED_AT,
        )
    ),
    Reproduced(
        operation_id="op_agent_research_20261125_101500_0a1b2c3d",
        reproduces=RESEARCH_ID,
        identical=True,
        differences=[],
        versions=[Difference(name="numpy", recorded="2.4.5", reproduced="2.4.6")],
    ),
    HypothesisListResponse(
        data=[
            HypothesisRecord(
                hypothesis_id="hyp_9f86d081884c7d65",
                symbol="NASDAQ",
                timeframe="1d",
                statement="Long trades earned 8.1% and short ones lost 9.0%: try long only.",
                test=(Condition(positions="long_only"),),
                status="open",
                by_holdout=True,
                operation_id=RESEARCH_ID,
                created_at=ENDED_AT,
                tested_by=None,
                tested_at=None,
            )
        ]
    ),
)
