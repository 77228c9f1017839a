"""Hypotheses that the figures of a research suggest."""

from quant.messages.record.hypotheses import Condition, Hypothesis
from quant.messages.report.curves import Curves
from quant.messages.steps import AssessmentInput, BacktestResult
from quant.wording import format_count


def suggest_hypotheses(inp: AssessmentInput, curves: Curves | None) -> list[Hypothesis]:
    """Return hypotheses for further researches to test, each derived from a figure.

    A designer is shown the hypotheses of the walk-forward. Neither they nor their number depend on
    the holdout.
    """
    found = _suggest_by_walk_forward(inp)
    if inp.backtest is not None:
        found += _suggest_by_holdout(inp, inp.backtest)
    if curves is not None:
        found += _suggest_by_direction(curves)
    return found


def _suggest_by_walk_forward(inp: AssessmentInput) -> list[Hypothesis]:
    training, spec = inp.training, inp.spec
    kinds = tuple(sorted({feature.kind for feature in spec.features}))
    others = Condition(without_all_of=kinds)
    found = []
    if training.log_loss >= training.baseline_log_loss:
        found.append(
            Hypothesis(
                statement=f"{_name_features(kinds)} not predict the direction over "
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


def _suggest_by_holdout(inp: AssessmentInput, backtest: BacktestResult) -> list[Hypothesis]:
    spec, walk_forward_sharpe = inp.spec, inp.training.sharpe
    free, level = backtest.get_level(0.0), backtest.get_level(1.0)
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


def _suggest_by_direction(curves: Curves) -> list[Hypothesis]:
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


def _name_features(kinds: tuple[str, ...]) -> str:
    """Return the subject and the auxiliary verb of a sentence about features."""
    if len(kinds) == 1:
        return f"The feature {kinds[0]} does"
    return f"The features {', '.join(kinds[:-1])} and {kinds[-1]} do"
