"""The members of a campaign, as the ledger has recorded them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from quant.messages.campaign import CampaignRecord, CampaignRow
from storage.ledger.database import Database
from storage.ledger.leaderboard import Leaderboard
from storage.ledger.records import Standing
from storage.ledger.rows import ExperimentRow, to_dollars
from storage.ledger.selection import is_member_of

# What a row of the report has of the record, under the same names.
_COLUMNS: Final = (
    ExperimentRow.status,
    ExperimentRow.symbol,
    ExperimentRow.timeframe,
    ExperimentRow.designer,
    ExperimentRow.brief,
    ExperimentRow.seed,
    ExperimentRow.strategy_name,
    ExperimentRow.verdict,
    ExperimentRow.development_sharpe,
    ExperimentRow.sharpe,
    ExperimentRow.total_return,
    ExperimentRow.error,
)
_PENDING: Final[Mapping[str, Any]] = {"status": "pending"}


@dataclass(frozen=True)
class DevelopmentOutcome:
    """What a research has found, as far as it was found on development bars.

    Attributes:
        sharpe: Annualised Sharpe ratio of the walk-forward, after cost.
        strategy: A `StrategySpec` as JSON.
    """

    sharpe: float | None
    strategy: dict[str, Any] | None


class CampaignMembers:
    """Members by their ids: the record itself knows no campaigns."""

    def __init__(self, database: Database, leaderboard: Leaderboard) -> None:
        self._database = database
        self._leaderboard = leaderboard

    def list_members(self, campaign: CampaignRecord, ids: Sequence[str]) -> list[CampaignRow]:
        """Return all members that have begun, ranked as the leaderboard ranks.

        They are judged by all trials made until today, and the false discoveries are those among
        the members that were judged. Members without a verdict come last, by their numbers.

        Args:
            campaign: The campaign.
            ids: The ids of its members, by their numbers.
        """
        standings, _ = self._leaderboard.find(limit=len(ids), members_of=campaign.operation_id)
        ranked = {each.operation_id: each for each in standings}
        order = {operation_id: place for place, operation_id in enumerate(ranked)}
        recorded = self._find(campaign.operation_id)
        rows = [
            _make_row(campaign, number, each, recorded.get(each, _PENDING), ranked.get(each))
            for number, each in enumerate(ids, start=1)
        ]
        return sorted(rows, key=lambda row: (order.get(row.operation_id, len(order)), row.number))

    def get_development(self, operation_ids: Sequence[str]) -> dict[str, DevelopmentOutcome]:
        """Return what these researches have found on development bars, and nothing else of them."""
        statement = select(
            ExperimentRow.operation_id, ExperimentRow.development_sharpe, ExperimentRow.strategy
        ).where(ExperimentRow.operation_id.in_(operation_ids))
        with self._database.begin_reading() as session:
            return {
                row.operation_id: DevelopmentOutcome(row.development_sharpe, row.strategy)
                for row in session.execute(statement)
            }

    def _find(self, campaign_id: str) -> dict[str, dict[str, Any]]:
        statement = select(
            ExperimentRow.operation_id, ExperimentRow.cost_microdollars, *_COLUMNS
        ).where(is_member_of(campaign_id))
        with self._database.begin_reading() as session:
            found = session.execute(statement).mappings().all()
        return {
            row["operation_id"]: {each.key: row[each.key] for each in _COLUMNS}
            | {"cost": to_dollars(row["cost_microdollars"])}
            for row in found
        }


def _make_row(
    campaign: CampaignRecord,
    number: int,
    operation_id: str,
    recorded: Mapping[str, Any],
    standing: Standing | None,
) -> CampaignRow:
    judged: dict[str, Any] = {}
    if standing is not None:
        judged = {
            "deflated_sharpe": standing.deflated_sharpe,
            "false_discovery_rate": standing.false_discovery_rate,
            "is_discovery": standing.is_discovery,
            "trials_ever": standing.trials_ever,
            "holdout_looks": standing.holdout_looks,
        }
    return CampaignRow(
        number=number,
        operation_id=operation_id,
        generation=(number - 1) // campaign.members_per_generation + 1,
        **recorded,
        **judged,
    )
