"""Which bars are of one market: under another name, cut, extended, scaled, or in other timeframes.

Trials and looks count for a market, so that renaming a file does not start the counts anew.
"""

from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from quant.bars.likeness import is_same_market
from quant.messages.data import DataInfo, DataSource
from quant.messages.record.market import MarketIdentity, Returns, Sketch
from storage.ledger.database import Database
from storage.ledger.rows import BarSetRow, UniverseRow

_SHORT: Final = 12
_RETURNS: Final = TypeAdapter(tuple[Returns, ...])


class Identities:
    """The table of bars that were seen."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def knows(self, data: DataSource) -> bool:
        """Return whether these bars were seen under this name."""
        with self._database.begin_reading() as session:
            row = session.get(BarSetRow, (data.content_hash, data.symbol, data.timeframe))
            return row is not None

    def recognise(self, sketch: Sketch) -> MarketIdentity:
        """Record bars under the identity of their market, a new one if nothing resembles them.

        Bars of the same symbol and timeframe are of one market, whatever their prices are. If they
        resemble bars of two markets, these become one.
        """
        data = sketch.data
        with self._database.begin_writing() as session:
            self._database.serialise(session)
            found = _find_markets(session, sketch)
            market = min(found) if found else (data.content_hash or "")[:_SHORT]
            if len(found) > 1:
                session.execute(
                    update(BarSetRow).where(BarSetRow.market.in_(found)).values(market=market)
                )
            kept = sketch.select_unshifted()
            session.execute(
                self._database.insert(BarSetRow)
                .values(
                    data_hash=data.content_hash,
                    symbol=data.symbol,
                    timeframe=data.timeframe,
                    market=market,
                    sketch=[each.model_dump() for each in kept],
                    holdout_start=sketch.holdout_start,
                    end=sketch.end,
                )
                .on_conflict_do_nothing()
            )
            _forget_what_is_contained(session, data, kept)
            return _describe(session, market)

    def keep_universe(self, info: DataInfo) -> None:
        """Record the bars of several instruments, each of which has been recognised.

        They are of all the markets of their instruments, and no market of their own is recognised.
        """
        with self._database.begin_writing() as session:
            self._database.serialise(session)
            keep_instruments(self._database, session, info.source)
            session.execute(
                self._database.insert(BarSetRow)
                .values(
                    data_hash=info.content_hash,
                    symbol=info.symbol,
                    timeframe=info.timeframe,
                    market=info.content_hash[:_SHORT],
                    sketch=None,
                    holdout_start=info.holdout_start,
                    end=info.end,
                )
                .on_conflict_do_nothing()
            )

    def identify(self, data: DataSource) -> MarketIdentity | None:
        """Return the market of these bars, or those of all instruments; None if never seen."""
        with self._database.begin_reading() as session:
            if data.symbols:
                return _describe_universe(session, data)
            market = session.scalar(
                select(BarSetRow.market).where(BarSetRow.is_named(data)).limit(1)
            )
            return None if market is None else _describe(session, market)

    def get_holdout(self, data: DataSource) -> tuple[str, str] | None:
        """Return the times of the first and the last holdout bar; None if they are not known."""
        with self._database.begin_reading() as session:
            return get_holdout(session, data)


def get_holdout(session: Session, data: DataSource) -> tuple[str, str] | None:
    """Return the times of the first and the last holdout bar; None if they are not known."""
    statement = (
        select(BarSetRow.holdout_start, BarSetRow.end)
        .where(BarSetRow.data_hash == data.content_hash)
        .limit(1)
    )
    row = session.execute(statement).first()
    return None if row is None else (row.holdout_start, row.end)


def keep_instruments(database: Database, session: Session, data: DataSource) -> None:
    """Record the instruments of a universe. One instrument needs no record."""
    keep_symbols(database, session, data.symbol, data.symbols)


def keep_symbols(database: Database, session: Session, name: str, symbols: Sequence[str]) -> None:
    """Record the instruments of the universe of this name."""
    if symbols:
        rows = [{"name": name, "symbol": symbol} for symbol in symbols]
        session.execute(database.insert(UniverseRow).on_conflict_do_nothing(), rows)


def _find_markets(session: Session, sketch: Sketch) -> set[str]:
    """Return the markets that these bars belong to, by hash, by name and by likeness."""
    named = session.scalars(select(BarSetRow.market).where(BarSetRow.is_named(sketch.data)))
    found = set(named)
    known = session.execute(
        select(BarSetRow.market, BarSetRow.sketch).where(BarSetRow.sketch.is_not(None))
    )
    for market, kept in known:
        if market not in found and is_same_market(_RETURNS.validate_python(kept), sketch.returns):
            found.add(market)
    return found


def _forget_what_is_contained(
    session: Session, data: DataSource, kept: tuple[Returns, ...]
) -> None:
    """Drop the sketches of earlier bars of this name that the new ones continue.

    Bars that grow every night would otherwise leave a sketch a night.
    """
    earlier = session.scalars(
        select(BarSetRow).where(
            BarSetRow.symbol == data.symbol,
            BarSetRow.timeframe == data.timeframe,
            BarSetRow.data_hash != data.content_hash,
            BarSetRow.sketch.is_not(None),
        )
    )
    for row in earlier:
        if _contains(kept, _RETURNS.validate_python(row.sketch)):
            row.sketch = None


def _contains(new: tuple[Returns, ...], old: tuple[Returns, ...]) -> bool:
    """Return whether new bars are of the same market and reach at least as far to both sides."""
    units = {each.unit: each for each in new}
    return is_same_market(old, new) and all(
        each.unit in units
        and units[each.unit].first <= each.first
        and units[each.unit].first + len(units[each.unit].values) >= each.first + len(each.values)
        for each in old
    )


def _describe_universe(session: Session, data: DataSource) -> MarketIdentity | None:
    own = and_(BarSetRow.symbol.in_(data.symbols), BarSetRow.timeframe == data.timeframe)
    markets = select(BarSetRow.market).where(own)
    names = session.execute(
        select(BarSetRow.symbol, BarSetRow.timeframe)
        .where(BarSetRow.market.in_(markets))
        .distinct()
    ).all()
    if not names:
        return None
    return MarketIdentity(
        identity=(data.content_hash or "")[:_SHORT],
        names=tuple(sorted(f"{row.symbol} {row.timeframe}" for row in names)),
    )


def _describe(session: Session, market: str) -> MarketIdentity:
    names = session.execute(
        select(BarSetRow.symbol, BarSetRow.timeframe).where(BarSetRow.market == market).distinct()
    )
    return MarketIdentity(
        identity=market, names=tuple(sorted(f"{row.symbol} {row.timeframe}" for row in names))
    )
