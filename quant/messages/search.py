"""Messages of a search that is cut into rounds and slices.

Candidates and scores are artifacts. Messages name trials by their numbers only.
"""

from pydantic import Field

from quant.messages.base import FrozenModel
from quant.messages.data import DataInfo
from quant.messages.record.trials import Trial
from quant.messages.steps import DesignResult
from quant.messages.strategy import StrategySpec


class ScoredCandidate(FrozenModel):
    """A candidate and its score."""

    trial: Trial
    spec: StrategySpec

    @property
    def rank(self) -> tuple[float, int]:
        """The best candidate has the highest rank: the highest score, the first among equals."""
        score = self.trial.sharpe
        return float("-inf") if score is None else score, -self.trial.number


class RefusedCandidate(FrozenModel):
    """A candidate that cannot be scored on these bars, and why."""

    fingerprint: str
    why: str


class BegunSearch(FrozenModel):
    """A search that is too large for one activity."""

    data: DataInfo
    periods_per_year: float | None = None
    remembered: int = Field(description="Number of earlier trials that the search starts from")
    note: str | None = Field(None, description="What did not go as planned")
    finished_rounds: int = Field(description="Rounds that an earlier run has finished")


class ProposedRound(FrozenModel):
    """Candidates of a language model that are to be scored in slices. They are an artifact."""

    begun: BegunSearch
    number: int = Field(ge=1, description="Number of the round, counted from 1")
    first: int = Field(ge=1, description="Number of the first candidate")
    last: int = Field(ge=1)


class DesignOutcome(FrozenModel):
    """What the first activity of a design answers. Exactly one field is set."""

    result: DesignResult | None = None
    begun: BegunSearch | None = None

    @property
    def answer(self) -> DesignResult | BegunSearch:
        """The field that is set."""
        if self.result is not None:
            return self.result
        if self.begun is not None:
            return self.begun
        raise ValueError("neither result nor begun")


class SliceInput(FrozenModel):
    """Score the trials with these numbers, the first and the last included."""

    round_number: int = Field(ge=1, description="Counted from 1")
    first: int = Field(ge=1)
    last: int = Field(ge=1)


class SliceResult(FrozenModel):
    """What is known of trials that were scored; the rest is in the artifact."""

    best_sharpe: float | None = Field(None, description="Annualised; null if none traded")
    seconds: float = Field(0.0, description="How long the last attempt has computed")
    reused: int = Field(0, description="Trials that an earlier attempt had scored")


class RoundInput(FrozenModel):
    """Gather the trials of all slices of a round."""

    number: int = Field(ge=1, description="Counted from 1")
    starts: tuple[int, ...] = Field(description="The first trial of each slice")
    last: int = Field(description="The last trial of the round")


class SearchEnd(FrozenModel):
    """Conclude a search of which all rounds have been gathered."""

    begun: BegunSearch
    rounds: int
