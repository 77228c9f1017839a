"""What a strategy needs of the bars that it is used on. The API asks before it starts anything."""

from typing import Final

from errors import InvalidInput
from quant.bars.timeframes import count_minutes
from quant.messages.strategy import FeatureSpec, StrategySpec

# Two instruments have one order, so ranking them is a threshold at their difference.
FEWEST_RANKED: Final = 3


def require_usable(spec: StrategySpec, timeframe: str, instruments: int) -> None:
    """Check that a strategy can be used on so many instruments of this timeframe.

    Raises:
        InvalidInput: It cannot.
    """
    require_instruments(spec, instruments)
    for feature in spec.features:
        require_longer(feature, timeframe)
        require_others(feature, instruments)


def require_instruments(spec: StrategySpec, instruments: int) -> None:
    """Check that a strategy has enough instruments to rank.

    Raises:
        InvalidInput: It has not.
    """
    needed = max(FEWEST_RANKED, 2 * spec.per_side)
    if spec.positions == "cross_sectional" and instruments < needed:
        raise InvalidInput(
            f"`positions: cross_sectional` with {spec.per_side} on each side needs at least "
            f"{needed} instruments to rank; there {_are(instruments)}.",
            field="positions",
        )


def require_others(feature: FeatureSpec, instruments: int) -> None:
    """Check that a rank has something to be compared with.

    Raises:
        InvalidInput: It has not.
    """
    if feature.relative and instruments < 2:
        raise InvalidInput(
            f"features: {feature.label} is a rank among instruments, and there is 1. Research "
            "several, with `symbols`.",
            field="features",
        )


def require_longer(feature: FeatureSpec, timeframe: str) -> None:
    """Check that a feature is of a longer timeframe that the bars make up.

    Raises:
        InvalidInput: It is not.
    """
    if feature.timeframe is None:
        return
    longer, bar = count_minutes(feature.timeframe), count_minutes(timeframe)
    if longer <= bar or longer % bar:
        raise InvalidInput(
            f"features: {feature.label} is of timeframe {feature.timeframe}, which bars of "
            f"{timeframe} do not make up: it must be a longer one, and a multiple.",
            field="features",
        )


def _are(count: int) -> str:
    return f"is {count}" if count == 1 else f"are {count}"
