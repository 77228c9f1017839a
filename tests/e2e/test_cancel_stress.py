"""The benchmark of cancelling in a short form: what must be nothing is nothing here too."""

import pytest

from bench.cancel import leaks, stress
from bench.cancel.stack import bench_stack
from bench.figures import Figure

pytestmark = pytest.mark.long

_RANDOM_MOMENTS = 24
_CANCELS_AND_FAILURES = 6
_SLOTS = 4


async def test_no_cancel_at_a_random_moment_is_lost() -> None:
    async with bench_stack(slots=32) as bench:
        outcome = await stress.guarded(bench, _RANDOM_MOMENTS)
    # How many moments fall behind the end depends on the machine; most of the rest must be cancels.
    assert outcome.accepted() >= _RANDOM_MOMENTS / 4
    assert outcome.lost() == 0, outcome.outcomes
    assert outcome.refused_wrongly() == 0, outcome.outcomes
    assert outcome.unexpected() == outcome.unanswered(), outcome.outcomes


async def test_cancels_and_failures_leave_nothing_behind() -> None:
    figures = await leaks.measure(_CANCELS_AND_FAILURES, warm_up=0, slots=_SLOTS)
    counted = [figure for figure in figures if figure.target == 0]
    assert len(counted) == len(("processes", "workflows", "activities", "files", "slots"))
    assert [_shown(figure) for figure in counted if figure.value] == []


def _shown(figure: Figure) -> str:
    return f"{figure.name}: {figure.value}"
