"""The verdict on a strategy, and why it is no better."""

from collections.abc import Iterator
from typing import Final

from quant.evidence import Statistics
from quant.hypotheses import Verdict
from quant.models import AssessmentInput, BacktestResult
from quant.spec import Costs

# The record decides, the holdout has to confirm it. The holdout is a part of the record, and alone
# too short to show more; docs/validity.md has what both together let through.
DEFLATED_SHARPE: Final = 0.95
CONFIRMED_SHARPE: Final = 0.90
P_VALUE: Final = 0.10
# Who only holds what rises earns something, and so do the same positions at random times.
TIMING_P_VALUE: Final = 0.05

PROBABILISTIC_SHARPE: Final = 0.90
LESSER_TIMING_P_VALUE: Final = 0.25


def decide(statistics: Statistics | None, backtest: BacktestResult | None, costs: Costs) -> Verdict:
    """Return the verdict: the first row of this table whose condition holds.

    ========== ===================================================================================
    no_signal  a gate stopped the research (no statistics), no trades, or Sharpe ratio <= 0
    promising  deflated Sharpe >= 0.95, confirmed Sharpe >= 0.90, SPA p-value <= 0.10, timing
               p-value <= 0.05, return > 0 at 1x and at 2x cost, and some cost is assumed
    mediocre   probabilistic Sharpe >= 0.90, timing p-value <= 0.25, return > 0 at 1x cost
    poor       everything else
    ========== ===================================================================================
    """
    if statistics is None or backtest is None:
        return "no_signal"
    level = backtest.at(1.0)
    if level.trades == 0 or statistics.sharpe <= 0.0:
        return "no_signal"
    if not any(shortfalls(statistics, backtest, costs)):
        return "promising"
    if (
        level.total_return > 0.0
        and statistics.probabilistic_sharpe >= PROBABILISTIC_SHARPE
        and statistics.timing_p_value <= LESSER_TIMING_P_VALUE
    ):
        return "mediocre"
    return "poor"


def shortfalls(statistics: Statistics, backtest: BacktestResult, costs: Costs) -> Iterator[str]:
    """Yield what keeps a strategy from being promising: which figure, and by how much."""
    if statistics.deflated_sharpe < DEFLATED_SHARPE:
        yield (
            f"a Sharpe ratio of {statistics.record_sharpe:.2f} over walk-forward and holdout is "
            f"better than the best of {statistics.trials_ever} worthless candidates with "
            f"{statistics.deflated_sharpe:.0%} probability, not {DEFLATED_SHARPE:.0%}"
        )
    if statistics.confirmed_sharpe < CONFIRMED_SHARPE:
        yield (
            f"the holdout alone confirms it with {statistics.confirmed_sharpe:.0%} probability, "
            f"not {CONFIRMED_SHARPE:.0%}"
        )
    if statistics.p_value > P_VALUE:
        yield f"the p-value against not trading is {statistics.p_value:.2f}, not {P_VALUE:.2f}"
    if statistics.timing_p_value > TIMING_P_VALUE:
        yield (
            "the p-value against the same positions at random times is "
            f"{statistics.timing_p_value:.2f}, not {TIMING_P_VALUE:.2f}"
        )
    for multiple, cost in ((1.0, "cost"), (2.0, "double cost")):
        earned = backtest.at(multiple).total_return
        if earned <= 0.0:
            yield f"the return after {cost} is {earned:.1%}"
    if costs.commission == costs.slippage == 0.0:
        yield "it assumes that trading costs nothing"


def summary(inp: AssessmentInput, statistics: Statistics | None) -> str:
    """Return two plain sentences: what came out, and why the verdict is what it is."""
    if statistics is None or inp.backtest is None:
        return (
            f"The research ended at a gate: {inp.gate_rejection}. "
            f"In walk-forward on development data the log loss was {inp.training.log_loss:.4f}, "
            f"against {inp.training.baseline_log_loss:.4f} for the base rate."
        )
    level, benchmark = inp.backtest.at(1.0), inp.backtest.benchmark
    reasons = list(shortfalls(statistics, inp.backtest, inp.spec.costs))
    why = (
        f"it falls short: {', and '.join(reasons)}"
        if reasons
        else (
            f"it is better than the best of luck with {statistics.deflated_sharpe:.0%} "
            f"probability, and the holdout alone confirms it with "
            f"{statistics.confirmed_sharpe:.0%}"
        )
    )
    return (
        f"On the holdout {inp.spec.name} returned {level.total_return:.1%} after costs in "
        f"{level.trades} trades, with a Sharpe ratio of {statistics.sharpe:.2f} (95 % interval "
        f"{statistics.sharpe_low:.2f} to {statistics.sharpe_high:.2f}); buy and hold returned "
        f"{benchmark.total_return:.1%}. "
        f"With {_effort(statistics)}, {why}."
    )


def _effort(statistics: Statistics) -> str:
    """Say how much has been tried on these bars."""
    trials = statistics.trials_ever
    return (
        f"{trials:,} {'trial' if trials == 1 else 'trials'} on these bars and at the "
        f"{_ordinal(statistics.holdout_looks)} look at this holdout"
    )


def _ordinal(number: int) -> str:
    teens = number % 100 in (11, 12, 13)
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
