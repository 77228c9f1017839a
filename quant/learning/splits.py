"""Purged and embargoed walk-forward splits.

After López de Prado, *Advances in Financial Machine Learning* (2018), chapter 7. A training row
whose label overlaps the test period would leak it, so such rows are purged. The embargo is a
further gap, left because neighbouring bars are correlated.
"""

from dataclasses import dataclass
from typing import Final

from errors import InvalidInput

# A search scores many candidates with few folds; a training measures one model with more.
SEARCH_FOLDS: Final = 3
TRAINING_FOLDS: Final = 5
EMBARGO_FRACTION: Final = 0.01
MINIMUM_TRAINING_ROWS: Final = 30


@dataclass(frozen=True)
class Fold:
    """One step of a walk-forward. The slices are of the clock; training ends before the test.

    Attributes:
        number: Counted from 1.
        train: Bars to train on. All their labels are known before the test starts.
        test: Bars to predict.
        known_before: Index before which all labels of the training are known: the start of the
            test, less the embargo.
    """

    number: int
    train: slice
    test: slice
    known_before: int


def count_scored_bars(bars: int) -> int:
    """Return on how many of so many development bars a search scores, with no warm-up.

    The first block is for training alone.
    """
    return bars - bars // (SEARCH_FOLDS + 1)


def split_walk_forward(first: int, stop: int, *, folds: int, horizon: int) -> list[Fold]:
    """Split rows into an expanding training window and consecutive test windows.

    The rows form `folds` + 1 blocks of equal length; the last one takes the remainder. Fold k tests
    on block k + 1. It trains on all rows before that block, less the purged rows and an embargo of
    1 % of all rows.

    Args:
        first: Index of the first row with all features.
        stop: Number of rows.
        folds: Number of tests.
        horizon: The label of row t is known at row t + 1 + horizon.

    Raises:
        InvalidInput: Too few rows are left to train the first fold.
    """
    rows = max(stop - first, 0)
    block = rows // (folds + 1)
    embargo = round(rows * EMBARGO_FRACTION)
    gap = horizon + 1 + embargo
    if block - gap < MINIMUM_TRAINING_ROWS:
        raise InvalidInput(
            f"After {first} bars of warm-up for the features, {rows} development bars remain; "
            f"that is too few for {folds} walk-forward folds with a horizon of {horizon}. "
            "Use shorter periods, a shorter horizon or more bars.",
            field="features",
        )
    starts = [first + block * number for number in range(1, folds + 1)]
    stops = [*starts[1:], stop]
    return [
        Fold(
            number,
            train=slice(first, test_start - gap),
            test=slice(test_start, test_stop),
            known_before=test_start - embargo,
        )
        for number, (test_start, test_stop) in enumerate(zip(starts, stops, strict=True), start=1)
    ]
