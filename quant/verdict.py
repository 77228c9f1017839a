"""The verdict on a strategy, and what can be said about it in words."""

from typing import Final

from quant.curves import Curves
from quant.hypotheses import Condition, Hypothesis, Verdict
from quant.models import AssessmentInput, BacktestResult, Statistics

DEFLATED_SHARPE: Final = 0.95
P_VALUE: Final = 0.05
PROBABILISTIC_SHARPE: Final = 0.90


def decide(statistics: Statistics | None, backtest: BacktestResult | None) -> Verdict:
    """Return the verdict: the first row of this table whose condition holds.

    ========== ===================================================================================
    no_signal  a gate stopped the research (no statistics), no trades, or Sharpe ratio <= 0
    promising  deflated Sharpe >= 0.95, SPA p-value <= 0.05, return > 0 at 1x and at 2x cost
    mediocre   probabilistic Sharpe >= 0.90, return > 0 at 1x cost
    poor       everything else
    ========== ===================================================================================
    """
    if statistics is None or backtest is None:
        return "no_signal"
    level = backtest.at(1.0)
    if level.trades == 0 or statistics.sharpe <= 0.0:
        return "no_signal"
    profitable = level.total_return > 0.0
    if (
        profitable
        and backtest.at(2.0).total_return > 0.0
        and statistics.deflated_sharpe >= DEFLATED_SHARPE
        and statistics.p_value <= P_VALUE
    ):
        return "promising"
    if profitable and statistics.probabilistic_sharpe >= PROBABILISTIC_SHARPE:
        return "mediocre"
    return "poor"


def summary(inp: AssessmentInput, statistics: Statistics | None) -> str:
    """Return two plain sentences with the figures that the verdict rests on."""
    if statistics is None or inp.backtest is None:
        return (
            f"The research ended at a gate: {inp.gate_rejection}. "
            f"In walk-forward on development data the log loss was {inp.training.log_loss:.4f}, "
            f"against {inp.training.baseline_log_loss:.4f} for the base rate."
        )
    level, benchmark = inp.backtest.at(1.0), inp.backtest.benchmark
    return (
        f"On the holdout {inp.spec.name} returned {level.total_return:.1%} after costs in "
        f"{level.trades} trades, with a Sharpe ratio of {statistics.sharpe:.2f} (95 % interval "
        f"{statistics.sharpe_low:.2f} to {statistics.sharpe_high:.2f}); buy and hold returned "
        f"{benchmark.total_return:.1%}. "
        f"The chance that it is better than the best of {statistics.trials_ever} worthless "
        f"candidates is {statistics.deflated_sharpe:.0%}, and the p-value against not trading is "
        f"{statistics.p_value:.3f}."
    )


def observations(inp: AssessmentInput, statistics: Statistics | None) -> list[str]:
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
        level, benchmark = inp.backtest.at(1.0), inp.backtest.benchmark
        texts += [
            "Holdout return at zero, single and double costs: "
            + ", ".join(f"{inp.backtest.at(multiple).total_return:.1%}" for multiple in (0, 1, 2))
            + ".",
            f"A position was held at {level.exposure:.0%} of the bars; {level.turnover:.1f} times "
            "the capital was traded per year.",
            f"Maximum drawdown {level.max_drawdown:.1%}, of buy and hold "
            f"{benchmark.max_drawdown:.1%}.",
        ]
        if training.sharpe is not None and level.sharpe is not None:
            texts.append(
                f"Sharpe ratio {training.sharpe:.2f} in walk-forward and {level.sharpe:.2f} on "
                "the holdout."
            )
    if statistics is not None:
        texts.append(
            f"The best of {statistics.trials_ever} worthless candidates would be expected to show "
            f"a Sharpe ratio of {statistics.expected_best_sharpe:.2f}."
        )
    return texts


def hypotheses(inp: AssessmentInput, curves: Curves | None) -> list[Hypothesis]:
    """Return hypotheses that further researches could test, each from a figure."""
    training, spec = inp.training, inp.spec
    kinds = tuple(sorted({feature.kind for feature in spec.features}))
    others = Condition(without_all_of=kinds)
    found = []
    if training.log_loss >= training.baseline_log_loss:
        found.append(
            Hypothesis(
                statement=f"{', '.join(kinds)} do not predict the direction over {spec.horizon} "
                "bars; other features or another horizon may.",
                test=(others, Condition(horizon_other_than=spec.horizon)),
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
            )
        )
    if inp.backtest is not None:
        found += _by_holdout(inp, inp.backtest)
    if curves is not None:
        found += _by_direction(curves)
    anything = Hypothesis(
        statement=f"Other features than {', '.join(kinds)} may carry a signal.", test=(others,)
    )
    return found or [anything]


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
        f"All researches on these bars share the holdout; {inp.trials_ever} candidates have been "
        "tried on them, and trials made elsewhere are not known.",
    ]
    if inp.design is not None and inp.design.note is not None:
        texts.append(inp.design.note)
    if inp.data.symbol in ("SP500", "NASDAQ"):
        texts.append("An index cannot be traded itself; a fund or future on it differs.")
    needed = statistics.minimum_track_record if statistics is not None else None
    if needed is not None and curves is not None and needed > len(curves.returns):
        texts.append(
            f"About {needed:,.0f} bars of such returns would be needed to tell the Sharpe ratio "
            f"from zero; the holdout has {len(curves.returns):,}."
        )
    return texts


def _by_holdout(inp: AssessmentInput, backtest: BacktestResult) -> list[Hypothesis]:
    spec, walk_forward_sharpe = inp.spec, inp.training.sharpe
    free, level = backtest.at(0.0), backtest.at(1.0)
    found = []
    if level.total_return <= 0.0 < free.total_return:
        found.append(
            Hypothesis(
                statement="The return before costs is positive: fewer trades, by a threshold "
                f"above {spec.threshold:.1%} or a horizon of more than {spec.horizon} bars, may "
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
                f"than {leaves} leaves or {features} features, may generalise better.",
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
