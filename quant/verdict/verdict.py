"""The verdict on a strategy, and the reasons why it is not better."""

from collections.abc import Iterator
from typing import Final

from quant.messages.evidence import Statistics
from quant.messages.hypotheses import Verdict
from quant.messages.steps import AssessmentInput, BacktestResult
from quant.messages.strategy import Costs
from quant.wording import format_count

# The record decides and the holdout, a part of it, must confirm. The holdout alone is too short to
# decide. docs/validity.md shows how often both together are wrong.
DEFLATED_SHARPE: Final = 0.95
CONFIRMED_SHARPE: Final = 0.90
P_VALUE: Final = 0.10
# Positions in a rising market earn something at random times, too.
TIMING_P_VALUE: Final = 0.05

PROBABILISTIC_SHARPE: Final = 0.90
LESSER_TIMING_P_VALUE: Final = 0.25


def decide_verdict(
    statistics: Statistics | None, backtest: BacktestResult | None, costs: Costs
) -> Verdict:
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
    level = backtest.get_level(1.0)
    if level.trades == 0 or statistics.sharpe <= 0.0:
        return "no_signal"
    if not any(list_shortfalls(statistics, backtest, costs)):
        return "promising"
    if (
        level.total_return > 0.0
        and statistics.probabilistic_sharpe >= PROBABILISTIC_SHARPE
        and statistics.timing_p_value <= LESSER_TIMING_P_VALUE
    ):
        return "mediocre"
    return "poor"


def list_shortfalls(
    statistics: Statistics, backtest: BacktestResult, costs: Costs
) -> Iterator[str]:
    """Yield every reason why a strategy is not promising: a figure and its limit."""
    if statistics.deflated_sharpe < DEFLATED_SHARPE:
        yield (
            f"a Sharpe ratio of {statistics.record_sharpe:z.2f} over walk-forward and holdout is "
            f"better than the best of {statistics.trials_ever:,} worthless candidates with "
            f"{statistics.deflated_sharpe:.0%} probability (required: {DEFLATED_SHARPE:.0%})"
        )
    if statistics.confirmed_sharpe < CONFIRMED_SHARPE:
        yield (
            f"the holdout alone confirms it with {statistics.confirmed_sharpe:.0%} probability "
            f"(required: {CONFIRMED_SHARPE:.0%})"
        )
    if statistics.p_value > P_VALUE:
        yield (
            f"the p-value against not trading is {statistics.p_value:.2f} (limit: {P_VALUE:.2f})"
        )
    if statistics.timing_p_value > TIMING_P_VALUE:
        yield (
            "the p-value against the same positions at random times is "
            f"{statistics.timing_p_value:.2f} (limit: {TIMING_P_VALUE:.2f})"
        )
    for multiple, cost in ((1.0, "cost"), (2.0, "double cost")):
        earned = backtest.get_level(multiple).total_return
        if earned <= 0.0:
            yield f"the return after {cost} is {earned:z.1%}"
    if costs.commission == costs.slippage == 0.0:
        yield "it assumes that trading costs nothing"


def summarise(inp: AssessmentInput, statistics: Statistics | None) -> str:
    """Return two sentences: the outcome, and the reasons for the verdict."""
    if statistics is None or inp.backtest is None:
        return (
            f"The research ended at a gate: {inp.gate_rejection}. "
            f"In walk-forward on development data the log loss was {inp.training.log_loss:.4f}, "
            f"against {inp.training.baseline_log_loss:.4f} for the base rate."
        )
    level, benchmark = inp.backtest.get_level(1.0), inp.backtest.benchmark
    reasons = list(list_shortfalls(statistics, inp.backtest, inp.spec.costs))
    why = (
        f"it falls short: {'; '.join(reasons)}"
        if reasons
        else (
            "it is better than the best result expected by chance with "
            f"{statistics.deflated_sharpe:.0%} probability, and the holdout alone confirms it "
            f"with {statistics.confirmed_sharpe:.0%}"
        )
    )
    return (
        f"On the holdout {inp.spec.name} returned {level.total_return:z.1%} after costs in "
        f"{format_count(level.trades, 'trade')}, with a Sharpe ratio of {statistics.sharpe:z.2f} "
        f"(95 % interval {statistics.sharpe_low:z.2f} to {statistics.sharpe_high:z.2f}); buy "
        f"and hold returned {benchmark.total_return:z.1%}. "
        f"With {_format_counts(statistics)}, {why}."
    )


def _format_counts(statistics: Statistics) -> str:
    """Return the numbers of trials and looks, as a part of a sentence."""
    return (
        f"{format_count(statistics.trials_ever, 'trial')} on these bars and at the "
        f"{_format_ordinal(statistics.holdout_looks)} look at this holdout"
    )


def _format_ordinal(number: int) -> str:
    teens = number % 100 in (11, 12, 13)
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
