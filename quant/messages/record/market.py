"""By what a market is recognised, whatever its file is called."""

from typing import Final, Literal

from pydantic import Field

from quant.messages.base import FrozenModel
from quant.messages.data import DataSource

Unit = Literal["four_weeks", "day", "hour"]

HEAD_PATTERN: Final = r"^[0-9]{1,18}:[0-9a-f]{64}$"
# The coarsest first: the longer the unit, the less a change of a few bars matters.
UNITS: Final[tuple[Unit, ...]] = ("four_weeks", "day", "hour")


class Returns(FrozenModel):
    """Logarithmic returns from the last close of four weeks, a day or an hour to the next."""

    unit: Unit
    shift: int = Field(0, description="Hours by which all times were moved before")
    first: int = Field(description="Number of the first unit since 1970")
    values: tuple[float | None, ...] = Field(
        description="One per unit; null where it has no bar, and for the first and the last unit, "
        "which may be cut"
    )


class Sketch(FrozenModel):
    """What remains of bars that are renamed, cut, extended, scaled, shifted or aggregated."""

    data: DataSource = Field(description="With the hash of the bars")
    holdout_start: str = Field(description="ISO 8601 timestamp of the first holdout bar")
    end: str = Field(description="ISO 8601 timestamp of the last bar")
    returns: tuple[Returns, ...] = Field(description="Of several units, under several shifts")

    def select_unshifted(self) -> tuple[Returns, ...]:
        """Return the part that is kept: new bars come with all shifts."""
        return tuple(each for each in self.returns if each.shift == 0)


class Sketches(FrozenModel):
    """The sketches of several instruments."""

    sketches: tuple[Sketch, ...]


class MarketIdentity(FrozenModel):
    """A market and all names under which this ledger knows it.

    Of a universe: all markets of its instruments, under all their names.
    """

    identity: str = Field(
        description="Hash of the first bars of it that were seen, shortened; of a universe, the "
        "hash of its bars"
    )
    names: tuple[str, ...] = Field(description="Symbol and timeframe of each, such as `SP500 1d`")


class LedgerHead(FrozenModel):
    """The newest entry of the chain of trials and looks."""

    entry: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> "LedgerHead":
        """Return the head that a report names; the text must have the form of `HEAD_PATTERN`."""
        entry, _, digest = text.partition(":")
        return cls(entry=int(entry), hash=digest)

    @property
    def text(self) -> str:
        """How reports write it: `1234:0f3a…`."""
        return f"{self.entry}:{self.hash}"
