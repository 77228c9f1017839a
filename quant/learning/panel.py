"""The rows that one model learns from and predicts: the bars of all instruments, one after another.

A row belongs to training only if its label was known before the test began, at whatever time its
own instrument had the bars for that. So no label of any instrument reaches into a test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.bars.bars import Floats
from quant.learning.samples import Samples
from quant.learning.splits import Fold, split_walk_forward
from quant.messages.strategy import StrategySpec
from quant.strategy.features import compute_labels, count_warm_up, list_centres, name_features
from quant.strategy.table import FeatureTable
from quant.universe.universe import Places, Universe


@dataclass(frozen=True, eq=False)
class Panel:
    """Features and labels of all instruments.

    Attributes:
        universe: The bars that it is made of.
        names: Names of the features.
        centres: Centre of each feature for the mirror images that the model learns from, too, shape
            (features,); None if it learns from the rows alone.
        features: Shape (rows, features), NaN in the warm-up of each instrument.
        labels: Shape (rows,); NaN where the price is unchanged or the outcome is not known.
        times: Index of each row on the clock, shape (rows,).
        instruments: Number of the instrument of each row, shape (rows,).
        known_at: Index on the clock at which the label of each row is known, shape (rows,); the
            length of the clock if it is not.
        ready: Where all features are known, shape (rows,).
    """

    universe: Universe
    names: list[str]
    centres: Floats | None
    features: Floats
    labels: Floats
    times: Places
    instruments: Places
    known_at: Places
    ready: NDArray[np.bool_]

    @classmethod
    def make(cls, table: FeatureTable, spec: StrategySpec) -> "Panel":
        """Return the rows of a strategy.

        Args:
            table: Computes the features.
            spec: Names them, and the horizon of the labels.

        Raises:
            InvalidInput: A feature needs a volume that an instrument does not have.
        """
        universe = table.universe
        matrices = table.compute(spec)
        ready = []
        for matrix in matrices:
            rows = np.arange(len(matrix))
            ready.append(rows >= count_warm_up(matrix))
        return cls(
            universe=universe,
            names=name_features(spec),
            centres=list_centres(spec) if spec.model.mirrored else None,
            features=_join(matrices),
            labels=_join([compute_labels(each, spec.horizon) for each in universe.instruments]),
            times=_join(universe.places),
            instruments=_join(
                [np.full(len(place), number) for number, place in enumerate(universe.places)]
            ),
            known_at=_join(
                [_find_known(place, spec.horizon, len(universe)) for place in universe.places]
            ),
            ready=_join(ready),
        )

    @cached_property
    def first(self) -> int:
        """Index on the clock of the first row with all features; its length if there is none."""
        ready = self.times[self.ready]
        return int(ready.min()) if len(ready) else len(self.universe)

    def split(self, folds: int, horizon: int) -> list[Fold]:
        """Split the clock into a walk-forward.

        Raises:
            InvalidInput: Too few times are left to train the first fold.
        """
        return split_walk_forward(self.first, len(self.universe), folds=folds, horizon=horizon)

    def find_train(self, fold: Fold) -> Places:
        """Return the rows whose label is known before the test of a fold, less its embargo."""
        return np.flatnonzero(self.ready & (self.known_at < fold.known_before))

    def find_test(self, fold: Fold) -> Places:
        """Return the rows of the test of a fold."""
        tested = (self.times >= fold.test.start) & (self.times < fold.test.stop)
        return np.flatnonzero(self.ready & tested)

    def find_known(self) -> Places:
        """Return all rows whose label is known."""
        return np.flatnonzero(self.ready & (self.known_at < len(self.universe)))

    def select(self, rows: Places) -> Samples:
        """Return rows to validate on, less those without a label.

        Raises:
            InvalidInput: No row is left: the price never changed.
        """
        return Samples.select(self.features[rows], self.labels[rows], self.names)

    def select_train(self, rows: Places) -> Samples:
        """Return rows to learn from, less those without a label, and their mirror images.

        Raises:
            InvalidInput: No row is left: the price never changed.
        """
        selected = self.select(rows)
        return selected if self.centres is None else selected.add_mirror_images(self.centres)

    def spread(self, rows: Places, values: Floats, start: int, stop: int) -> Floats:
        """Put values of rows on the clock.

        Args:
            rows: Rows between `start` and `stop`, shape (some rows,).
            values: One for each, of the same shape.
            start: First index on the clock.
            stop: Index after the last.

        Returns:
            Shape (stop - start, instruments), NaN where no row says otherwise.
        """
        found = np.full((stop - start, len(self.universe.instruments)), np.nan)
        found[self.times[rows] - start, self.instruments[rows]] = values
        return found


def _find_known(place: Places, horizon: int, never: int) -> Places:
    """Return when the label of each bar is known: at the open after next horizon of its own."""
    known = np.full(len(place), never)
    later = place[1 + horizon :]
    known[: len(later)] = later
    return known


def _join(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
