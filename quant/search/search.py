"""The `search` designer: Optuna proposes strategies, purged walk-forward scores them.

It begins with a few simple candidates (`quant.search.space`), unless it remembers earlier trials.
It uses development bars only; `quant.search.scorer` says how a candidate is scored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quant.backtest.metrics import annualise
from quant.bars.bars import Bars
from quant.learning.splits import count_scored_bars
from quant.messages.progress import ReportProgress
from quant.messages.record.trials import Trial
from quant.messages.search import ScoredCandidate
from quant.messages.strategy import FeatureKind, StrategySpec
from quant.search.plan import SearchPlan
from quant.search.progress import Scale, describe_search
from quant.search.proposals import Proposer
from quant.search.records import select_known
from quant.search.scorer import Scorer
from quant.search.space import Space, describe
from quant.search.team import Team
from quant.universe.universe import Universe


@dataclass(frozen=True)
class SearchResult:
    """The outcome of a search.

    Attributes:
        spec: The best candidate, the first one among equals.
        sharpe: Its Sharpe ratio per bar; None if no candidate traded.
        trials: All candidates, in the order of their numbers.
        remembered: How many earlier trials the search started from.
    """

    spec: StrategySpec
    sharpe: float | None
    trials: list[Trial]
    remembered: int


def search(
    development: Universe | Bars,
    trials: int,
    seed: int,
    report: ReportProgress,
    *,
    on_trial: Callable[[Trial], None],
    earlier: Sequence[Trial] = (),
    features: Sequence[FeatureKind] = (),
    long_only: bool = False,
    plan: SearchPlan | None = None,
    bars: int | None = None,
    helpers: int = 0,
) -> SearchResult:
    """Evaluate candidates and return the best.

    Args:
        development: Bars to score on; the holdout must not be among them.
        trials: Number of candidates.
        seed: Seed of the proposals and of the models.
        report: Called after every trial.
        on_trial: Called with every trial as soon as it is scored.
        earlier: Trials on the same bars to start from, the best first.
        features: Kinds of features to choose from; empty for all.
        long_only: Whether short positions are ruled out.
        plan: How the search is cut into rounds.
        bars: Number of all bars of all instruments, on which the plan depends; of the development
            bars by default.
        helpers: How many more processes score candidates. They change nothing about the result.

    Raises:
        InvalidInput: All these features are of a volume that the bars do not have, or there are too
            few bars.
    """
    proposer = Proposer(make_space(development, features, long_only=long_only), seed, earlier)
    team = Team(proposer, Scorer(development, seed), helpers)
    scale = Scale(count_scored_bars(len(development)), development.periods_per_year)
    rows = bars or Universe.of(development).rows
    known: list[Trial] = []
    evaluated: list[Trial] = []
    best: ScoredCandidate | None = None
    try:
        for each in (plan or SearchPlan()).cut_into_rounds(trials, rows):
            scored: list[Trial] = []
            for candidate in team.score_round(each.numbers, known):
                scored.append(candidate.trial)
                on_trial(candidate.trial)
                best = candidate if best is None or candidate.rank > best.rank else best
                report(
                    describe_search(
                        len(evaluated) + len(scored),
                        trials,
                        annualise(best.trial.sharpe, development.periods_per_year),
                        scale,
                    )
                )
            scored.sort(key=lambda trial: trial.number)
            evaluated += scored
            known = select_known(known, scored)
    finally:
        team.close()
    if best is None:
        raise ValueError("A search needs at least one trial.")
    return SearchResult(
        spec=name_strategy(best.spec),
        sharpe=best.trial.sharpe,
        trials=evaluated,
        remembered=proposer.remembered,
    )


def make_space(
    development: Universe | Bars, features: Sequence[FeatureKind] = (), *, long_only: bool = False
) -> Space:
    """Return the search space for these bars.

    Args:
        development: Bars to score on.
        features: Kinds of features to choose from; empty for all.
        long_only: Whether short positions are ruled out.

    Raises:
        InvalidInput: All these features are of a volume that the bars do not have.
    """
    space = Space.make(len(development), features, long_only=long_only)
    return space if development.has_volume else space.without_volume()


def name_strategy(spec: StrategySpec) -> StrategySpec:
    """Return a candidate with a name and a description of its own."""
    return spec.model_copy(
        update={"name": f"search-{spec.fingerprint()[:8]}", "description": describe(spec)}
    )
