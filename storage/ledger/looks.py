"""Looks: one for every strategy that was ever backtested on a holdout."""

from sqlalchemy import and_, case, func, or_, select

from quant.messages.data import DataSource
from storage.ledger import chain
from storage.ledger.database import Database
from storage.ledger.identities import get_holdout, keep_instruments
from storage.ledger.rows import LookRow


class Looks:
    """The table of looks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        operation_id: str,
        data: DataSource,
        *,
        fingerprint: str,
        model_sha256: str,
        traded: tuple[str, str] | None = None,
    ) -> None:
        """Record that a model of this strategy is about to trade bars of these.

        Another backtest of the same model reveals nothing new, so it adds no look.

        Args:
            operation_id: The backtest.
            data: The bars that the model was trained on, and their holdout.
            fingerprint: Of the strategy, with the seed if its model samples.
            model_sha256: Of the text of the model.
            traded: Times of the first and the last traded bar, ISO 8601; None if not known.
        """
        first, last = traded or (None, None)
        with self._database.begin_writing() as session:
            self._database.serialise(session)
            keep_instruments(self._database, session, data)
            session.execute(
                self._database.insert(LookRow)
                .values(
                    data_hash=data.content_hash,
                    symbol=data.symbol,
                    timeframe=data.timeframe,
                    fingerprint=fingerprint,
                    model_sha256=model_sha256,
                    operation_id=operation_id,
                    first_bar=first,
                    last_bar=last,
                )
                .on_conflict_do_nothing()
            )
            chain.extend(session)

    def count(self, data: DataSource) -> int:
        """Return how many distinct strategies have traded bars of the holdout of these bars.

        The same strategy on the same bars counts once, whatever the seed in the text of its model.
        A look counts as long as one bar that it traded is left in the holdout. Rows of earlier
        versions do not say what they traded: they count always, and once for each model.
        """
        with self._database.begin_reading() as session:
            holdout = get_holdout(session, data)
            overlaps = (
                or_(
                    LookRow.first_bar.is_(None),
                    and_(LookRow.first_bar <= holdout[1], LookRow.last_bar >= holdout[0]),
                )
                if holdout
                else LookRow.is_on(data)
            )
            one = case((LookRow.first_bar.is_(None), LookRow.model_sha256), else_=LookRow.data_hash)
            looks = (
                select(LookRow.fingerprint, one)
                .where(LookRow.is_on(data), overlaps)
                .distinct()
                .subquery()
            )
            return session.scalar(select(func.count()).select_from(looks)) or 0
