"""How far a search is: its trials, the best of them, and the best that luck would have found."""

import math
from dataclasses import dataclass
from typing import Final, Self

from quant.learning.splits import count_scored_bars
from quant.messages.data import count_development_bars
from quant.messages.progress import Progress
from quant.verdict.deflation import expected_best_sharpe

# Names in the context of the progress.
BEST_SHARPE: Final = "best_sharpe"
LUCK_SHARPE: Final = "luck_sharpe"
_SCORED_BARS: Final = "scored_bars"
_PERIODS_PER_YEAR: Final = "periods_per_year"


@dataclass(frozen=True)
class Scale:
    """What the luck of a search depends on.

    Attributes:
        scored_bars: Bars on which candidates are scored, without the warm-up of their features.
        periods_per_year: Bars per year.
    """

    scored_bars: int
    periods_per_year: float

    @classmethod
    def of(cls, bars: int, periods_per_year: float) -> Self:
        """Return the scale on so many bars, the holdout included."""
        return cls(count_scored_bars(count_development_bars(bars)), periods_per_year)

    @classmethod
    def read(cls, progress: Progress | None) -> Self | None:
        """Return the scale that a progress was described with; None if it was not."""
        context = progress.context if progress else {}
        bars, year = context.get(_SCORED_BARS), context.get(_PERIODS_PER_YEAR)
        return cls(bars, year) if isinstance(bars, int) and isinstance(year, float) else None

    def find_luck(self, trials: int) -> float:
        """Return the best annualised Sharpe ratio expected of so many worthless candidates."""
        return expected_best_sharpe(trials, self.scored_bars) * math.sqrt(self.periods_per_year)


def describe_search(scored: int, trials: int, best: float | None, scale: Scale | None) -> Progress:
    """Return the progress of a search.

    Args:
        scored: Number of trials that are scored.
        trials: Number of all trials.
        best: The best Sharpe ratio so far, annualised; None if none traded.
        scale: What luck depends on; None if it is not known.
    """
    outcome = "none traded yet" if best is None else f"best Sharpe {best:.2f}"
    context: dict[str, float | int | str] = {} if best is None else {BEST_SHARPE: best}
    if scale is not None:
        context |= {
            LUCK_SHARPE: scale.find_luck(scored),
            _SCORED_BARS: scale.scored_bars,
            _PERIODS_PER_YEAR: scale.periods_per_year,
        }
    return Progress(
        percentage=100.0 * min(scored, trials) / trials,
        current_step=f"Trial {scored} of {trials}, {outcome}",
        items_processed=scored,
        items_total=trials,
        context=context,
    )
