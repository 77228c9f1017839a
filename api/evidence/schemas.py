"""Bodies of answers about candidates, curves and conditions."""

from typing import Any

from pydantic import BaseModel, Field

from api.envelope import Data
from quant.messages.evidence import Criterion
from quant.messages.record.hypotheses import Verdict


class ScoredCandidate(BaseModel):
    """A candidate of a search."""

    number: int
    sharpe: float | None = Field(
        description="Annualised Sharpe ratio in the walk-forward of the search, after cost; null "
        "if it hardly traded, so that it is out"
    )
    trades: int | None = Field(
        description="How often it entered the market; null if it was scored by an earlier version"
    )
    parameters: dict[str, Any] = Field(description="Its features, periods and model")


class Candidates(BaseModel):
    """The candidates of a research so far."""

    operation_id: str
    planned: int | None = Field(description="Null if the strategy was given")
    scored: int
    candidates: list[ScoredCandidate] = Field(
        description="In their order. While the search runs, those that another research has scored "
        "before on the same bars are not among them"
    )
    luck: list[float] = Field(
        description="The best annualised Sharpe ratio expected by chance of one candidate, of two, "
        "and so on; empty as long as the bars are unknown"
    )


class CandidatesResponse(Data[Candidates]):
    """The candidates of a research."""


class Curve(BaseModel):
    """An account, thinned to a few hundred bars. Every list has one element for each."""

    timestamps: list[str]
    equity: list[float] = Field(description="Value at the close, from 1.0, after cost")
    benchmark: list[float] = Field(description="Buy and hold, without cost")


class Curves(BaseModel):
    """The accounts of a research."""

    operation_id: str
    walk_forward: Curve | None = Field(
        description="Development bars, each traded by a model that had not seen it; null until the "
        "training has ended"
    )
    holdout: Curve | None = Field(
        description="Null until the research is assessed, even if its backtest has ended"
    )


class CurvesResponse(Data[Curves]):
    """The accounts of a research."""


class Judgement(BaseModel):
    """Why a verdict is what it is."""

    operation_id: str
    verdict: Verdict | None
    summary: str
    gate_rejection: str | None = Field(description="Why a gate stopped the research, if one did")
    conditions: list[Criterion] = Field(
        description="The conditions of `promising`; none if a gate stopped the research"
    )


class JudgementResponse(Data[Judgement]):
    """The conditions of a verdict."""
