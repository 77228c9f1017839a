"""Which cases are run, and what share of them may or must be called promising."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.calibration.case import Case
from bench.calibration.noise import NOISE, RISING
from bench.calibration.planted import PLANTED
from bench.calibration.series import Fate

# Far from the seeds of tests and of earlier calibrations.
FIRST_SEED: Final = 900_130
RESEARCHES: Final = 15
NTH_LOOK: Final = 10
# Kinds of rules that a search does not begin with.
_OTHERS: Final = ("threshold momentum", "crossing averages", "timed by volatility")
_USUAL: Final = ("momentum", "reversion", "volume")


@dataclass(frozen=True)
class Group:
    """Cases that are counted together.

    Attributes:
        name: Its name.
        kinds: Of the series.
        series: How many of each kind.
        strength: Of a planted rule; None for noise.
        most: Highest upper end of the 95 % interval over all kinds, for false discoveries.
        least: Lowest share of each kind that must be found.
        fates: What may become of the rule.
        researches: On each series.
        looks: At which look.
    """

    name: str
    kinds: tuple[str, ...]
    series: int
    strength: float | None = None
    most: float | None = None
    least: float | None = None
    fates: tuple[Fate, ...] = ("lives",)
    researches: int = 1
    looks: int = 1

    def list_cases(self, first_seed: int, series: int | None = None) -> Iterator[Case]:
        """Yield its cases, kinds in turn, so that a piece of them has all kinds."""
        for seed in range(first_seed, first_seed + (series or self.series)):
            for kind in self.kinds:
                for fate in self.fates:
                    yield Case(
                        self.name,
                        kind,
                        seed,
                        strength=self.strength,
                        fate=fate,
                        researches=self.researches,
                        looks=self.looks,
                    )


GROUPS: Final = (
    Group("noise", tuple(NOISE), 390, most=0.01),
    Group("rising markets", tuple(RISING), 100, most=0.02),
    Group(f"{RESEARCHES} researches on noise", tuple(NOISE), 10, most=0.05, researches=RESEARCHES),
    Group("planted, Sharpe 2", _USUAL, 50, strength=2.0, least=0.92),
    Group("planted, Sharpe 2, others", _OTHERS, 50, strength=2.0, least=0.70),
    Group("planted, Sharpe 2, after three falls", PLANTED[-1:], 50, strength=2.0),
    Group("planted, Sharpe 3", (*_USUAL, *_OTHERS[::2]), 50, strength=3.0, least=0.90),
    # The one that is near its target: more series show on which side of it.
    Group("planted, Sharpe 3, crossing averages", _OTHERS[1:2], 200, strength=3.0, least=0.90),
    Group(
        f"planted, Sharpe 3, look {NTH_LOOK}",
        (*_USUAL, *_OTHERS),
        25,
        strength=3.0,
        least=0.75,
        looks=NTH_LOOK,
    ),
    Group(
        "dies or flips", (*_USUAL, *_OTHERS), 75, strength=2.0, most=0.02, fates=("dies", "flips")
    ),
)


def list_evenly(
    groups: Sequence[Group], first_seed: int, series: int | None = None
) -> Iterator[Case]:
    """Yield the cases of groups, so that a piece of them has the same share of each.

    Groups without a target come last.
    """
    placed = [
        (group.most is None and group.least is None, number / len(cases), case)
        for group in groups
        for cases in [list(group.list_cases(first_seed, series))]
        for number, case in enumerate(cases)
    ]
    for _, _, case in sorted(placed, key=lambda each: each[:2]):
        yield case
