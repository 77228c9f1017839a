"""What the report says about each instrument of a universe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from errors import InvalidInput
from quant.messages.report.curves import Curves, InstrumentFigures, PriceCurve, TradeRecord
from quant.suggestions import suggest
from quant.wording import join_names

# A longer table is folded.
_OPEN: Final = 12
# Prices of more would make the page heavy; it says how to see the others.
_DRAWN: Final = 12


@dataclass(frozen=True)
class InstrumentTable:
    """The instruments of a universe, the largest contribution first.

    Attributes:
        years: The years in which trades ended.
        rows: The figures of each instrument.
        folded: Whether the table is long, and so opened on demand.
        best: The instruments that earned most.
        worst: Those that lost most, the worst first.
        gainers: How many earned anything.
        largest: The largest contribution in a year, gain or loss; it has the strongest colour.
    """

    years: tuple[int, ...]
    rows: tuple[InstrumentFigures, ...]
    folded: bool
    best: tuple[InstrumentFigures, ...]
    worst: tuple[InstrumentFigures, ...]
    gainers: int
    largest: float


def arrange_instruments(figures: Sequence[InstrumentFigures]) -> InstrumentTable | None:
    """Return the table; None if there is one instrument only."""
    if not figures:
        return None
    rows = tuple(sorted(figures, key=lambda each: (-each.profit, each.symbol)))
    return InstrumentTable(
        years=tuple(sorted({year for each in rows for year in each.profit_by_year})),
        rows=rows,
        folded=len(rows) > _OPEN,
        best=tuple(each for each in rows[:3] if each.profit > 0.0),
        worst=tuple(each for each in rows[:-4:-1] if each.profit < 0.0),
        gainers=sum(each.profit > 0.0 for each in rows),
        largest=max(
            (abs(profit) for each in rows for profit in each.profit_by_year.values()), default=0.0
        ),
    )


@dataclass(frozen=True)
class PriceSection:
    """The price of one instrument, with its entries and exits.

    Attributes:
        symbol: Its symbol.
        curve: Its price.
        records: Its round trips.
    """

    symbol: str
    curve: PriceCurve
    records: tuple[TradeRecord, ...]


def choose_prices(curves: Curves) -> tuple[PriceSection, ...]:
    """Return the instruments whose price the page draws: those that earned or lost most."""
    if not curves.instruments:
        return tuple(find_price(curves, each.symbol) for each in curves.prices[:1])
    priced = {each.symbol for each in curves.prices}
    known = [each for each in curves.instruments if each.symbol in priced]
    ranked = sorted(known, key=lambda each: (-abs(each.profit), each.symbol))
    return tuple(find_price(curves, each.symbol) for each in ranked[:_DRAWN])


def find_price(curves: Curves, symbol: str) -> PriceSection:
    """Return the price of an instrument.

    Raises:
        InvalidInput: There is no such instrument, or an earlier version kept no prices.
    """
    curve = next((each for each in curves.prices if each.symbol == symbol), None)
    if curve is None:
        known = [each.symbol for each in curves.prices]
        raise InvalidInput(
            f"instrument: {symbol!r} is not among the prices of this report"
            f"{suggest(symbol, known)}. There are {join_names(known) if known else 'none'}.",
            field="instrument",
        )
    single = not curves.instruments
    records = tuple(each for each in curves.trades if single or each.symbol == symbol)
    return PriceSection(symbol=symbol, curve=curve, records=records)


def shade_correlation(correlation: float | None) -> str:
    """Return the colour of a correlation in the heat map: red for 1, blue for -1."""
    colour = "214, 69, 69" if (correlation or 0.0) >= 0.0 else "47, 127, 214"
    return f"rgba({colour}, {0.8 * abs(correlation or 0.0):.2f})"


def shade_profit(profit: float, largest: float) -> str:
    """Return the colour of a contribution in the heat map, by its share of the largest one."""
    strength = abs(profit) / largest if largest > 0.0 else 0.0
    colour = "63, 163, 77" if profit >= 0.0 else "214, 69, 69"
    return f"rgba({colour}, {0.75 * strength:.2f})"
