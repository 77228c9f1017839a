"""The texts of an assessment: observations, hypotheses, limitations."""

from typing import Final

from quant.bars import catalog
from quant.bars.bars import Bars
from quant.learning.splits import SEARCH_FOLDS
from quant.messages.curves import Curves
from quant.messages.evidence import Stability, Statistics
from quant.messages.hypotheses import Condition, Hypothesis
from quant.messages.steps import AssessmentInput, BacktestResult
from quant.wording import format_count

MANY_REPEATED_OPENS: Final = 0.2


def observations(
    inp: AssessmentInput,
    statistics: Statistics | None,
    curves: Curves | None,
    stability: Stability | None,
) -> list[str]:
    """Return what the figures show, without interpretation."""
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
        texts += _of_backtest(inp, inp.backtest, curves)
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


def hypotheses(inp: AssessmentInput, curves: Curves | None) -> list[Hypothesis]:
    """Return hypotheses that further researches could test, each derived from a figure.

    Those from the walk-forward do not depend on the holdout, nor does whether there are any: a
    designer is told of them.
    """
    found = _by_walk_forward(inp)
    if inp.backtest is not None:
        found += _by_holdout(inp, inp.backtest)
    if curves is not None:
        found += _by_direction(curves)
    return found


def limitations(
    inp: AssessmentInput, statistics: Statistics | None, curves: Curves | None
) -> list[str]:
    """Return what the result does not cover."""
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


def of_bars(bars: Bars) -> list[str]:
    """Return what whoever trades these bars should know of them."""
    if bars.repeated_open_share <= MANY_REPEATED_OPENS:
        return []
    development, holdout = bars.split()
    return [
        f"{development.repeated_open_share:.0%} of the development bars and "
        f"{holdout.repeated_open_share:.0%} of the holdout bars open at the close before them: a "
        "fill at the next open is often one at the very close that gave the signal."
    ]


def _of_backtest(
    inp: AssessmentInput, backtest: BacktestResult, curves: Curves | None
) -> list[str]:
    level, benchmark = backtest.at(1.0), backtest.benchmark
    texts = [
        "Holdout return at zero, single and double costs: "
        + ", ".join(f"{backtest.at(multiple).total_return:z.1%}" for multiple in (0, 1, 2))
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


def _by_walk_forward(inp: AssessmentInput) -> list[Hypothesis]:
    training, spec = inp.training, inp.spec
    kinds = tuple(sorted({feature.kind for feature in spec.features}))
    others = Condition(without_all_of=kinds)
    found = []
    if training.log_loss >= training.baseline_log_loss:
        found.append(
            Hypothesis(
                statement=f"{_features(kinds)} not predict the direction over "
                f"{format_count(spec.horizon, 'bar')}; other features or another horizon may.",
                test=(others, Condition(horizon_other_than=spec.horizon)),
                by_holdout=False,
            )
        )
    dominant = [name for name, share in training.feature_importance.items() if share > 0.5]
    if dominant and len(spec.features) > 1:
        kind = dominant[0].rpartition("_")[0]
        found.append(
            Hypothesis(
                statement=f"{dominant[0]} carries most of the model; it alone, or the others "
                "without it, may do as well.",
                test=(Condition(only_feature=kind), Condition(without_feature=kind)),
                by_holdout=False,
            )
        )
    anything = Hypothesis(
        statement=f"Other features than {', '.join(kinds)} may carry a signal.",
        test=(others,),
        by_holdout=False,
    )
    return found or [anything]


def _by_holdout(inp: AssessmentInput, backtest: BacktestResult) -> list[Hypothesis]:
    spec, walk_forward_sharpe = inp.spec, inp.training.sharpe
    free, level = backtest.at(0.0), backtest.at(1.0)
    found = []
    if level.total_return <= 0.0 < free.total_return:
        found.append(
            Hypothesis(
                statement="The return before costs is positive: fewer trades, through a threshold "
                f"above {spec.threshold:.1%} or a horizon of more than "
                f"{format_count(spec.horizon, 'bar')}, may "
                "keep some of it.",
                test=(
                    Condition(threshold_above=spec.threshold),
                    Condition(horizon_above=spec.horizon),
                ),
            )
        )
    if level.sharpe is None:
        return found
    if walk_forward_sharpe is not None and walk_forward_sharpe > 0.0 >= level.sharpe:
        leaves, features = spec.model.num_leaves, len(spec.features)
        found.append(
            Hypothesis(
                statement="What worked in development did not last: a simpler model, with fewer "
                f"than {leaves} leaves or {format_count(features, 'feature')}, may generalise "
                "better.",
                test=(Condition(leaves_below=leaves), Condition(features_below=features)),
            )
        )
    if level.sharpe > 0.0:
        found.append(
            Hypothesis(
                statement=f"If the effect is real, {spec.name} should be profitable on a related "
                "instrument.",
                test=(
                    Condition(same_strategy=spec.fingerprint(), other_symbol_than=inp.data.symbol),
                ),
            )
        )
    return found


def _by_direction(curves: Curves) -> list[Hypothesis]:
    long = sum(trade.profit for trade in curves.trades if trade.direction > 0)
    short = sum(trade.profit for trade in curves.trades if trade.direction < 0)
    if short < 0.0 < long:
        return [
            Hypothesis(
                statement=f"Long trades earned {long:.1%} and short ones lost {-short:.1%}: try "
                "long only.",
                test=(Condition(positions="long_only"),),
            )
        ]
    if long < 0.0 < short:
        return [
            Hypothesis(
                statement=f"Short trades earned {short:.1%} and long ones lost {-long:.1%}: the "
                "signal may mark falls better than rises."
            )
        ]
    return []


def _features(kinds: tuple[str, ...]) -> str:
    """Return features as the subject of a sentence that denies something."""
    if len(kinds) == 1:
        return f"The feature {kinds[0]} does"
    return f"The features {', '.join(kinds[:-1])} and {kinds[-1]} do"
