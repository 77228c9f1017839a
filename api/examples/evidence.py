"""Example answers about candidates, accounts and conditions."""

from pydantic import BaseModel

from api.evidence.schemas import (
    Candidates,
    CandidatesResponse,
    Curve,
    Curves,
    CurvesResponse,
    Judgement,
    JudgementResponse,
    ScoredCandidate,
)
from api.examples.research import RESEARCH_ID
from quant.messages.evidence import Criterion

EXAMPLES: tuple[BaseModel, ...] = (
    CandidatesResponse(
        data=Candidates(
            operation_id=RESEARCH_ID,
            planned=30,
            scored=2,
            candidates=[
                ScoredCandidate(
                    number=1,
                    sharpe=0.16,
                    trades=412,
                    parameters={"return": True, "return_period": 5},
                ),
                ScoredCandidate(
                    number=2,
                    sharpe=None,
                    trades=3,
                    parameters={"rsi": True, "rsi_period": 14},
                ),
            ],
            luck=[0.0, 0.18],
        )
    ),
    CurvesResponse(
        data=Curves(
            operation_id=RESEARCH_ID,
            walk_forward=Curve(
                timestamps=["2001-11-14T00:00:00Z", "2001-11-15T00:00:00Z"],
                equity=[1.0, 1.004],
                benchmark=[1.0, 1.007],
            ),
            holdout=None,
        )
    ),
    JudgementResponse(
        data=Judgement(
            operation_id=RESEARCH_ID,
            verdict="poor",
            summary="The holdout return is negative after cost.",
            gate_rejection=None,
            conditions=[
                Criterion(
                    name="confirmed_sharpe",
                    title="The holdout alone is better than luck at the 1st look",
                    value=0.42,
                    limit=0.9,
                    comparison="at_least",
                    unit="probability",
                    passed=False,
                    shortfall="the holdout alone confirms it with 42% probability (required: 90%)",
                )
            ],
        )
    ),
)
