"""The verdict on a strategy, and the reasons why it is not better."""

from typing import Final

from quant.messages.evidence import Criterion, Statistics
from quant.messages.record.hypotheses import Verdict
from quant.messages.steps import AssessmentInput, BacktestResult
from quant.messages.strategy import Costs
from quant.verdict.criteria import format_ordinal, list_criteria
from quant.wording import format_count

PROBABILISTIC_SHARPE: Final = 0.90
LESSER_TIMING_P_VALUE: Final = 0.25


def decide_verdict(
    statistics: Statistics | None, backtest: BacktestResult | None, costs: Costs
) -> Verdict:
    """Return the verdict: the first row of this table whose condition holds.

    ========== ===================================================================================
    no_signal  a gate stopped the research (no statistics), no trades, or Sharpe ratio <= 0
    promising  every condition of `quant.verdict.criteria` is met
    mediocre   probabilistic Sharpe >= 0.90, timing p-value <= 0.25, return > 0 at 1x cost, and
               alpha > 0 on the holdout
    poor       everything else
    ========== ===================================================================================
    """
    if statistics is None or backtest is None:
        return "no_signal"
    level = backtest.get_level(1.0)
    if level.trades == 0 or statistics.sharpe <= 0.0:
        return "no_signal"
    if all(each.passed for each in list_criteria(statistics, backtest, costs)):
        return "promising"
    if (
        level.total_return > 0.0
        and statistics.probabilistic_sharpe >= PROBABILISTIC_SHARPE
        and statistics.timing_p_value <= LESSER_TIMING_P_VALUE
        and (statistics.holdout_alpha is None or statistics.holdout_alpha > 0.0)
    ):
        return "mediocre"
    return "poor"


def list_shortfalls(criteria: list[Criterion]) -> list[str]:
    """Return every reason why a strategy is not promising: a figure and its limit."""
    return [each.shortfall for each in criteria if each.shortfall is not None]


def summarise(inp: AssessmentInput, statistics: Statistics | None) -> str:
    """Return two sentences: the outcome, and the reasons for the verdict."""
    if statistics is None or inp.backtest is None:
        return (
            f"The research ended at a gate: {inp.gate_rejection}. "
            f"In walk-forward on development data the log loss was {inp.training.log_loss:.4f}, "
            f"against {inp.training.baseline_log_loss:.4f} for the base rate."
        )
    level, benchmark = inp.backtest.get_level(1.0), inp.backtest.benchmark
    reasons = list_shortfalls(list_criteria(statistics, inp.backtest, inp.spec.costs))
    why = (
        f"it falls short: {'; '.join(reasons)}"
        if reasons
        else (
            "it meets every condition: so good a record is the best of as many worthless "
            f"candidates with {statistics.record_p_value:.1%} probability, and it earned "
            f"{statistics.alpha:z.1%} per year beyond its share of {inp.spec.benchmark_name}"
        )
    )
    return (
        f"On the holdout {inp.spec.name} returned {level.total_return:z.1%} after costs in "
        f"{format_count(level.trades, 'trade')}, with a Sharpe ratio of {statistics.sharpe:z.2f} "
        f"(95 % interval {statistics.sharpe_low:z.2f} to {statistics.sharpe_high:z.2f}); "
        f"{inp.spec.benchmark_name} returned {benchmark.total_return:z.1%}. "
        f"With {_format_counts(statistics)}, {why}."
    )


def _format_counts(statistics: Statistics) -> str:
    """Return the numbers of trials and looks, as a part of a sentence."""
    return (
        f"{format_count(statistics.trials_ever, 'trial')} on these bars and at the "
        f"{format_ordinal(statistics.holdout_looks)} look at this holdout"
    )
