"""Who scores a candidate changes nothing about it."""

import os

import psutil
import pytest

from errors import ComputeDied
from quant.bars.bars import Bars
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from quant.messages.progress import ignore_report
from quant.search.proposals import Proposer
from quant.search.scorer import Scorer
from quant.search.search import make_space, search
from quant.search.team import Team


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
