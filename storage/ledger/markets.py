"""Markets: what has been tried on each symbol and timeframe, and what that costs the next try."""

from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import func, select

from quant.messages.data import DataSource
from quant.messages.evidence import Statistics
from quant.verdict.deflation import find_expected_best, find_required_sharpe
from storage.ledger.database import Database
from storage.ledger.experiments import Experiments
from storage.ledger.looks import Looks
from storage.ledger.records import Market
from storage.ledger.rows import ExperimentRow
from storage.ledger.selection import build_conditions
from storage.ledger.trials import Trials


class Markets:
    """All symbols and timeframes on which a research has ended."""

    def __init__(
        self, database: Database, experiments: Experiments, trials: Trials, looks: Looks
    ) -> None:
        self._database = database
        self._experiments = experiments
        self._trials = trials
        self._looks = looks

    def find(
        self, *, trials: int, limit: int, offset: int = 0, **equals: str | None
    ) -> tuple[list[Market], int]:
        """Return one page, the market of the last research first, and their total number.

        Args:
            trials: How many new candidates the next research would try.
            limit: The longest page.
            offset: How many markets to skip.
            equals: The value of each column of an experiment by its name. None accepts every
                value.
        """
        ended = (
            select(
                ExperimentRow.symbol,
                ExperimentRow.timeframe,
                func.count().label("researches"),
                func.max(ExperimentRow.finished_at, type_=ExperimentRow.finished_at.type).label(
                    "last"
                ),
            )
            .where(*build_conditions(equals))
            .group_by(ExperimentRow.symbol, ExperimentRow.timeframe)
        )
        newest_first = ended.order_by(
            func.max(ExperimentRow.finished_at).desc(),
            ExperimentRow.symbol,
            ExperimentRow.timeframe,
        )
        with self._database.begin_reading() as session:
            rows = session.execute(newest_first.limit(limit).offset(offset)).all()
            total = session.scalar(select(func.count()).select_from(ended.subquery())) or 0
        return [self._describe(trials, *row) for row in rows], total

    def get(self, symbol: str, timeframe: str, *, trials: int) -> Market:
        """Return one market, also if nothing was ever tried on it."""
        found, _ = self.find(trials=trials, limit=1, symbol=symbol, timeframe=timeframe)
        return found[0] if found else self._describe(trials, symbol, timeframe, 0, None)

    def _describe(
        self, trials: int, symbol: str, timeframe: str, researches: int, last: datetime | None
    ) -> Market:
        bars = DataSource(
            symbol=symbol,
            timeframe=timeframe,
            content_hash=self._experiments.get_newest_data_hash(symbol, timeframe),
        )
        ever, looks = self._trials.count(bars), self._looks.count(bars)
        judged = self._find_newest_statistics(symbol, timeframe)
        after = ever + trials
        return Market(
            symbol=symbol,
            timeframe=timeframe,
            researches=researches,
            last_research_at=last,
            trials_ever=ever,
            holdout_looks=looks,
            next_trials=after,
            next_look=looks + 1,
            expected_best_sharpe=judged and find_expected_best(after, judged),
            required_sharpe=judged and find_required_sharpe(after, judged),
        )

    def _find_newest_statistics(self, symbol: str, timeframe: str) -> Statistics | None:
        """Return the figures of the last research that was judged by its record."""
        statement = (
            select(ExperimentRow.metrics["statistics"])
            .where(
                ExperimentRow.symbol == symbol,
                ExperimentRow.timeframe == timeframe,
                ExperimentRow.deflated_sharpe.is_not(None),
            )
            .order_by(ExperimentRow.finished_at.desc())
            .limit(1)
        )
        with self._database.begin_reading() as session:
            recorded = session.scalar(statement)
        try:
            return Statistics.model_validate(recorded) if recorded else None
        except ValidationError:
            return None  # Early versions judged the holdout alone and recorded less.
