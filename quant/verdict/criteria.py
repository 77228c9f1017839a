"""The conditions of the verdict `promising`.

The record decides, and the holdout, a part of it, must confirm: alone it is too short to decide.
Both are held against chance and against buy and hold. docs/validity.md shows how often all of them
together are wrong.
"""

from functools import partial
from typing import Final

from quant.messages.evidence import Comparison, Criterion, Statistics, Unit
from quant.messages.steps import BacktestResult
from quant.messages.strategy import Costs
from quant.wording import format_count

RECORD_P_VALUE: Final = 0.05
ALPHA_P_VALUE: Final = 0.05
CONFIRMED_SHARPE: Final = 0.90
P_VALUE: Final = 0.10
HOLDOUT_ALPHA_P_VALUE: Final = 0.25
TIMING_P_VALUE: Final = 0.05
# With fewer, all figures rest on a few decisions. A gate may be switched off, this may not.
ROUND_TRIPS: Final = 10


def list_criteria(
    statistics: Statistics, backtest: BacktestResult, costs: Costs
) -> list[Criterion]:
    """Return all conditions, the most important first, each with its figure and its limit.

    A figure that an earlier version did not record does not meet its condition.
    """
    trials, looks = statistics.trials_ever, statistics.holdout_looks
    best = f"the best of {format_count(trials, 'candidate')} without skill"
    look = f"at the {format_ordinal(looks)} look"
    record_p = _known(statistics.record_p_value)
    alpha_p = _known(statistics.alpha_p_value)
    holdout_alpha_p = _known(statistics.holdout_alpha_p_value)
    trades = backtest.get_level(1.0).trades
    return [
        _at_most(
            "record_p_value",
            f"The record is better than {best}",
            record_p,
            RECORD_P_VALUE,
            f"{best} has a Sharpe ratio of {statistics.record_sharpe:z.2f} over walk-forward and "
            f"holdout with {record_p:.1%} probability (limit: {RECORD_P_VALUE:.0%})",
        ),
        _at_most(
            "alpha_p_value",
            f"The record beats buy and hold by more than {best}",
            alpha_p,
            ALPHA_P_VALUE,
            f"{best} beats buy and hold as clearly over walk-forward and holdout with "
            f"{alpha_p:.1%} probability (limit: {ALPHA_P_VALUE:.0%})",
        ),
        _at_least(
            "confirmed_sharpe",
            f"The holdout alone is better than luck {look}",
            statistics.confirmed_sharpe,
            CONFIRMED_SHARPE,
            f"the holdout alone confirms it with {statistics.confirmed_sharpe:.0%} probability "
            f"(required: {CONFIRMED_SHARPE:.0%})",
        ),
        _at_most(
            "p_value",
            f"The holdout is better than not trading, {look}",
            statistics.p_value,
            P_VALUE,
            f"the p-value against not trading is {statistics.p_value:.2f} (limit: {P_VALUE:.2f})",
        ),
        _at_most(
            "holdout_alpha_p_value",
            f"The holdout beats buy and hold, {look}",
            holdout_alpha_p,
            HOLDOUT_ALPHA_P_VALUE,
            f"the p-value against buy and hold on the holdout is {holdout_alpha_p:.2f} (limit: "
            f"{HOLDOUT_ALPHA_P_VALUE:.2f})",
        ),
        _at_most(
            "timing_p_value",
            f"The holdout is better than the same positions at other times, {look}",
            statistics.timing_p_value,
            TIMING_P_VALUE,
            "the p-value against the same positions at random times is "
            f"{statistics.timing_p_value:.2f} (limit: {TIMING_P_VALUE:.2f})",
        ),
        _at_least(
            "round_trips",
            "The holdout has enough round trips",
            float(trades),
            float(ROUND_TRIPS),
            f"{format_count(trades, 'round trip')} on the holdout may be chance (required: "
            f"{ROUND_TRIPS})",
            unit="count",
        ),
        *_list_costs(backtest, costs),
    ]


def format_value(criterion: Criterion) -> str:
    """Return its figure for people."""
    return _format(criterion, criterion.value)


def format_limit(criterion: Criterion) -> str:
    """Return its limit for people, such as `at most 5.0%`."""
    return f"{criterion.comparison.replace('_', ' ')} {_format(criterion, criterion.limit)}"


def _format(criterion: Criterion, value: float) -> str:
    if criterion.unit == "count":
        return f"{value:,.0f}"
    return f"{value:z.3%}" if criterion.name == "cost_per_side" else f"{value:z.1%}"


def format_ordinal(number: int) -> str:
    """Return a number as in `the 3rd look`."""
    teens = number % 100 in (11, 12, 13)
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def _list_costs(backtest: BacktestResult, costs: Costs) -> list[Criterion]:
    earned = [(multiple, backtest.get_level(multiple).total_return) for multiple in (1.0, 2.0)]
    names = {1.0: ("return_after_cost", "cost"), 2.0: ("return_at_double_cost", "double cost")}
    return [
        *(
            _above_zero(
                names[multiple][0],
                f"The return on the holdout is positive after {names[multiple][1]}",
                value,
                shortfall=f"the return after {names[multiple][1]} is {value:z.1%}",
            )
            for multiple, value in earned
        ),
        _above_zero(
            "cost_per_side",
            "Trading costs something",
            costs.per_side,
            shortfall="it assumes that trading costs nothing",
        ),
    ]


def _known(p_value: float | None) -> float:
    return 1.0 if p_value is None else p_value


def _judge(
    name: str,
    title: str,
    value: float,
    limit: float,
    shortfall: str,
    *,
    comparison: Comparison,
    unit: Unit = "probability",
) -> Criterion:
    passed = {"at_least": value >= limit, "at_most": value <= limit, "above": value > limit}
    return Criterion(
        name=name,
        title=title,
        value=value,
        limit=limit,
        comparison=comparison,
        unit=unit,
        passed=passed[comparison],
        shortfall=None if passed[comparison] else shortfall,
    )


_at_most = partial(_judge, comparison="at_most")
_at_least = partial(_judge, comparison="at_least")
_above_zero = partial(_judge, limit=0.0, comparison="above", unit="fraction")
