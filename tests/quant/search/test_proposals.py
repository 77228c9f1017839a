"""A round is proposed as Optuna's own study would propose it, candidate by candidate."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import optuna
import pytest
from optuna.distributions import BaseDistribution

from quant.learning.boosting import derive_seed
from quant.messages.record.trials import Trial
from quant.search.plan import SearchPlan
from quant.search.proposals import Proposer
from quant.search.space import Parameters, Space

BARS = 4_000
SPACES = {
    "all features": Space.make(BARS),
    "long only": Space.make(BARS, long_only=True),
    "one feature": Space.make(BARS, ("rsi",)),
    "one period": replace(Space.make(BARS), periods=(5,)),
}


class OwnSampler(optuna.samplers.TPESampler):
    """Chooses those parameters together that all known trials have."""

    def infer_relative_search_space(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,  # noqa: ARG002 - of the base class
    ) -> dict[str, BaseDistribution]:
        return optuna.search_space.intersection_search_space(
            study.get_trials(deepcopy=False, states=TOLD), include_pruned=True
        )


TOLD = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)


def propose_by_optuna(space: Space, seed: int, known: Sequence[Trial], number: int) -> Parameters:
    study = optuna.create_study(direction="maximize", sampler=OwnSampler(seed=0))
    for trial in known:
        fixed = optuna.trial.FixedTrial(trial.parameters)
        space.suggest(fixed)
        study.add_trial(
            optuna.trial.create_trial(
                state=TOLD[trial.sharpe is None],
                params=fixed.params,
                distributions=fixed.distributions,
                value=trial.sharpe,
            )
        )
    study.sampler = OwnSampler(seed=derive_seed(seed, number))
    asked = study.ask()
    space.suggest(asked)
    return dict(asked.params)


def search(space: Space, seed: int, trials: int) -> Iterator[tuple[list[Trial], Parameters, int]]:
    """Yield what was known, what was proposed and its number."""
    proposer, chance = Proposer(space, seed), random.Random(seed)
    known: list[Trial] = []
    for each in SearchPlan().cut_into_rounds(trials, BARS):
        proposer.learn(known)
        new = []
        for number in each.numbers:
            _, parameters = proposer.propose(number)
            yield known, parameters, number
            sharpe = None if chance.random() < 0.2 else chance.gauss(0.0, 0.05)
            fingerprint = str(number)
            new.append(
                Trial(number=number, fingerprint=fingerprint, sharpe=sharpe, parameters=parameters)
            )
        known = [*known, *new]


@pytest.mark.parametrize("name", SPACES)
def test_optuna_proposes_the_same(name: str) -> None:
    space = SPACES[name]
    compared = 0
    for known, parameters, number in search(space, 3, 40):
        if number > len(space.list_first_candidates()):
            assert list(propose_by_optuna(space, 3, known, number).items()) == list(
                parameters.items()
            )
            compared += 1
    assert compared > 20


def test_what_was_proposed_before_changes_nothing() -> None:
    space = SPACES["all features"]
    [*_, (known, parameters, number)] = search(space, 3, 40)
    alone = Proposer(space, 3)
    alone.learn(known)
    assert alone.propose(number)[1] == parameters
