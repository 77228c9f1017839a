"""Hypotheses in the ledger. Each is registered once; its first test settles it."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import and_, case, select, update

from quant.messages.record.hypotheses import (
    OUTCOME,
    Condition,
    Hypothesis,
    HypothesisStatus,
    Verdict,
)
from quant.messages.strategy import StrategySpec
from storage.ledger.database import Database
from storage.ledger.records import HypothesisRecord
from storage.ledger.rows import ExperimentRow, HypothesisRow


class Hypotheses:
    """The table of hypotheses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(
        self,
        hypotheses: Iterable[Hypothesis],
        *,
        operation_id: str,
        symbol: str,
        timeframe: str,
        now: datetime,
    ) -> None:
        """Add the hypotheses that are new for this symbol and timeframe."""
        rows = [
            {
                "hypothesis_id": _make_id(hypothesis, symbol, timeframe),
                "symbol": symbol,
                "timeframe": timeframe,
                "statement": hypothesis.statement,
                "test": {
                    "any_of": [each.model_dump(exclude_defaults=True) for each in hypothesis.test]
                },
                "status": "open",
                "by_holdout": hypothesis.by_holdout,
                "operation_id": operation_id,
                "created_at": now,
            }
            for hypothesis in hypotheses
        ]
        if rows:
            insert = self._database.insert(HypothesisRow)
            # A designer may see a hypothesis that the walk-forward, too, has suggested.
            known = insert.on_conflict_do_update(
                index_elements=[HypothesisRow.hypothesis_id],
                set_={"by_holdout": and_(HypothesisRow.by_holdout, insert.excluded.by_holdout)},
            )
            with self._database.begin_writing() as session:
                session.execute(
                    known,
                    sorted(rows, key=lambda row: str(row["hypothesis_id"])),
                )

    def settle(
        self,
        spec: StrategySpec,
        verdict: Verdict,
        *,
        operation_id: str,
        symbol: str,
        timeframe: str,
        now: datetime,
        named: Sequence[str] = (),
    ) -> list[str]:
        """Settle the open hypotheses that a research has tested.

        Args:
            spec: The strategy of the research.
            verdict: The verdict on the strategy.
            operation_id: Id of the research. It does not test its own hypotheses.
            symbol: Symbol of its bars.
            timeframe: Timeframe of its bars.
            now: The time to record.
            named: Ids of the hypotheses that the designer chose to test.

        Returns:
            The ids of the settled hypotheses.
        """
        unsettled = self.find(status="open", timeframe=timeframe, limit=None)
        tested = [
            record.hypothesis_id
            for record in unsettled
            if record.operation_id != operation_id
            and (
                record.hypothesis_id in named
                or Hypothesis(statement=record.statement, test=record.test).is_tested_by(
                    spec, symbol, arose_on=record.symbol
                )
            )
        ]
        with self._database.begin_writing() as session:
            session.execute(
                update(HypothesisRow)
                .where(HypothesisRow.hypothesis_id.in_(tested), HypothesisRow.status == "open")
                .values(status=OUTCOME[verdict], tested_by=operation_id, tested_at=now)
            )
        return tested

    def find(
        self,
        *,
        status: HypothesisStatus | None = None,
        symbol: str | None = None,
        timeframe: str | None = None,
        owner: str | None = None,
        by_holdout: bool | None = None,
        limit: int | None,
    ) -> list[HypothesisRecord]:
        """Return hypotheses, newest first.

        With an owner, only the hypotheses of that owner's researches are returned. One that
        another owner's research has settled counts as open: its status would give that research's
        verdict away.
        """
        conditions = {"symbol": symbol, "timeframe": timeframe, "by_holdout": by_holdout}
        own = select(ExperimentRow.operation_id).where(ExperimentRow.owner == owner)
        settled_by_own = HypothesisRow.tested_by.in_(own)
        shown = (
            HypothesisRow.status
            if owner is None
            else case((settled_by_own, HypothesisRow.status), else_="open")
        )
        statement = (
            select(HypothesisRow)
            .filter_by(**{name: value for name, value in conditions.items() if value is not None})
            .order_by(HypothesisRow.created_at.desc(), HypothesisRow.hypothesis_id)
            .limit(limit)
        )
        if owner is not None:
            statement = statement.where(HypothesisRow.operation_id.in_(own))
        if status is not None:
            statement = statement.where(shown == status)
        with self._database.begin_reading() as session:
            records = [_to_record(row) for row in session.scalars(statement)]
            if owner is None:
                return records
            testers = {each.tested_by for each in records}
            known = set(session.scalars(own.where(ExperimentRow.operation_id.in_(testers))))
        hidden = {"status": "open", "tested_by": None, "tested_at": None}
        return [
            each if each.tested_by in known else each.model_copy(update=hidden) for each in records
        ]


def _make_id(hypothesis: Hypothesis, symbol: str, timeframe: str) -> str:
    """Return the id: equal tests give equal ids, whatever figures the statements contain."""
    content = hypothesis.statement
    if hypothesis.test:
        content = "|".join(each.model_dump_json(exclude_defaults=True) for each in hypothesis.test)
    digest = hashlib.sha256(f"{symbol}|{timeframe}|{content}".encode()).hexdigest()
    return f"hyp_{digest[:16]}"


def _to_record(row: HypothesisRow) -> HypothesisRecord:
    return HypothesisRecord(
        hypothesis_id=row.hypothesis_id,
        symbol=row.symbol,
        timeframe=row.timeframe,
        statement=row.statement,
        test=tuple(Condition(**each) for each in (row.test or {}).get("any_of", ())),
        status=row.status,
        by_holdout=row.by_holdout,
        operation_id=row.operation_id,
        created_at=row.created_at,
        tested_by=row.tested_by,
        tested_at=row.tested_at,
    )
