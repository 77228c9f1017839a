"""How a search is cut into rounds, and a large one into slices: plain arithmetic.

A plan depends on the number of trials and of bars alone, never on how many workers there are. So
the same request gives the same candidates anywhere.

A change here changes the steps of workflows that are running: see docs/testing.md, "Changing a
workflow".
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from quant.messages.base import FrozenModel

# The first trials do not depend on results: simple candidates, then random ones.
_FIRST_ROUND: Final = 10
# Small rounds learn more from the same trials. In one process they cost nothing.
_LEAST_ALONE: Final = 4
_ALONE_SHARE: Final = 8

MOST_SLOTS: Final = 128
"""How many slices of a round are worth computing at once."""

# Slices of a round start together, and the next round waits for the last of them. So rounds grow
# with what is known, and the slices at the end of a large round are shorter.
_LEAST_SLICED: Final = 24
_MOST_LEAST_SLICED: Final = 48
_TRIALS_PER_LEAST: Final = 200
_GROWTH: Final = 1.5
_LARGEST_ROUND: Final = 2500
_LEFT_SHARE: Final = 80

# Of one candidate, on a common core: so much for itself, and so much for each of all bars.
_SECONDS_PER_CANDIDATE: Final = 0.02
_SECONDS_PER_BAR: Final = 2.4e-6


@dataclass(frozen=True)
class Span:
    """Trials with consecutive numbers, the first and the last included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    @property
    def numbers(self) -> range:
        """The numbers of the trials."""
        return range(self.first, self.last + 1)


class SearchPlan(FrozenModel):
    """When a search is cut, and how finely."""

    seconds_alone: float = Field(
        6.0, gt=0.0, description="A search that computes for less than this is not cut"
    )
    seconds_per_slice: float = Field(2.5, gt=0.0, description="About how long a slice computes")

    def is_small(self, trials: int, bars: int) -> bool:
        """Return whether a search is one activity."""
        return trials * estimate_seconds(bars) <= self.seconds_alone

    def cut_into_rounds(self, trials: int, bars: int) -> list[Span]:
        """Return the rounds of a search, in their order."""
        small = self.is_small(trials, bars)
        return list(_cut_small(trials) if small else _cut_large(trials))

    def cut_into_slices(self, whole: Span, bars: int) -> list[Span]:
        """Return the slices of a round, in their order. No slice is longer than the one before."""
        usual = max(1, round(self.seconds_per_slice / estimate_seconds(bars)))
        longest = math.ceil(len(whole) / MOST_SLOTS)
        slices: list[Span] = []
        first = whole.first
        while first <= whole.last:
            left = whole.last - first + 1
            size = min(left, max(usual, min(longest, math.ceil(left / _LEFT_SHARE))))
            slices.append(Span(first, first + size - 1))
            first += size
        return slices


def estimate_seconds(bars: int) -> float:
    """Return about how long one candidate computes on so many bars."""
    return _SECONDS_PER_CANDIDATE + _SECONDS_PER_BAR * bars


def _cut_small(trials: int) -> Iterator[Span]:
    done = 0
    while done < trials:
        size = max(_LEAST_ALONE, done // _ALONE_SHARE) if done else _FIRST_ROUND
        yield Span(done + 1, done := min(done + size, trials))


def _cut_large(trials: int) -> Iterator[Span]:
    least = min(max(trials // _TRIALS_PER_LEAST, _LEAST_SLICED), _MOST_LEAST_SLICED)
    done = 0
    while done < trials:
        size = min(max(least, int(done * _GROWTH)), _LARGEST_ROUND)
        # A short last round would leave most workers idle.
        size += trials - done - size if trials - done - size < least // 2 else 0
        yield Span(done + 1, done := done + size)
