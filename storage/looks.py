"""Looks: one for every model that was ever backtested on a holdout."""

from sqlalchemy import func, select

from quant.messages.data import DataSource
from storage.database import Database
from storage.rows import LookRow


class Looks:
    """The table of looks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self, operation_id: str, data: DataSource, *, fingerprint: str, model_sha256: str
    ) -> None:
        """Record that this model is about to trade the holdout of these bars.

        Another backtest of the same model reveals nothing new, so it adds no look.
        """
        with self._database.begin_writing() as session:
            session.execute(
                self._database.insert(LookRow)
                .values(
                    data_hash=data.content_hash,
                    symbol=data.symbol,
                    timeframe=data.timeframe,
                    fingerprint=fingerprint,
                    model_sha256=model_sha256,
                    operation_id=operation_id,
                )
                .on_conflict_do_nothing()
            )

    def count(self, data: DataSource) -> int:
        """Return how many distinct models have traded the holdout of these bars."""
        looks = (
            select(LookRow.fingerprint, LookRow.model_sha256)
            .where(LookRow.is_on(data))
            .distinct()
            .subquery()
        )
        with self._database.begin_reading() as session:
            return session.scalar(select(func.count()).select_from(looks)) or 0
