"""The data of a report: the artifact `report.json`."""

from pydantic import Field

from quant.messages.base import FrozenModel
from quant.messages.record.trials import Trial
from quant.messages.report.curves import Curves, WalkForward
from quant.messages.report.tear_sheet import TearSheet
from quant.messages.steps import AssessmentInput, AssessmentResult


class Dossier(FrozenModel):
    """An assessed research."""

    input: AssessmentInput
    result: AssessmentResult
    periods_per_year: float = Field(description="Bars per year, used to annualise figures")
    walk_forward: WalkForward
    curves: Curves | None = Field(description="The holdout; None if a gate stopped the research")
    trials: list[Trial] = Field(
        description="Trials in their order; empty if the strategy was given"
    )
    resampled_sharpes: list[float] = Field(
        description="Annualised Sharpe ratios of the bootstrap of the holdout"
    )
    versions: dict[str, str] = Field(description="Versions of all libraries that figures depend on")
    tear_sheet: TearSheet | None = Field(
        None, description="The usual figures; None in dossiers of earlier versions"
    )
