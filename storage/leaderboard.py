"""The leaderboard: completed researches, ranked by all trials made until today."""

from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import select

from quant.messages.data import DataSource
from quant.messages.evidence import Statistics
from quant.messages.hypotheses import Verdict
from quant.verdict.deflation import deflate_sharpe
from quant.verdict.verdict import DEFLATED_SHARPE
from storage.database import Database
from storage.experiments import IS_ORIGINAL, Experiments, build_conditions, summarise
from storage.looks import Looks
from storage.records import Standing
from storage.rows import ExperimentRow
from storage.trials import Trials

_RANKED: Final[tuple[Verdict, ...]] = ("promising", "mediocre", "poor", "no_signal")


class Leaderboard:
    """The ranking of completed experiments. Reproductions are left out."""

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
        """Return one page, the best verdict first, and the total number of experiments.

        The Sharpe ratio, deflated by all trials made until today, decides among equal verdicts. A
        promising strategy whose deflated ratio has fallen below the limit ranks as mediocre.
        Otherwise early researches, judged by few trials, would stay on top for ever.

        Args:
            limit: The longest page.
            offset: How many experiments to skip.
            equals: The value of each column by its name. None accepts every value.
        """
        statement = select(
            ExperimentRow.operation_id,
            ExperimentRow.verdict,
            ExperimentRow.symbol,
            ExperimentRow.timeframe,
            ExperimentRow.deflated_sharpe,
            ExperimentRow.metrics["statistics"].label("statistics"),
        ).where(*build_conditions(equals | {"status": "completed"}), IS_ORIGINAL)
        with self._database.begin_reading() as session:
            found = session.execute(statement).all()
        counts = {
            bars: self._count(*bars) for bars in {(row.symbol, row.timeframe) for row in found}
        }
        deflated = {
            row.operation_id: _deflate_today(
                row.statistics,
                row.deflated_sharpe,
                counts[row.symbol, row.timeframe]["trials_ever"],
            )
            for row in found
        }

        def rank(operation_id: str, verdict: str | None) -> tuple[int, float, str]:
            now = deflated[operation_id]
            if verdict == "promising" and (now is None or now < DEFLATED_SHARPE):
                verdict = "mediocre"
            place = _RANKED.index(verdict) if verdict in _RANKED else len(_RANKED)
            return place, 1.0 if now is None else -now, operation_id

        ranked = sorted(found, key=lambda row: rank(row.operation_id, row.verdict))
        page = [row.operation_id for row in ranked[offset : offset + limit]]
        with self._database.begin_reading() as session:
            rows = session.scalars(
                select(ExperimentRow).where(ExperimentRow.operation_id.in_(page))
            )
            shown = {row.operation_id: summarise(row) for row in rows}
        return [
            Standing(
                **each.model_dump(exclude={"deflated_sharpe", "trials_ever"}),
                **counts[each.symbol, each.timeframe],
                deflated_sharpe=deflated[each.operation_id],
                deflated_sharpe_then=each.deflated_sharpe,
            )
            for each in map(shown.__getitem__, page)
        ], len(found)

    def _count(self, symbol: str, timeframe: str) -> dict[str, int]:
        """Return the numbers of trials and looks on this symbol and timeframe."""
        bars = DataSource(
            symbol=symbol,
            timeframe=timeframe,
            content_hash=self._experiments.get_newest_data_hash(symbol, timeframe),
        )
        return {
            "trials_ever": self._trials.count(bars),
            "holdout_looks": self._looks.count(bars),
        }


def _deflate_today(
    recorded: dict[str, Any] | None, then: float | None, trials: int
) -> float | None:
    try:
        return deflate_sharpe(trials, Statistics.model_validate(recorded)) if recorded else then
    except ValidationError:
        return then  # Early versions judged the holdout alone and recorded less.
