"""The `search` designer: Optuna proposes strategies, purged walk-forward scores them.

It begins with a few simple candidates (`quant.search.space`), unless it remembers earlier trials.
It uses development bars only; `quant.search.scorer` says how a candidate is scored.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import optuna

from quant.bars.bars import Bars
from quant.learning import boosting
from quant.messages.progress import Progress, ReportProgress
from quant.messages.strategy import FeatureKind, StrategySpec
from quant.messages.trials import Trial
from quant.search.scorer import Scorer
from quant.search.space import Space, describe

TRIALS_PER_STUDY: Final = 250
KEPT_TRIALS: Final = 50


@dataclass(frozen=True)
class SearchResult:
    """The outcome of a search.

    Attributes:
        spec: The best candidate, the first one among equals.
        sharpe: Its Sharpe ratio per bar; None if no candidate traded.
        trials: All candidates, in the order of their evaluation.
        remembered: How many earlier trials the search started from.
    """

    spec: StrategySpec
    sharpe: float | None
    trials: list[Trial]
    remembered: int


def search(
    development: Bars,
    trials: int,
    seed: int,
    report: ReportProgress,
    *,
    on_trial: Callable[[Trial], None],
    earlier: Sequence[Trial] = (),
    features: Sequence[FeatureKind] = (),
    long_only: bool = False,
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

    Raises:
        InvalidInput: All these features are of a volume that the bars do not have, or there are too
            few bars.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = Space.make(len(development), features, long_only=long_only)
    if not development.has_volume:
        space = space.without_volume()
    remembered = [known for trial in earlier if (known := _to_frozen_trial(space, trial))][
        :KEPT_TRIALS
    ]
    study = _create_study(boosting.derive_seed(seed, 0), remembered)
    if not remembered:
        for parameters in space.list_first_candidates():
            study.enqueue_trial(parameters)
    scorer = Scorer(development, seed)
    evaluated: list[Trial] = []
    best: StrategySpec | None = None
    best_score = -math.inf
    for number in range(1, trials + 1):
        if number % TRIALS_PER_STUDY == 0:
            study = _create_study(boosting.derive_seed(seed, number), _select_best(study))
        proposal = study.ask()
        candidate = space.suggest(proposal)
        score = scorer.score(candidate)
        _tell(study, proposal, score)
        trial = Trial(
            number=number,
            fingerprint=candidate.trial_fingerprint(seed),
            sharpe=score,
            parameters=proposal.params,
        )
        evaluated.append(trial)
        on_trial(trial)
        if best is None or (score is not None and score > best_score):
            best, best_score = candidate, -math.inf if score is None else score
        report(
            _describe_progress(number, trials, best_score * math.sqrt(development.periods_per_year))
        )
    if best is None:
        raise ValueError("A search needs at least one trial.")
    return SearchResult(
        spec=_name_strategy(best),
        sharpe=best_score if math.isfinite(best_score) else None,
        trials=evaluated,
        remembered=len(remembered),
    )


def _create_study(seed: int, earlier: Sequence[optuna.trial.FrozenTrial]) -> optuna.Study:
    """Create a study that knows some earlier trials.

    The time and memory of a proposal grow with the trials that a study knows. A long search
    therefore moves to a new study now and then.
    """
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.add_trials(earlier)
    return study


def _to_frozen_trial(space: Space, trial: Trial) -> optuna.trial.FrozenTrial | None:
    """Convert a trial to Optuna's form; None if this space would not propose it."""
    fixed = optuna.trial.FixedTrial(trial.parameters)
    try:
        space.suggest(fixed)
    except ValueError:
        return None  # It was made with another brief or by another designer.
    if trial.sharpe is None or fixed.params.keys() != trial.parameters.keys():
        return None
    return optuna.trial.create_trial(
        params=fixed.params, distributions=fixed.distributions, value=trial.sharpe
    )


def _select_best(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    scored = [trial for trial in study.trials if trial.value is not None]
    return sorted(scored, key=lambda trial: trial.values[0], reverse=True)[:KEPT_TRIALS]


def _tell(study: optuna.Study, proposal: optuna.Trial, score: float | None) -> None:
    """Tell Optuna the outcome. A pruned trial counts as worse than any with a score."""
    if score is None:
        study.tell(proposal, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(proposal, score)


def _describe_progress(number: int, trials: int, best: float) -> Progress:
    found = math.isfinite(best)
    outcome = f"best Sharpe {best:.2f}" if found else "none traded yet"
    return Progress(
        percentage=100.0 * number / trials,
        current_step=f"Trial {number} of {trials}, {outcome}",
        items_processed=number,
        items_total=trials,
        context={"best_sharpe": best} if found else {},
    )


def _name_strategy(spec: StrategySpec) -> StrategySpec:
    return spec.model_copy(
        update={"name": f"search-{spec.fingerprint()[:8]}", "description": describe(spec)}
    )
