"""The leaderboard: completed researches, ranked by all trials made until today.

Many researches ask many questions, and some answer by luck. Among all that it ranks, the
leaderboard keeps the expected share of false discoveries below `FALSE_DISCOVERY_RATE`.
"""

from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import select

from quant.messages.data import DataSource
from quant.messages.evidence import Statistics
from quant.messages.record.hypotheses import Verdict
from quant.verdict.deflation import Today, control_false_discoveries, judge_today
from storage.ledger.database import Database
from storage.ledger.experiments import Experiments, summarise
from storage.ledger.looks import Looks
from storage.ledger.records import Standing
from storage.ledger.rows import ExperimentRow
from storage.ledger.selection import IS_ORIGINAL, build_conditions, is_member_of
from storage.ledger.trials import Trials

FALSE_DISCOVERY_RATE: Final = 0.05

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
        self, *, limit: int, offset: int = 0, members_of: str | None = None, **equals: str | None
    ) -> tuple[list[Standing], int]:
        """Return one page, the best verdict first, and the total number of experiments.

        The Sharpe ratio, deflated by all trials made until today, decides among equal verdicts. A
        promising strategy whose record no longer meets its conditions ranks as mediocre. Otherwise
        early researches, judged by few trials, would stay on top for ever. So does one that may be
        the luck of many questions: among all experiments that these filters find, the procedure of
        Benjamini and Yekutieli does not count it as a discovery.

        Args:
            limit: The longest page.
            offset: How many experiments to skip.
            members_of: Only the members of this campaign.
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
        if members_of is not None:
            statement = statement.where(is_member_of(members_of))
        with self._database.begin_reading() as session:
            found = session.execute(statement).all()
        counts = {
            bars: dict(zip(("trials_ever", "holdout_looks"), self.count(*bars), strict=True))
            for bars in {(row.symbol, row.timeframe) for row in found}
        }
        today = {
            row.operation_id: _judge_today(
                row.statistics, counts[row.symbol, row.timeframe]["trials_ever"]
            )
            for row in found
        }
        deflated = {
            row.operation_id: now.deflated_sharpe if now else row.deflated_sharpe
            for row in found
            for now in [today[row.operation_id]]
        }
        # A research that a gate stopped has asked its question, too.
        rates = dict(
            zip(
                today,
                control_false_discoveries([now.p_value if now else 1.0 for now in today.values()]),
                strict=True,
            )
        )

        def is_discovery(operation_id: str) -> bool:
            now = today[operation_id]
            return (
                now is not None and now.is_supported and rates[operation_id] <= FALSE_DISCOVERY_RATE
            )

        def rank(operation_id: str, verdict: str | None) -> tuple[int, float, str]:
            now = deflated[operation_id]
            if verdict == "promising" and not is_discovery(operation_id):
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
                false_discovery_rate=rates[each.operation_id],
                is_discovery=each.verdict == "promising" and is_discovery(each.operation_id),
            )
            for each in map(shown.__getitem__, page)
        ], len(found)

    def count(self, symbol: str, timeframe: str) -> tuple[int, int]:
        """Return the numbers of trials and of looks on this symbol and timeframe."""
        bars = DataSource(
            symbol=symbol,
            timeframe=timeframe,
            content_hash=self._experiments.get_newest_data_hash(symbol, timeframe),
        )
        return self._trials.count(bars), self._looks.count(bars)


def _judge_today(recorded: dict[str, Any] | None, trials: int) -> Today | None:
    try:
        return judge_today(trials, Statistics.model_validate(recorded)) if recorded else None
    except ValidationError:
        return None  # Early versions judged the holdout alone and recorded less.
