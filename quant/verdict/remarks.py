"""The sentences of an assessment: what the figures show, and what they do not cover."""

from typing import Final

from quant.bars import catalog
from quant.bars.bars import Bars
from quant.bars.oddities import list_oddities
from quant.learning.splits import SEARCH_FOLDS
from quant.messages.curves import Curves
from quant.messages.evidence import Stability, Statistics
from quant.messages.steps import AssessmentInput, BacktestResult
from quant.wording import format_count

MANY_REPEATED_OPENS: Final = 0.2


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
        "One instrument over one period of holdout; nothing is known about others.",
        f"Costs are assumed: {costs.commission:.3%} commission and {costs.slippage:.3%} slippage "
        "per side. Market impact, borrowing fees, interest and dividends are left out.",
        "Every fill is at the open, fully invested and without leverage.",
        "Trials and looks are counted by symbol and timeframe as far as this ledger knows them; "
        "what was tried elsewhere, or on other bars of the same market under another name, is not. "
        "The same bars under another name are.",
    ]
    if inp.design is not None and inp.design.note is not None:
        texts.append(inp.design.note)
    if inp.data.symbol in catalog.BUILT_IN_SYMBOLS:
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


def describe_bars(bars: Bars) -> list[str]:
    """Return what a trader of these bars should know; empty if there is nothing special."""
    return [*_describe_opens(bars), *_describe_volume(bars), *list_oddities(bars)]


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
        f"Maximum drawdown {level.max_drawdown:.1%}; buy and hold {benchmark.max_drawdown:.1%}.",
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
    random = backtest.random_entries
    if random is not None:
        texts.append(
            f"Of {random.paths} accounts with the same positions at random times, "
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
