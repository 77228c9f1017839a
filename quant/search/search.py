"""The `search` designer: Optuna proposes strategies, purged walk-forward scores them.

It begins with a few simple candidates (`quant.search.space`), unless it remembers better ones.
Only development bars are used. A candidate's score is the Sharpe ratio per bar of trading its
out-of-fold predictions after 1x cost; a candidate that hardly trades has none and loses: holding
one position for years may pay, but cannot be distinguished from chance.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import optuna

from quant.backtest.account import Account
from quant.backtest.metrics import sharpe
from quant.bars.bars import Bars, Floats
from quant.learning import boosting
from quant.learning.boosting import Samples
from quant.learning.splits import SEARCH_FOLDS, Fold, split_walk_forward
from quant.learning.training import trade
from quant.messages.progress import Progress, ReportProgress
from quant.messages.strategy import StrategySpec
from quant.messages.trials import Trial
from quant.search.space import Space, describe
from quant.strategy.features import FeatureTable, compute_labels, count_warm_up, name_features

# A candidate needs one round trip per this many bars. The gate on the holdout requires far fewer.
BARS_PER_TRADE: Final = 100
TRIALS_PER_STUDY: Final = 250
KEPT_TRIALS: Final = 50


@dataclass(frozen=True)
class Found:
    """Outcome of a search.

    Attributes:
        spec: The best candidate, the first one among equals.
        sharpe: Its Sharpe ratio per bar; None if no candidate traded.
        trials: All candidates in the order of their evaluation.
        remembered: How many earlier trials the search started from.
    """

    spec: StrategySpec
    sharpe: float | None
    trials: list[Trial]
    remembered: int


class Scorer:
    """Scores candidates on the same bars; features and equal candidates are computed once."""

    def __init__(self, development: Bars, seed: int) -> None:
        self._bars = development
        self._seed = seed
        self._table = FeatureTable(development)
        self._known: dict[str, float | None] = {}

    def score(self, spec: StrategySpec) -> float | None:
        """Return the out-of-fold Sharpe ratio per bar after 1x cost; None if it hardly trades.

        Raises:
            InvalidInput: Too few bars for the features and the horizon.
        """
        fingerprint = spec.fingerprint()
        if fingerprint not in self._known:
            run = self._trade(spec)
            trades = keeps_trading(run.positions[:, 0])
            self._known[fingerprint] = sharpe(run.returns) if trades else None
        return self._known[fingerprint]

    def _trade(self, spec: StrategySpec) -> Account:
        features = self._table.compute(spec)
        outcome = compute_labels(self._bars, spec.horizon)
        names = name_features(spec)
        folds = split_walk_forward(
            count_warm_up(features), len(self._bars), folds=SEARCH_FOLDS, horizon=spec.horizon
        )

        def predict(fold: Fold) -> Floats:
            model = boosting.grow(
                "",
                Samples(features[fold.train], outcome[fold.train], names),
                None,
                spec.model,
                iterations=spec.model.num_iterations,
                seed=boosting.derive_seed(self._seed, fold.number),
            )
            return boosting.predict(model, features[fold.test])

        # The last fold trains on as many rows as the others together, so if it starts first, two
        # threads end at the same time. LightGBM computes without Python's lock.
        with ThreadPoolExecutor(2) as threads:
            probabilities = list(threads.map(predict, reversed(folds)))[::-1]
        tested = self._bars.slice(folds[0].test.start, len(self._bars))
        return trade(tested, np.concatenate(probabilities), spec)


def keeps_trading(positions: Floats) -> bool:
    """Whether an account with these positions traded often enough in every part of the period.

    Args:
        positions: Weight held at each close, shape (bars,).
    """
    changes = np.append(np.diff(positions) != 0, False)
    # A round trip is two changes of the position.
    return all(
        part.sum() * BARS_PER_TRADE >= 2 * len(part)
        for part in np.array_split(changes, SEARCH_FOLDS)
    )


def search(
    development: Bars,
    trials: int,
    seed: int,
    brief: str | None,
    report: ReportProgress,
    *,
    tried: Callable[[Trial], None],
    earlier: Sequence[Trial] = (),
) -> Found:
    """Evaluate candidates and return the best.

    Args:
        development: Bars to score on; the holdout must not be among them.
        trials: How many candidates.
        seed: Seed of the proposals and of the models.
        brief: Free text; see `quant.search.space` for the keywords.
        report: Called after every trial.
        tried: Called with every trial as soon as it is made.
        earlier: Trials on the same bars to start from, the best first.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = Space.from_brief(brief, len(development))
    remembered = [known for trial in earlier if (known := _remember(space, trial))][:KEPT_TRIALS]
    study = _study(boosting.derive_seed(seed, 0), remembered)
    if not remembered:
        for parameters in space.list_first_candidates():
            study.enqueue_trial(parameters)
    scorer = Scorer(development, seed)
    evaluated: list[Trial] = []
    best: StrategySpec | None = None
    best_score = -math.inf
    for number in range(1, trials + 1):
        if number % TRIALS_PER_STUDY == 0:
            study = _study(boosting.derive_seed(seed, number), _best(study))
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
        tried(trial)
        if best is None or (score is not None and score > best_score):
            best, best_score = candidate, -math.inf if score is None else score
        report(_progress(number, trials, best_score * math.sqrt(development.periods_per_year)))
    if best is None:
        raise ValueError("A search needs at least one trial.")
    return Found(
        spec=_named(best),
        sharpe=best_score if math.isfinite(best_score) else None,
        trials=evaluated,
        remembered=len(remembered),
    )


def _study(seed: int, earlier: Sequence[optuna.trial.FrozenTrial]) -> optuna.Study:
    """Start a study that knows some earlier trials.

    Proposals take time and memory in proportion to the trials that a study knows, so a long search
    moves to a new study now and then.
    """
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.add_trials(earlier)
    return study


def _remember(space: Space, trial: Trial) -> optuna.trial.FrozenTrial | None:
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


def _best(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    scored = [trial for trial in study.trials if trial.value is not None]
    return sorted(scored, key=lambda trial: trial.values[0], reverse=True)[:KEPT_TRIALS]


def _tell(study: optuna.Study, proposal: optuna.Trial, score: float | None) -> None:
    """Report the outcome to Optuna; a pruned trial counts as worse than any with a score."""
    if score is None:
        study.tell(proposal, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(proposal, score)


def _progress(number: int, trials: int, best: float) -> Progress:
    found = math.isfinite(best)
    outcome = f"best Sharpe {best:.2f}" if found else "none traded yet"
    return Progress(
        percentage=100.0 * number / trials,
        current_step=f"Trial {number} of {trials}, {outcome}",
        items_processed=number,
        items_total=trials,
        context={"best_sharpe": best} if found else {},
    )


def _named(spec: StrategySpec) -> StrategySpec:
    return spec.model_copy(
        update={"name": f"search-{spec.fingerprint()[:8]}", "description": describe(spec)}
    )
