"""All that a report shows, as data: the artifact `report.json`."""

from pydantic import Field

from quant.curves import Curves, WalkForward
from quant.models import AssessmentInput, AssessmentResult, Trial
from quant.spec import Model


class Dossier(Model):
    """A research that was assessed."""

    input: AssessmentInput
    result: AssessmentResult
    periods_per_year: float = Field(description="Bars per year, by which figures are annualised")
    walk_forward: WalkForward
    curves: Curves | None = Field(description="The holdout; None if a gate stopped the research")
    trials: list[Trial] = Field(description="In their order; empty if the strategy was given")
    resampled_sharpes: list[float] = Field(
        description="Annualised Sharpe ratios of the bootstrap of the holdout"
    )
    versions: dict[str, str] = Field(description="Of what a figure can depend on")
