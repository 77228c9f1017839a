from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import InvalidInput
from quant.learning.splits import MINIMUM_TRAINING_ROWS, split_walk_forward


@given(
    first=st.integers(0, 500),
    rows=st.integers(1000, 20_000),
    folds=st.integers(1, 8),
    horizon=st.integers(1, 60),
)
def test_no_training_label_reaches_into_the_test(
    first: int, rows: int, folds: int, horizon: int
) -> None:
    for fold in split_walk_forward(first, first + rows, folds=folds, horizon=horizon):
        last_label_known_at = fold.train.stop - 1 + 1 + horizon
        assert last_label_known_at < fold.test.start
        assert fold.train.start == first
        assert fold.train.stop - fold.train.start >= MINIMUM_TRAINING_ROWS


def test_the_embargo_leaves_one_percent_of_the_rows_on_top_of_the_purge() -> None:
    for fold in split_walk_forward(100, 1300, folds=5, horizon=7):
        assert fold.test.start - fold.train.stop == 7 + 1 + 12


def test_test_windows_follow_one_another_up_to_the_last_row() -> None:
    folds = split_walk_forward(33, 1003, folds=5, horizon=5)
    assert [fold.number for fold in folds] == [1, 2, 3, 4, 5]
    assert all(one.test.stop == two.test.start for one, two in pairwise(folds))
    assert folds[-1].test.stop == 1003


@pytest.mark.parametrize(("first", "stop"), [(0, 100), (400, 350), (0, 0)])
def test_too_few_rows_are_refused(first: int, stop: int) -> None:
    with pytest.raises(InvalidInput, match="too few") as refusal:
        split_walk_forward(first, stop, folds=5, horizon=5)
    assert refusal.value.field == "features"
