"""Example answers about experiments, hypotheses and the leaderboard."""

from pydantic import BaseModel

from api.examples.research import BEGAN_AT, ENDED_AT, RESEARCH_ID, STRATEGY
from api.operations.schemas import Difference, Reproduced
from api.schemas import (
    Annotation,
    ComparisonResponse,
    ExperimentListResponse,
    ExperimentResponse,
    HypothesisListResponse,
    LeaderboardResponse,
    LedgerResponse,
    MarketListResponse,
    TagListResponse,
)
from quant.messages.record.comparison import (
    ComparedParameter,
    ComparedResearch,
    Comparison,
    DrawnCurve,
)
from quant.messages.record.hypotheses import Condition
from storage.ledger.records import (
    Experiment,
    ExperimentSummary,
    HypothesisRecord,
    Market,
    Standing,
    TagCount,
    Verification,
)

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
    note="Works in calm years only",
    tags=("calm",),
    finished_at=ENDED_AT,
)
_CURVE = DrawnCurve(
    timestamps=["2018-12-28T00:00:00Z", "2018-12-31T00:00:00Z"],
    equity=[1.0, 1.004],
    benchmark_equity=[0.999, 1.008],
)
_COMPARED = ComparedResearch(
    operation_id=RESEARCH_ID,
    strategy=STRATEGY,
    symbol="NASDAQ",
    timeframe="1d",
    verdict="poor",
    trials_ever=12,
    statistics=None,
    holdout=None,
    walk_forward_curve=_CURVE,
    holdout_curve=None,
)
_OTHER = "op_agent_research_20261125_101500_0a1b2c3d"

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
                false_discovery_rate=1.0,
                is_discovery=False,
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
            note="Works in calm years only",
            tags=("calm",),
            finished_at=ENDED_AT,
        )
    ),
    Annotation(note="Works in calm years only", add_tags=("calm",)),
    TagListResponse(data=[TagCount(tag="calm", experiments=3)]),
    ComparisonResponse(
        data=Comparison(
            researches=[_COMPARED, _COMPARED.model_copy(update={"operation_id": _OTHER})],
            parameters=[ComparedParameter(name="horizon", values=[5, 10], differs=True)],
            correlations=[[1.0, 0.42], [0.42, 1.0]],
            common_days=[[5031, 5031], [5031, 5031]],
        )
    ),
    MarketListResponse(
        data=[
            Market(
                symbol="NASDAQ",
                timeframe="1d",
                researches=34,
                last_research_at=ENDED_AT,
                trials_ever=4_120,
                holdout_looks=7,
                next_trials=4_132,
                next_look=8,
                expected_best_sharpe=0.81,
                required_sharpe=1.19,
            )
        ],
        total_count=1,
    ),
    Reproduced(
        operation_id=_OTHER,
        reproduces=RESEARCH_ID,
        identical=True,
        differences=[],
        versions=[Difference(name="numpy", recorded="2.4.5", reproduced="2.4.6")],
    ),
    LedgerResponse(
        data=Verification(intact=True, entries=4_151, unchained=0, head=f"4151:{'0f3a' * 16}")
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
