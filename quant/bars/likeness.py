"""Compares sketches of bars, without numerical libraries: the ledger uses it.

Two markets are never equal for long: the S&P 500 and the NASDAQ have nearly the same return in few
spans of four weeks. Two files of one market have, in almost all.
"""

import math
from collections.abc import Iterable
from typing import Final

from quant.messages.record.market import UNITS, Returns

# Fewer units could agree by chance.
_FEWEST_COMMON: Final = 12
_SHARE_EQUAL: Final = 0.7
# Two returns are equal if they differ by less than this part of a typical one.
_TOLERANCE: Final = 0.1


def is_same_market(known: Iterable[Returns], new: Iterable[Returns]) -> bool:
    """Return whether new bars, sketched under all shifts, are of a market that is known."""
    kept = {each.unit: each for each in known}
    candidates = list(new)
    for unit in UNITS:
        of_unit = [each for each in candidates if each.unit == unit]
        if unit not in kept or not of_unit:
            continue
        shares = [share for each in of_unit if (share := _compare(kept[unit], each)) is not None]
        # The coarsest unit of which both have enough decides.
        if shares:
            return max(shares) >= _SHARE_EQUAL
    return False


def _compare(known: Returns, new: Returns) -> float | None:
    """Return the share of equal returns, or None if too few units are common to both."""
    offset = new.first - known.first
    pairs = [
        (before, after)
        for number, after in enumerate(new.values)
        if after is not None and 0 <= number + offset < len(known.values)
        for before in [known.values[number + offset]]
        if before is not None
    ]
    if len(pairs) < _FEWEST_COMMON:
        return None
    typical = math.sqrt(sum(before**2 for before, _ in pairs) / len(pairs))
    if typical == 0.0:
        return None  # A price that stands still is no sign of identity.
    return sum(abs(after - before) <= _TOLERANCE * typical for before, after in pairs) / len(pairs)
