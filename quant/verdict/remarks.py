"""The sentences of an assessment: what the figures show, and what they do not cover."""

from typing import Final

from quant.bars import catalog
from quant.bars.bars import Bars
from quant.bars.checks.oddities import list_oddities
from quant.bars.checks.spread import measure_bounce, measure_half_tick
from quant.learning.splits import SEARCH_FOLDS
from quant.messages.evidence import Stability, Statistics
from quant.messages.report.curves import Curves
from quant.messages.steps import AssessmentInput, BacktestResult
from quant.messages.strategy import Costs, StrategySpec
from quant.universe.remarks import describe_independence
from quant.universe.universe import Universe
from quant.wording import format_count

MANY_REPEATED_OPENS: Final = 0.2
_MOST_DESCRIBED: Final = 5


def list_observations(
    inp: AssessmentInput,
    statistics: Statistics | None,
    curves: Curves | None,
    stability: Stability | None,
) -> list[str]:
    """Return sentences about what the figures show, without interpretation."""
    training = inp.training
    texts = [
        f"Walk-forward log loss {training.log_loss:.4f} against {training.baseline_log_loss:.4f} "
        f"for the base rate; accuracy {training.accuracy:.1%}.",
    ]
    ranking = sorted(training.feature_importance.items(), key=lambda item: (-item[1], item[0]))
    leading = [f"{name} ({share:.0%})" for name, share in ranking[:3] if share > 0.0]
    if leading:
        texts.append(f"Most important features by split gain: {', '.join(leading)}.")
    if inp.backtest is not None:
        texts += _observe_backtest(inp, inp.backtest, curves)
    if statistics is not None and statistics.alpha is not None:
        texts.append(
            f"B{inp.spec.benchmark_name[1:]} explains a share of {statistics.beta:z.2f} of its "
            f"returns over walk-forward and holdout; beyond that it earned {statistics.alpha:z.1%} "
            f"per year (t-value {statistics.alpha_t_value:z.2f})."
        )
    if statistics is not None:
        texts.append(
            f"The best of {statistics.trials_ever:,} worthless candidates would be expected to "
            f"show a Sharpe ratio of {statistics.expected_best_sharpe:.2f} over walk-forward and "
            "holdout."
        )
    if stability is not None and stability.neighbours:
        texts.append(
            f"{format_count(len(stability.neighbours), 'strategy', 'strategies')} differing in one "
            f"choice: median Sharpe ratio {stability.median_sharpe:z.2f} in the walk-forward of "
            f"a search, {SEARCH_FOLDS} folds; this one has {stability.sharpe or 0.0:z.2f} there"
            + (", a peak that its neighbours do not share." if stability.is_a_peak else ".")
        )
    return texts


def list_limitations(
    inp: AssessmentInput, statistics: Statistics | None, curves: Curves | None
) -> list[str]:
    """Return sentences about what the result does not cover."""
    costs = inp.spec.costs
    texts = [
        f"{_name_scope(inp)} over one period of holdout; nothing is known about others.",
        f"Costs are assumed: {costs.commission:.3%} commission and {costs.slippage:.3%} slippage "
        f"per side; {_describe_interest(costs)}. Market impact and dividends are left out.",
        _describe_fills(inp.spec),
        "Trials and looks are counted for a market under all names that this ledger recognises; "
        "what was tried elsewhere is not counted.",
    ]
    if inp.market is not None and len(inp.market.names) > 1:
        texts.append(
            f"These bars are of one market with others in this ledger: "
            f"{', '.join(inp.market.names)}. Their trials and looks count together."
        )
    if inp.spec.benchmark is not None:
        texts.append(
            f"Alpha is what was earned beyond {inp.spec.benchmark}, not beyond the instruments "
            "themselves: to hold these may have earned it without any skill. Of the conditions, "
            "only the one against random times would show that."
        )
    if inp.design is not None and inp.design.note is not None:
        texts.append(inp.design.note)
    if not catalog.BUILT_IN_SYMBOLS.isdisjoint(inp.data.instruments):
        texts.append(
            "An index cannot be traded directly; a fund or future on it behaves differently."
        )
    needed = statistics.minimum_track_record if statistics is not None else None
    if needed is not None and curves is not None and needed > len(curves.returns):
        texts.append(
            f"About {needed:,.0f} bars of such returns would be needed to distinguish the Sharpe "
            f"ratio from zero; the holdout has {len(curves.returns):,}."
        )
    return texts


def describe_bars(bars: Bars, costs: Costs | None = None) -> list[str]:
    """Return what a trader of these bars should know; empty if there is nothing special.

    Args:
        bars: The bars.
        costs: What trading them is assumed to cost; None if nothing is assumed yet.
    """
    return [
        *_describe_opens(bars),
        *_describe_volume(bars),
        *(_describe_costs(bars, costs) if costs is not None else ()),
        *list_oddities(bars),
    ]


