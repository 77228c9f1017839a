"""Trials in the ledger: every candidate that was ever scored, once for each set of bars."""

from collections.abc import Sequence

from sqlalchemy import func, select

from quant.messages.data import DataSource
from quant.messages.record.trials import Trial, TrialOnBars
from storage.ledger import chain
from storage.ledger.database import Database
from storage.ledger.identities import keep_instruments
from storage.ledger.rows import TrialRow


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
            self._database.serialise(session)
            for data in {each.data.symbol: each.data for each in trials}.values():
                keep_instruments(self._database, session, data)
            session.execute(self._database.insert(TrialRow).on_conflict_do_nothing(), rows)
            chain.extend(session)

    def count(self, data: DataSource) -> int:
        """Return the number of distinct candidates ever scored on these bars."""
        statement = select(func.count(TrialRow.fingerprint.distinct())).where(TrialRow.is_on(data))
        with self._database.begin_reading() as session:
            return session.scalar(statement) or 0

    def find_of(self, operation_id: str, limit: int) -> list[Trial]:
        """Return the trials that an operation has added, in their order.

        One that an earlier operation has scored on the same bars is not among them.
        """
        statement = (
            select(TrialRow)
            .where(TrialRow.operation_id == operation_id)
            .order_by(TrialRow.number)
            .limit(limit)
        )
        with self._database.begin_reading() as session:
            return [
                Trial(
                    number=row.number,
                    fingerprint=row.fingerprint,
                    sharpe=row.sharpe,
                    parameters=row.parameters,
                    trades=row.trades,
                )
                for row in session.scalars(statement)
            ]

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
                    trades=row.trades,
                )
                for number, row in enumerate(session.scalars(statement), start=1)
            ]
