"""Who scores a candidate changes nothing about it."""

import os
from typing import Any

import numpy as np
import psutil
import pytest

from errors import ComputeDied, InvalidInput
from quant.bars.bars import Bars
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from quant.messages.progress import ignore_report
from quant.messages.search import ScoredCandidate
from quant.search.proposals import Proposer
from quant.search.scorer import Scorer
from quant.search.search import make_space, search
from quant.search.team import Team
from tests.support.quant.prices import make_bars


@pytest.fixture(scope="module")
def development() -> Bars:
    return load_bars(DataSource(), None).slice(0, 1000)


def helpers() -> list[psutil.Process]:
    this = psutil.Process(os.getpid())
    return [each for each in this.children() if each.cmdline() == this.cmdline()]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_helpers_change_nothing(development: Bars) -> None:
    alone = search(development, 20, 5, ignore_report, on_trial=ignore_report)
    together = search(development, 20, 5, ignore_report, on_trial=ignore_report, helpers=2)
    assert together == alone
    assert helpers() == []


class FailsInHelpers(Scorer):
    """Fails in every process but the one that has made it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._maker = os.getpid()

    def score_candidate(self, *arguments: Any) -> ScoredCandidate:
        if os.getpid() != self._maker:
            raise InvalidInput("No helper can score this.")
        return super().score_candidate(*arguments)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_what_helpers_cannot_score_is_scored_by_the_search_itself(development: Bars) -> None:
    def score(scorer: Scorer, helpers: int) -> list[ScoredCandidate]:
        team = Team(Proposer(make_space(development), 5), scorer, helpers)
        scored = list(team.score_round(range(1, 7), ()))
        team.close()
        return sorted(scored, key=lambda each: each.trial.number)

    assert score(FailsInHelpers(development, 5), helpers=2) == score(Scorer(development, 5), 0)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("helpers", [0, 2])
def test_bars_of_which_nothing_can_be_learned_are_refused_with_helpers_too(helpers: int) -> None:
    unchanged = make_bars(np.full(1000, 100.0))
    with pytest.raises(InvalidInput, match="The price never changes"):
        search(unchanged, 20, 5, ignore_report, on_trial=ignore_report, helpers=helpers)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_death_of_a_helper_ends_the_search(development: Bars) -> None:
    team = Team(Proposer(make_space(development), 5), Scorer(development, 5), helpers=1)
    [helper] = helpers()
    helper.suspend()
    scoring = team.score_round(range(1, 9), ())
    next(scoring)
    helper.kill()
    # Dead, but not yet waited for: that is up to the team.
    os.waitid(os.P_PID, helper.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(ComputeDied, match="A helper of the search was killed by SIGKILL"):
        # What it had taken, if anything, is missing.
        list(scoring)
    team.close()
