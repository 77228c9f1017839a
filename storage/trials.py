"""Trials: every candidate that was ever scored, once per set of bars."""

from collections.abc import Sequence
from statistics import variance

from sqlalchemy import select

from quant.models import Trial
from storage.database import Database
from storage.records import TrialHistory
from storage.tables import TrialRow


class Trials:
    """The table of trials."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, operation_id: str, data_hash: str, trials: Sequence[Trial]) -> None:
        """Add the trials that nobody has made on these bars before."""
        if not trials:
            return
        rows = [
            {**trial.model_dump(), "operation_id": operation_id, "data_hash": data_hash}
            for trial in trials
        ]
        with self._database.writing() as session:
            session.execute(
                self._database.insert(TrialRow).on_conflict_do_nothing(),
                # In one order, so that two who write the same trials do not wait for each other.
                sorted(rows, key=lambda row: str(row["fingerprint"])),
            )

    def history(self, data_hash: str) -> TrialHistory:
        """Return how many distinct candidates were ever scored on these bars."""
        with self._database.reading() as session:
            sharpes = session.scalars(
                select(TrialRow.sharpe)
                .where(TrialRow.data_hash == data_hash)
                # Floating-point sums depend on their order, so the order is fixed.
                .order_by(TrialRow.fingerprint)
            ).all()
        known = [sharpe for sharpe in sharpes if sharpe is not None]
        return TrialHistory(
            distinct_trials=len(sharpes),
            sharpe_variance=variance(known) if len(known) > 1 else None,
        )

    def best(self, data_hash: str, limit: int) -> list[Trial]:
        """Return the candidates with the highest Sharpe ratios on these bars, the best first."""
        statement = (
            select(TrialRow)
            .where(TrialRow.data_hash == data_hash, TrialRow.sharpe.is_not(None))
            .order_by(TrialRow.sharpe.desc(), TrialRow.fingerprint)
            .limit(limit)
        )
        with self._database.reading() as session:
            return [
                Trial(
                    number=number,
                    fingerprint=row.fingerprint,
                    sharpe=row.sharpe,
                    parameters=row.parameters,
                )
                for number, row in enumerate(session.scalars(statement), start=1)
            ]
