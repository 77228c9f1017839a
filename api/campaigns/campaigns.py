"""Starts, shows and reports campaigns."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime

from api.agent.budget import DailyBudget
from api.agent.researches import ResearchStarter
from api.artifacts.marks import refuse_deleted
from api.campaigns.members import describe_pending
from api.campaigns.preparation import PreparedCampaign, prepare_campaign
from api.campaigns.schemas import CampaignInfo, CampaignReportPage, CampaignStarted
from api.idempotency import IdempotencyKey
from api.operations.resolver import Resolver
from api.operations.start import WorkflowStart, make_priority
from api.operations.starter import Starter
from errors import ArtifactsUnavailable, InvalidInput, OperationNotFound, TemporalUnavailable
from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.campaign import CampaignRecord, CampaignReport, CampaignRow
from quant.wording import format_count, say_missing
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from workflows.interface import search_attributes
from workflows.interface.campaigns import CampaignInput, CampaignRequest
from workflows.interface.contract import CAMPAIGN_QUERY, OperationInfo, OperationType, Phase
from workflows.interface.ids import make_member_id, make_operation_id, parse_member_id
from workflows.policies import RESEARCH_QUEUE


class Campaigns:
    """The campaigns of a namespace."""

    def __init__(
        self,
        researches: ResearchStarter,
        starter: Starter,
        budget: DailyBudget,
        resolver: Resolver,
        artifacts: ArtifactStore,
        ledger: Ledger,
        max_active_researches: int | None,
    ) -> None:
        self._researches = researches
        self._starter = starter
        self._budget = budget
        self._resolver = resolver
        self._artifacts = artifacts
        self._ledger = ledger
        self._max_active = max_active_researches

    async def start(self, request: CampaignRequest, key: IdempotencyKey | None) -> CampaignStarted:
        """Start a campaign.

        Raises:
            InvalidInput: The request is not valid, or another campaign of the owner has the name.
            BudgetExhausted: Today's budget for language models is spent.
            KeyReused: The key was used with a different request.
            TemporalUnavailable: Temporal does not answer.
        """
        prepared = await prepare_campaign(request, self._researches, self._max_active)
        if prepared.request.research.model is not None:
            await self._budget.require_research()
        operation_id = make_operation_id(OperationType.CAMPAIGN, datetime.now(UTC))
        known = False
        if key is not None:
            operation_id, known = await self._starter.claim(key, operation_id)
        if not (known and await self._starter.exists(operation_id)):
            operation_id = await self._claim_name(prepared.request, operation_id)
            await self._starter.start_once(_make_start(prepared, self._max_active), operation_id)
        return CampaignStarted(
            operation_id=operation_id,
            name=request.name,
            members=request.members,
            trials=prepared.trials,
            warnings=list(prepared.warnings),
        )

    async def _claim_name(self, request: CampaignRequest, operation_id: str) -> str:
        """Return the id under which the campaign may start: its name stands for it from now on."""
        owner = request.research.owner
        name = IdempotencyKey(f"campaign\n{owner}\n{request.name}", "")
        named, taken = await self._starter.claim(name, operation_id)
        if taken and named != operation_id and await self._starter.exists(named):
            raise InvalidInput(
                f"name: {named} of {owner} is already called {request.name}.", field="name"
            )
        return named

    async def require(self, operation_id: str) -> OperationInfo:
        """Return a campaign as an operation.

        Raises:
            OperationNotFound: No campaign has this id.
            TemporalUnavailable: Temporal does not answer.
        """
        operation = await self._resolver.find_operation(operation_id)
        if operation.operation_type is not OperationType.CAMPAIGN:
            raise OperationNotFound(say_missing("campaign", operation_id))
        return operation

    async def read(self, operation_id: str) -> CampaignInfo:
        """Return one campaign. Without the artifact store and a worker, it lacks its own figures.

        Raises:
            OperationNotFound: No campaign has this id.
            TemporalUnavailable: Temporal does not answer.
        """
        operation = await self.require(operation_id)
        record = await self._ask(operation_id)
        if record is None:
            with contextlib.suppress(ArtifactsUnavailable):
                record = await self._read_record(operation_id)
        running = _list_running(operation, record) if record is not None else []
        return CampaignInfo(**operation.model_dump(), campaign=record, running=running)

    async def report(self, operation_id: str, page: CampaignReportPage) -> CampaignReport:
        """Return members that have begun. They are kept longer than Temporal keeps the campaign.

        Args:
            operation_id: The campaign.
            page: Which of its members.

        Raises:
            OperationNotFound: No campaign has this id.
            ArtifactsDeleted: The record was deleted.
            LedgerUnavailable: The ledger, which has the members, does not answer.
            ArtifactsUnavailable: The artifact store does not answer.
            TemporalUnavailable: It has no record yet, and Temporal or the workers do not answer.
        """
        record = await self._read_record(operation_id) or await self._ask(operation_id)
        if record is None:
            await refuse_deleted(self._artifacts, operation_id)
            await self.require(operation_id)
            raise TemporalUnavailable(
                f"No worker has told which members {operation_id} has: start one, or see its log."
            )
        ids = [make_member_id(operation_id, each + 1) for each in range(record.state.begun)]
        rows = await self._ledger.ask(self._ledger.campaigns.list_members, record, ids)
        shown = rows[page.offset : page.offset + page.limit]
        return CampaignReport(
            campaign=record,
            rows=_complete(record, shown),
            discoveries=sum(row.is_discovery for row in rows),
        )

    async def find_recorded_owner(self, operation_id: str) -> str | None:
        """Return the owner of a campaign that has ended; None if there is no such record.

        Raises:
            ArtifactsUnavailable: The artifact store does not answer.
        """
        record = await self._read_record(operation_id)
        return record.owner if record is not None else None

    async def _ask(self, operation_id: str) -> CampaignRecord | None:
        """Return what a worker says of a campaign; None if none answers."""
        return await self._resolver.query(operation_id, CAMPAIGN_QUERY, CampaignRecord)

    async def _read_record(self, operation_id: str) -> CampaignRecord | None:
        """Return what the store has of a campaign that has ended."""
        content = await self._artifacts.open(operation_id).fetch(Artifact.CAMPAIGN)
        if content is None:
            return None
        return parse_artifact(CampaignRecord, content, Artifact.CAMPAIGN)


def _list_running(operation: OperationInfo, record: CampaignRecord) -> list[CampaignRow]:
    found = (parse_member_id(each.operation_id) for each in operation.children)
    return list(describe_pending(record, [each[1] for each in found if each]).values())


def _complete(record: CampaignRecord, rows: Sequence[CampaignRow]) -> tuple[CampaignRow, ...]:
    """Return the rows, with what those look for that have no record yet."""
    pending = describe_pending(record, [each.number for each in rows if each.status == "pending"])
    return tuple(pending.get(row.number, row) for row in rows)


def _make_start(prepared: PreparedCampaign, max_active: int | None) -> WorkflowStart:
    request = prepared.request
    research = request.research
    one = request.symbols is None or len(request.symbols) == 1
    return WorkflowStart(
        OperationType.CAMPAIGN,
        CampaignInput(request=request, max_active=max_active),
        RESEARCH_QUEUE,
        f"{request.name} · {format_count(request.members, 'research', 'researches')}",
        request.name,
        make_priority(research),
        search_attributes.make_pairs(
            operation_type=OperationType.CAMPAIGN,
            phase=Phase.QUEUED,
            symbol=request.get_cell(0).symbol if one else None,
            owner=research.owner,
        ),
        prepared.warnings,
    )