def describe_all_bars(universe: Universe, costs: Costs) -> list[str]:
    """Return what a trader of these bars should know, of the first instruments if there are many.

    Args:
        universe: The bars.
        costs: What trading them is assumed to cost.
    """
    if universe.is_single:
        return describe_bars(universe.instruments[0], costs)
    found = [
        (bars.symbol, texts)
        for bars in universe.instruments
        if (texts := describe_bars(bars, costs))
    ]
    texts = [f"{symbol}: {text}" for symbol, some in found[:_MOST_DESCRIBED] for text in some]
    if len(found) > _MOST_DESCRIBED:
        texts.append(
            f"There is something to say about the bars of {len(found) - _MOST_DESCRIBED} more "
            "instruments: `ktrdr data check` says it."
        )
    return texts


def _name_scope(inp: AssessmentInput) -> str:
    count = len(inp.data.instruments)
    return "One instrument" if count == 1 else f"These {count} instruments"


def _describe_fills(spec: StrategySpec) -> str:
    if spec.volatility_target is None:
        return "Every fill is at the open, fully invested and without leverage."
    return (
        f"Every fill is at the open, scaled to a volatility of {spec.volatility_target:.0%} per "
        f"year, with at most {spec.most_exposure:g} times the account invested."
    )


def _describe_interest(costs: Costs) -> str:
    if not (costs.cash_rate or costs.borrow_rate):
        return "cash earns nothing and borrowing is free"
    return (
        f"cash earns {costs.cash_rate:.2%} and what is borrowed costs {costs.borrow_rate:.2%} per "
        "year, and returns are judged by what they exceed cash by"
    )


def _describe_costs(bars: Bars, costs: Costs) -> list[str]:
    """Name the assumed cost as too low if the bars suggest a higher one."""
    suggested = {
        "the bounce of the closes between bid and ask": measure_bounce(bars),
        "half of the smallest step of the price": measure_half_tick(bars),
    }
    return [
        f"The assumed cost of {costs.per_side:.4%} per side is lower than {reason}, "
        f"{least:.4%}: real costs may be higher."
        for reason, least in suggested.items()
        if least is not None and costs.per_side < least
    ]


def _describe_opens(bars: Bars) -> list[str]:
    if bars.repeated_open_share <= MANY_REPEATED_OPENS:
        return []
    development, holdout = bars.split()
    return [
        f"{development.repeated_open_share:.0%} of the development bars and "
        f"{holdout.repeated_open_share:.0%} of the holdout bars open at the close before them: a "
        "fill at the next open is often one at the very close that gave the signal."
    ]


def _describe_volume(bars: Bars) -> list[str]:
    if bars.has_volume:
        return []
    return ["These bars have no volume: strategies cannot use it, and capacity is not known."]


def _observe_backtest(
    inp: AssessmentInput, backtest: BacktestResult, curves: Curves | None
) -> list[str]:
    level, benchmark = backtest.get_level(1.0), backtest.benchmark
    texts = [
        "Holdout return at zero, single and double costs: "
        + ", ".join(f"{backtest.get_level(multiple).total_return:z.1%}" for multiple in (0, 1, 2))
        + ".",
        f"Maximum drawdown {level.max_drawdown:.1%}; {inp.spec.benchmark_name} "
        f"{benchmark.max_drawdown:.1%}.",
        f"A position was held for {level.exposure:.0%} of the bars; {level.turnover:.1f} times "
        "the capital was traded per year.",
    ]
    if curves is not None and curves.trades:
        net = sum(trade.net_return for trade in curves.trades) / len(curves.trades)
        costs = inp.spec.costs
        texts.append(
            f"The average trade earned {1e4 * net:z.0f} basis points after costs of "
            f"{2e4 * (costs.commission + costs.slippage):.0f}."
        )
    if backtest.break_even_cost is not None:
        texts.append(
            f"On the holdout nothing would be left of the alpha over {inp.spec.benchmark_name} at "
            f"a cost of {backtest.break_even_cost:.3%} per side; {inp.spec.costs.per_side:.3%} is "
            "assumed."
        )
    if backtest.independent_instruments is not None:
        texts.append(
            describe_independence(len(inp.data.instruments), backtest.independent_instruments)
        )
    random = backtest.random_entries
    if random is not None:
        texts.append(
            f"Of {random.paths:,} accounts with the same positions at other times, "
            f"{random.as_good:.0%} did at least as well; their median Sharpe ratio is "
            f"{random.median_sharpe:z.2f}."
        )
    if backtest.capacity is not None and inp.data.symbol not in catalog.BUILT_IN_SYMBOLS:
        texts.append(
            f"With a capital of about {backtest.capacity:,.0f}, in the currency of the prices, an "
            "entry is 1 % of the volume of a median bar; a larger one would move the price."
        )
    if inp.training.sharpe is not None and level.sharpe is not None:
        texts.append(
            f"Sharpe ratio {inp.training.sharpe:z.2f} in the walk-forward of the training, "
            f"{format_count(len(inp.training.folds), 'fold')}, and {level.sharpe:z.2f} on the "
            "holdout."
        )
    return texts
