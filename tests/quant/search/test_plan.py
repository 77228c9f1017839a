"""How searches are cut."""

import pytest

from quant.messages.record.trials import MAX_TRIALS
from quant.search.plan import SearchPlan, Span

PLAN = SearchPlan()
# Scheduled, started, ended, and a workflow task of three events.
EVENTS_PER_SLICE = 6


@pytest.mark.parametrize("bars", [350, 5_000, 500_000, 5_000_000])
@pytest.mark.parametrize("trials", [1, 12, 100, 333, 5_000, MAX_TRIALS])
def test_every_trial_is_in_one_slice_of_one_round(trials: int, bars: int) -> None:
    rounds = PLAN.cut_into_rounds(trials, bars)
    slices = [part for each in rounds for part in PLAN.cut_into_slices(each, bars)]
    for cut in (rounds, slices):
        assert [number for each in cut for number in each.numbers] == list(range(1, trials + 1))
    assert EVENTS_PER_SLICE * len(slices) < 12_000


def test_the_default_search_is_not_cut_and_one_that_takes_longer_is() -> None:
    assert PLAN.is_small(12, 5_000)
    assert PLAN.is_small(100, 5_000)
    assert not PLAN.is_small(300, 5_000)
    assert not PLAN.is_small(100, 500_000)


def test_slices_at_the_end_of_a_round_are_not_longer() -> None:
    sizes = [len(each) for each in PLAN.cut_into_slices(Span(1, 2_500), 500_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-2]
