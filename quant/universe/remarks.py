"""What a reader of a verdict should know about the instruments of a universe."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from quant.bars import catalog
from quant.messages.data import DataSource
from quant.universe.shares import LONGEST_ABSENCE
from quant.universe.universe import Universe
from quant.wording import format_count

_MOST_NAMED: Final = 5
# Two calendars with so many times in common are nearly one.
_MOSTLY_COMMON: Final = 0.9


def describe_universe(universe: Universe, source: DataSource, data_dir: Path | None) -> list[str]:
    """Return sentences about the instruments; empty if there is one only.

    Args:
        universe: All bars.
        source: Which bars were asked for.
        data_dir: Directory of the user's bars, which says their time zones.
    """
    if universe.is_single:
        return []
    zones = {
        file.mapping.timezone or "UTC" if file else "UTC"
        for file in catalog.Catalog(data_dir).find_files(source)
    }
    return [
        *_describe_spans(universe),
        *_describe_calendars(universe),
        *_describe_zones(zones),
        "In which currencies prices are quoted is not known; every instrument is traded as if its "
        "returns were in one currency.",
        *_describe_survival(universe),
    ]


def _describe_spans(universe: Universe) -> Iterator[str]:
    begins = [int(place[0]) for place in universe.places]
    ends = [int(place[-1]) for place in universe.places]
    late = [
        f"{bars.symbol} ({bars.format_time(0)[:10]})"
        for bars, begin in zip(universe.instruments, begins, strict=True)
        if begin > LONGEST_ABSENCE
    ]
    early = [
        f"{bars.symbol} ({bars.format_time(-1)[:10]})"
        for bars, end in zip(universe.instruments, ends, strict=True)
        if end < len(universe) - LONGEST_ABSENCE
    ]
    if late:
        yield f"{_begin(late, 'begins', 'begin')} later than the others: {_name(late)}."
    if early:
        yield (
            f"{_begin(early, 'ends', 'end')} before the others: {_name(early)}. What was held was "
            "sold at the last open."
        )


def _describe_calendars(universe: Universe) -> Iterator[str]:
    odd = []
    for bars, place in zip(universe.instruments, universe.places, strict=True):
        share = len(place) / (int(place[-1]) - int(place[0]) + 1)
        if share < _MOSTLY_COMMON:
            odd.append(f"{bars.symbol} ({share:.0%})")
    if odd:
        yield (
            f"{_begin(odd, 'has', 'have')} bars at less than {_MOSTLY_COMMON:.0%} of the times of "
            f"the others, as with another calendar: {_name(odd)}. Decisions wait for the next bar "
            "of the instrument."
        )


def _describe_zones(zones: set[str]) -> Iterator[str]:
    if len(zones) > 1:
        yield (
            f"The bars are of markets in different time zones ({', '.join(sorted(zones))}): bars "
            "of one day close at different hours, and a decision may use a close that another "
            "market has not seen yet."
        )


def _describe_survival(universe: Universe) -> Iterator[str]:
    if all(int(place[-1]) >= len(universe) - LONGEST_ABSENCE for place in universe.places):
        yield (
            f"All {len(universe.instruments)} instruments live to the end of the bars. If they "
            "were chosen because they exist today, those that failed are missing, and all figures "
            "are too good (survivorship)."
        )


def describe_independence(count: int, independent: float) -> str:
    """Return a sentence about how much evidence so many instruments are."""
    return (
        f"The {format_count(count, 'instrument')} vary together like {independent:.1f} independent "
        "ones."
    )


def _begin(found: list[str], one: str, several: str) -> str:
    return f"1 instrument {one}" if len(found) == 1 else f"{len(found)} instruments {several}"


def _name(found: list[str]) -> str:
    shown = ", ".join(found[:_MOST_NAMED])
    more = len(found) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
