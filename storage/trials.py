"""Trials in the ledger: every candidate that was ever scored, once for each set of bars."""

from collections.abc import Sequence

from sqlalchemy import func, select

from quant.messages.data import DataSource
from quant.messages.trials import Trial, TrialOnBars
from storage.database import Database
from storage.rows import TrialRow


class Trials:
    """The table of trials."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, operation_id: str, trials: Sequence[TrialOnBars]) -> None:
        """Add the trials that are new on these bars."""
        if not trials:
            return
        rows = [
            {
                **each.trial.model_dump(),
                "operation_id": operation_id,
                "data_hash": each.data.content_hash,
                "symbol": each.data.symbol,
                "timeframe": each.data.timeframe,
            }
            for each in trials
        ]
        with self._database.begin_writing() as session:
            session.execute(
                self._database.insert(TrialRow).on_conflict_do_nothing(),
                # Two writers of the same trials in a different order would deadlock.
                sorted(rows, key=lambda row: str(row["fingerprint"])),
            )

    def count(self, data: DataSource) -> int:
        """Return the number of distinct candidates ever scored on these bars."""
        statement = select(func.count(TrialRow.fingerprint.distinct())).where(TrialRow.is_on(data))
        with self._database.begin_reading() as session:
            return session.scalar(statement) or 0

    def find_best(self, data_hash: str, limit: int) -> list[Trial]:
        """Return the candidates with the highest Sharpe ratios on these bars, the best first."""
        statement = (
            select(TrialRow)
            .where(TrialRow.data_hash == data_hash, TrialRow.sharpe.is_not(None))
            .order_by(TrialRow.sharpe.desc(), TrialRow.fingerprint)
            .limit(limit)
        )
        with self._database.begin_reading() as session:
            return [
                Trial(
                    number=number,
                    fingerprint=row.fingerprint,
                    sharpe=row.sharpe,
                    parameters=row.parameters,
                )
                for number, row in enumerate(session.scalars(statement), start=1)
            ]
