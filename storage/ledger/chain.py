"""The chain of trials and looks: each entry carries the hash of the one before.

A row that is changed, removed or put in between breaks the chain from there on. Whoever rewrites
all that follows changes the head, and the reports of earlier researches name the head that they
rest on.
"""

import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from quant.messages.record.market import LedgerHead
from storage.ledger.database import Database
from storage.ledger.records import Verification
from storage.ledger.rows import ExperimentRow, LookRow, TrialRow

_Entry = TrialRow | LookRow
# No verdict rests on the number of trades of a candidate, which earlier versions do not know.
_NOT_HASHED: Final = ("entry", "entry_hash", "trades")
_TABLES: Final[tuple[type[TrialRow] | type[LookRow], ...]] = (TrialRow, LookRow)
# A ledger from before the chain joins it in parts.
_MOST_AT_ONCE: Final = 5_000
START: Final = LedgerHead(entry=0, hash="0" * 64)


class Chain:
    """The chain over the tables of trials and looks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_head(self) -> LedgerHead:
        """Return the newest entry."""
        with self._database.begin_reading() as session:
            return get_head(session)

    def verify(self, expected: LedgerHead | None = None) -> Verification:
        """Follow the chain from its beginning, and compare it with the heads in the record.

        Args:
            expected: A head that must be in the chain, as a report names it.
        """
        with self._database.begin_reading() as session:
            heads = dict(_list_recorded_heads(session))
            if expected is not None:
                heads[expected.entry] = (expected.hash, "the given head")
            head, problem = START, None
            for row in _read_entries(session):
                problem = _check(row, head)
                if problem is not None:
                    break
                head = LedgerHead(entry=head.entry + 1, hash=row.entry_hash or "")
                recorded = heads.pop(head.entry, None)
                if recorded is not None and recorded[0] != head.hash:
                    problem = (
                        f"entry {head.entry:,} is not the one that {recorded[1]} rests on: the "
                        "ledger was rewritten"
                    )
                    break
            beyond = [entry for entry in heads if entry > head.entry]
            if problem is None and beyond:
                problem = (
                    f"the ledger ends at entry {head.entry:,}, but {heads[max(beyond)][1]} rests "
                    f"on entry {max(beyond):,}: entries are missing"
                )
            return Verification(
                intact=problem is None,
                entries=head.entry,
                unchained=_count_unchained(session),
                head=head.text,
                problem=problem,
            )


def get_head(session: Session) -> LedgerHead:
    """Return the newest entry of the chain; entry 0 of an empty one."""
    newest = [START]
    for table in _TABLES:
        last = (
            select(table.entry, table.entry_hash)
            .where(table.entry.is_not(None))
            .order_by(table.entry.desc())
            .limit(1)
        )
        newest += [
            LedgerHead(entry=entry or 0, hash=digest or "")
            for entry, digest in session.execute(last)
        ]
    return max(newest, key=lambda head: head.entry)


def extend(session: Session) -> None:
    """Let the rows that are not in the chain join it. Only one transaction may do so at a time."""
    head = get_head(session)
    for table in _TABLES:
        waiting: list[_Entry] = list(
            session.scalars(
                select(table)
                .where(table.entry.is_(None))
                .order_by(table.data_hash, table.fingerprint)
                .limit(_MOST_AT_ONCE)
            )
        )
        joined = []
        for row in waiting:
            digest = _hash(row, head)
            head = LedgerHead(entry=head.entry + 1, hash=digest)
            joined.append({**_get_key(row), "entry": head.entry, "entry_hash": digest})
        if joined:
            session.execute(update(table), joined)


def _check(row: _Entry, head: LedgerHead) -> str | None:
    """Return what is wrong with the entry that follows the head, or None."""
    kind = row.__tablename__.removesuffix("s")
    place = f"entry {row.entry:,}, a {kind} of {row.operation_id},"
    if row.entry != head.entry + 1:
        return f"entry {head.entry + 1:,} is missing: {place} comes next"
    if row.entry_hash != _hash(row, head):
        return f"{place} was changed, or one before it was replaced"
    return None


def _hash(row: _Entry, before: LedgerHead) -> str:
    """Return the SHA-256 of the entry before and of everything that counts in this one."""
    content: dict[str, Any] = {
        column.key: getattr(row, column.key)
        for column in row.__mapper__.column_attrs
        if column.key not in _NOT_HASHED
    }
    text = json.dumps([before.text, row.__tablename__, content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _get_key(row: _Entry) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__mapper__.primary_key}


def _read_entries(session: Session) -> Iterator[_Entry]:
    """Yield all entries of both tables in the order of the chain."""
    tables: list[Iterable[_Entry]] = [
        session.scalars(
            select(table)
            .where(table.entry.is_not(None))
            .order_by(table.entry)
            .execution_options(yield_per=1000)
        )
        for table in _TABLES
    ]
    return heapq.merge(*tables, key=lambda row: row.entry or 0)


def _count_unchained(session: Session) -> int:
    return sum(
        session.scalar(select(func.count()).select_from(table).where(table.entry.is_(None))) or 0
        for table in _TABLES
    )


def _list_recorded_heads(session: Session) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield the heads that the recorded verdicts rest on: entry, hash and operation."""
    heads = session.execute(
        select(ExperimentRow.operation_id, ExperimentRow.metrics["ledger_head"].as_string()).where(
            ExperimentRow.metrics["ledger_head"].as_string().is_not(None)
        )
    )
    for operation_id, text in heads:
        entry, _, digest = str(text).partition(":")
        if entry.isdecimal():
            yield int(entry), (digest, operation_id)
