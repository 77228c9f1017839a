"""The leaderboard: completed researches, ranked by what is known today."""

from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import select

from quant.messages.data import DataSource
from quant.messages.evidence import Statistics
from quant.messages.hypotheses import Verdict
from quant.verdict.deflation import deflated_by
from quant.verdict.verdict import DEFLATED_SHARPE
from storage.database import Database
from storage.experiments import IS_ORIGINAL, Experiments, matching, summary_of
from storage.looks import Looks
from storage.records import Standing
from storage.tables import ExperimentRow
from storage.trials import Trials

_RANKED: Final[tuple[Verdict, ...]] = ("promising", "mediocre", "poor", "no_signal")


class Leaderboard:
    """Completed experiments without reproductions."""

    def __init__(
        self, database: Database, experiments: Experiments, trials: Trials, looks: Looks
    ) -> None:
        self._database = database
        self._experiments = experiments
        self._trials = trials
        self._looks = looks

    def find(
        self, *, limit: int, offset: int = 0, **equals: str | None
    ) -> tuple[list[Standing], int]:
        """Return a page, the best verdict first, and how many experiments there are in all.

        Among equal verdicts the Sharpe ratio deflated by all trials until today decides, and a
        promising one that they no longer support ranks as mediocre; otherwise early researches,
        judged by few trials, would stay on top for ever.

        Args:
            limit: how many to return at most.
            offset: how many to skip.
            equals: columns and the values that they must have; None is no condition.
        """
        statement = select(
            ExperimentRow.operation_id,
            ExperimentRow.verdict,
            ExperimentRow.symbol,
            ExperimentRow.timeframe,
            ExperimentRow.deflated_sharpe,
            ExperimentRow.metrics["statistics"].label("statistics"),
        ).where(*matching(equals | {"status": "completed"}), IS_ORIGINAL)
        with self._database.reading() as session:
            found = session.execute(statement).all()
        counts = {
            bars: self._counts(*bars) for bars in {(row.symbol, row.timeframe) for row in found}
        }
        deflated = {
            row.operation_id: _deflated(
                row.statistics,
                row.deflated_sharpe,
                counts[row.symbol, row.timeframe]["trials_ever"],
            )
            for row in found
        }

        def standing(operation_id: str, verdict: str | None) -> tuple[int, float, str]:
            now = deflated[operation_id]
            if verdict == "promising" and (now is None or now < DEFLATED_SHARPE):
                verdict = "mediocre"
            place = _RANKED.index(verdict) if verdict in _RANKED else len(_RANKED)
            return place, 1.0 if now is None else -now, operation_id

        ranked = sorted(found, key=lambda row: standing(row.operation_id, row.verdict))
        page = [row.operation_id for row in ranked[offset : offset + limit]]
        with self._database.reading() as session:
            rows = session.scalars(
                select(ExperimentRow).where(ExperimentRow.operation_id.in_(page))
            )
            shown = {row.operation_id: summary_of(row) for row in rows}
        return [
            Standing(
                **each.model_dump(exclude={"deflated_sharpe", "trials_ever"}),
                **counts[each.symbol, each.timeframe],
                deflated_sharpe=deflated[each.operation_id],
                deflated_sharpe_then=each.deflated_sharpe,
            )
            for each in map(shown.__getitem__, page)
        ], len(found)

    def _counts(self, symbol: str, timeframe: str) -> dict[str, int]:
        """Return the numbers of trials and looks on the newest bars of this name."""
        bars = DataSource(
            symbol=symbol,
            timeframe=timeframe,
            content_hash=self._experiments.newest_data_hash(symbol, timeframe),
        )
        return {
            "trials_ever": self._trials.count(bars),
            "holdout_looks": self._looks.count(bars),
        }


def _deflated(recorded: dict[str, Any] | None, then: float | None, trials: int) -> float | None:
    try:
        return deflated_by(trials, Statistics.model_validate(recorded)) if recorded else then
    except ValidationError:
        return then  # From before walk-forward and holdout were judged together.
