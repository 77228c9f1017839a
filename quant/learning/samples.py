"""Rows with labels, for a model to learn from. LightGBM is not loaded for them."""

from dataclasses import dataclass

import numpy as np

from errors import InvalidInput
from quant.bars.bars import Floats


@dataclass(frozen=True)
class Samples:
    """Rows to learn from or to validate on.

    Attributes:
        features: Shape (rows, features); no NaN.
        labels: Shape (rows,): 0.0 or 1.0, no NaN.
        names: Names of the features, one per column.
    """

    features: Floats
    labels: Floats
    names: list[str]

    @classmethod
    def select(cls, features: Floats, labels: Floats, names: list[str]) -> "Samples":
        """Return the rows whose label is known, of features (rows, features), labels (rows,).

        Raises:
            InvalidInput: No row is left: the price never changed.
        """
        known = ~np.isnan(labels)
        if not known.any():
            raise InvalidInput(
                "The price never changes over the horizon in a part of the development bars, so "
                "there is nothing to learn. Use other bars or a longer horizon.",
                field="symbol",
            )
        if known.all():
            return cls(features, labels, names)
        return cls(features[known], labels[known], names)

    def add_mirror_images(self, centres: Floats) -> "Samples":
        """Return these rows, and each as it would be if every rise were a fall.

        Args:
            centres: Value of each feature without rise or fall, shape (features,); NaN for one that
                does not tell them apart.
        """
        images = np.where(np.isnan(centres), self.features, 2.0 * centres - self.features)
        return Samples(
            np.concatenate([self.features, images]),
            np.concatenate([self.labels, 1.0 - self.labels]),
            self.names,
        )

    def __len__(self) -> int:
        return len(self.labels)
