"""Proposes the next generation of researches from the development scores of the last one.

The earlier system called this `evolve`. Nothing of the holdout enters: neither a figure, nor a
verdict, which rests on it.
"""

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from quant.messages.campaign import Offspring
from quant.messages.steps import MAX_SEED
from quant.messages.strategy import FeatureKind

_SURVIVING_SHARE: Final = 0.5
_MUTATED: Final = 0.5
"""How often a feature is dropped, and how often one is added."""


@dataclass(frozen=True)
class Parent:
    """A research of the last generation.

    Attributes:
        cell: Its combination of symbol, brief and designer. Only within it are scores compared.
        score: Annualised Sharpe ratio of its walk-forward on development bars; None if it failed.
        features: The kinds of features of the strategy that it found.
    """

    cell: int
    score: float | None
    features: tuple[FeatureKind, ...]


def propose_generation(
    parents: Sequence[Parent], features: Sequence[FeatureKind], seed: int
) -> list[Offspring]:
    """Return the next generation, as many for each cell as before, in the order of the parents.

    The better half of a cell survives. Each offspring searches anew, among the features that two
    survivors have found, one of which may be dropped and one added.

    Args:
        parents: The last generation.
        features: All kinds that may be chosen from.
        seed: Seed of the choice.
    """
    choice = random.Random(seed)  # noqa: S311 - no secret
    cells: dict[int, list[Parent]] = defaultdict(list)
    for parent in parents:
        cells[parent.cell].append(parent)
    survivors = {cell: _select(of_cell) for cell, of_cell in cells.items()}
    return [
        Offspring(
            cell=parent.cell,
            seed=choice.randint(0, MAX_SEED),
            features=_cross(survivors[parent.cell], features, choice),
        )
        for parent in parents
    ]


def _select(parents: Sequence[Parent]) -> list[Parent]:
    """Return the better half, the best first. Those without a score never survive."""
    scored = [each for each in parents if each.score is not None and each.features]
    ranked = sorted(scored, key=lambda each: each.score or 0.0, reverse=True)
    return ranked[: math.ceil(len(parents) * _SURVIVING_SHARE)]


def _cross(
    survivors: Sequence[Parent], features: Sequence[FeatureKind], choice: random.Random
) -> tuple[FeatureKind, ...] | None:
    """Return what an offspring may choose from; None for everything."""
    if not survivors:
        return None
    found = {kind for _ in range(2) for kind in choice.choice(survivors).features}
    kept = [kind for kind in features if kind in found]
    if len(kept) > 1 and choice.random() < _MUTATED:
        kept.remove(choice.choice(kept))
    others = [kind for kind in features if kind not in kept]
    if others and choice.random() < _MUTATED:
        kept.append(choice.choice(others))
    return tuple(kind for kind in features if kind in kept) or None
