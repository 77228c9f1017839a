"""Proposes the candidates of a round, by a study that knows the results of all earlier rounds.

Every candidate has a seed of its own. So whoever proposes it, alone or with others, proposes the
same.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, _get_single_value
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.sampler import _split_trials, default_gamma

from quant.learning import boosting
from quant.messages.record.trials import Trial
from quant.messages.strategy import StrategySpec
from quant.search.records import KEPT_BEST
from quant.search.space import Parameters, ParameterValue, Space

_NO_TRIAL: Final = optuna.trial.create_trial(state=optuna.trial.TrialState.WAITING)


class Proposer:
    """Proposes candidates of one search.

    Args:
        space: What to choose from.
        seed: Seed of the search.
        remembered: Trials of earlier searches to start from, the best first; others than of this
            space are left out.
    """

    def __init__(self, space: Space, seed: int, remembered: Sequence[Trial] = ()) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        self._seed = seed
        self._remembered = list(_convert_remembered(space, remembered))[:KEPT_BEST]
        self._first = [] if self._remembered else space.list_first_candidates()
        self._known: list[int] = []
        self._start_study(())

    @property
    def remembered(self) -> int:
        """How many earlier trials the search starts from."""
        return len(self._remembered)

    def learn(self, known: Sequence[Trial]) -> None:
        """Begin a round.

        Args:
            known: What `select_known` has selected of the earlier rounds.
        """
        numbers = [trial.number for trial in known]
        if numbers[: len(self._known)] == self._known:
            self._add(known[len(self._known) :])
        else:
            self._start_study(known)

    def propose(self, number: int) -> tuple[StrategySpec, Parameters]:
        """Return the candidate with this number, counted from 1, and its parameters."""
        if number <= len(self._first):
            fixed = optuna.trial.FixedTrial(self._first[number - 1])
            return self._space.suggest(fixed), dict(fixed.params)
        seed = boosting.derive_seed(self._seed, number)
        candidate = self._study.ask(seed)
        return self._space.suggest(candidate), dict(candidate.params)

    def _start_study(self, known: Sequence[Trial]) -> None:
        self._known = []
        self._told = list(self._remembered)
        self._add(known)

    def _add(self, known: Sequence[Trial]) -> None:
        self._told += [_convert(self._space, trial) for trial in known]
        self._known += [trial.number for trial in known]
        self._study = _Study(self._told)


class _Study:
    """What is known at the beginning of a round.

    It proposes what Optuna's TPESampler would propose for the same trials and seed. But all
    candidates of a round have the same study: what the sampler derives from the trials is derived
    once for all of them, and nothing is stored of what is only proposed. That takes a quarter of
    the time. Candidates that are still being scored do not count (`constant_liar`): which ones
    those are depends on who scores.

    Args:
        told: The known trials.
    """

    def __init__(self, told: Sequence[optuna.trial.FrozenTrial]) -> None:
        self._sampler = optuna.samplers.TPESampler(seed=0, constant_liar=False)
        self._study = optuna.create_study(direction="maximize")
        self._told = list(told)
        for number, trial in enumerate(self._told):
            trial.number = number
        # The parameters that all known trials have are chosen together, the others one by one. In
        # one space a parameter always has the same distribution.
        self._is_random = len(self._told) < self._sampler._n_startup_trials
        self._shared: dict[str, BaseDistribution] = {}
        if not self._is_random:
            first, *others = (trial.distributions for trial in self._told)
            shared = set(first).intersection(*others)
            self._shared = {name: first[name] for name in sorted(shared)}
        self._fitted: dict[tuple[str, ...], tuple[_ParzenEstimator, _ParzenEstimator]] = {}

    def ask(self, seed: int) -> "_Candidate":
        """Return a new candidate."""
        return _Candidate(self, seed)

    def choose_shared(self, rng: np.random.RandomState) -> Parameters:
        """Return values for the parameters that all known trials have."""
        return self._sample(self._shared, rng) if self._shared else {}

    def choose(
        self, name: str, distribution: BaseDistribution, candidate: "_Candidate"
    ) -> ParameterValue:
        """Return a value for one parameter."""
        if not self._is_random:
            return self._sample({name: distribution}, candidate.rng)[name]
        # The random sampler takes no notice of trials.
        chosen: ParameterValue = candidate.random.sample_independent(
            self._study, _NO_TRIAL, name, distribution
        )
        return chosen

    def _sample(self, space: dict[str, BaseDistribution], rng: np.random.RandomState) -> Parameters:
        """Return the values that, of some that good trials suggest, are least like the others."""
        good, others = self._fit(space)
        samples = good.sample(rng, self._sampler._n_ei_candidates)
        gains = self._sampler._compute_acquisition_func(samples, good, others)
        best = self._sampler._compare(samples, gains)
        return {name: each.to_external_repr(best[name]) for name, each in space.items()}

    def _fit(self, space: dict[str, BaseDistribution]) -> tuple[_ParzenEstimator, _ParzenEstimator]:
        """Return the densities of these parameters in the good trials and in the others."""
        names = tuple(space)
        if names not in self._fitted:
            split = _split_trials(self._study, self._told, default_gamma(len(self._told)))
            good, others = (
                self._sampler._build_parzen_estimator(
                    self._study, space, trials, handle_below=below
                )
                for trials, below in zip(split, (True, False), strict=True)
            )
            self._fitted[names] = good, others
        return self._fitted[names]


class _Candidate(optuna.trial.FixedTrial):
    """A candidate whose values are chosen when they are asked for.

    Args:
        study: Chooses them.
        seed: Seed of the candidate.
    """

    def __init__(self, study: _Study, seed: int) -> None:
        super().__init__({})
        self._study = study
        self.rng = np.random.RandomState(seed)
        self.random = optuna.samplers.RandomSampler(seed=seed)
        self._shared: Parameters | None = None

    def _suggest(self, name: str, distribution: BaseDistribution) -> Any:
        if name not in self._params:
            self._params[name] = self._choose(name, distribution)
        return super()._suggest(name, distribution)

    def _choose(self, name: str, distribution: BaseDistribution) -> Any:
        if distribution.single():
            return _get_single_value(distribution)
        if self._shared is None:
            self._shared = self._study.choose_shared(self.rng)
        if name in self._shared:
            return self._shared[name]
        return self._study.choose(name, distribution, self)


def _convert(space: Space, trial: Trial) -> optuna.trial.FrozenTrial:
    """Convert a trial to Optuna's form. One without a score counts as worse than any other."""
    fixed = optuna.trial.FixedTrial(trial.parameters)
    space.suggest(fixed)
    scored = trial.sharpe is not None
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.COMPLETE if scored else optuna.trial.TrialState.PRUNED,
        params=fixed.params,
        distributions=fixed.distributions,
        value=trial.sharpe,
    )


def _convert_remembered(
    space: Space, trials: Sequence[Trial]
) -> Iterator[optuna.trial.FrozenTrial]:
    """Yield those trials that have a score and that this space could propose.

    The others were made with another brief or by another designer. Earlier versions mirrored none,
    and did not say so.
    """
    for trial in trials:
        parameters = {"mirrored": False, **trial.parameters}
        fixed = optuna.trial.FixedTrial(parameters)
        try:
            space.suggest(fixed)
        except ValueError:
            continue
        if trial.sharpe is not None and fixed.params.keys() | {"mirrored"} == parameters.keys():
            yield _convert(space, trial.model_copy(update={"parameters": parameters}))
