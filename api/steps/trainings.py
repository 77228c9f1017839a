"""Finds trainings by their strategy, and reads their results."""

import asyncio
from collections.abc import Collection
from typing import Final

from pydantic import ValidationError
from temporalio.client import Client, WorkflowExecution, WorkflowFailureError
from temporalio.exceptions import FailureError
from temporalio.service import RPCError, RPCStatusCode

from api.artifacts.marks import read_deletion
from api.steps.schemas import ModelListResponse, ModelSummary
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from errors import UnreadablePayload
from quant.messages.steps import TrainingResult
from storage.artifacts import ArtifactStore
from workflows.interface import search_attributes
from workflows.interface.contract import WORKFLOW_NAME, OperationType
from workflows.requests.parameters import make_model_path

COMPLETED: Final = "ExecutionStatus = 'Completed'"

_TRAININGS: Final = f"WorkflowType = '{WORKFLOW_NAME[OperationType.TRAINING]}'"
_LARGEST_PAGE: Final = 1000
_MOST_NAMES: Final = 200
"""So many strategies are named in one query."""
_MOST_READS: Final = 16


class Trainings:
    """The trainings that Temporal keeps, those of researches included.

    Every method raises TemporalUnavailable if Temporal does not answer.
    """

    def __init__(self, client: Client, artifacts: ArtifactStore) -> None:
        self._client = client
        self._artifacts = artifacts
        self._reads = asyncio.Semaphore(_MOST_READS)

    async def find_newest(
        self, limit: int, *terms: str, owner: str | None = None
    ) -> list[WorkflowExecution]:
        """Return the trainings that match, the running ones first, then by their end.

        Args:
            limit: At most so many.
            *terms: Of the query. Their values must be free of quotes.
            owner: Whose trainings. None for those of all owners.
        """
        query = self._make_query(*terms, owner=owner)
        pages = self._client.list_workflows(
            query, page_size=min(limit, _LARGEST_PAGE), rpc_timeout=RPC_TIMEOUT
        )
        try:
            await call_temporal(pages.fetch_next_page())
        except RPCError as error:
            if error.status is RPCStatusCode.INVALID_ARGUMENT:
                return []  # No worker has registered the search attributes yet.
            raise
        return list(pages.current_page or ())[:limit]

    async def find_of_strategies(
        self, names: Collection[str], *, owner: str | None = None
    ) -> dict[str, list[WorkflowExecution]]:
        """Return the newest trainings of these strategies, by strategy."""
        ordered = sorted(names)
        chunks = [ordered[at : at + _MOST_NAMES] for at in range(0, len(ordered), _MOST_NAMES)]
        pages = await asyncio.gather(
            *(self.find_newest(_LARGEST_PAGE, is_of(*chunk), owner=owner) for chunk in chunks)
        )
        found: dict[str, list[WorkflowExecution]] = {}
        for execution in (each for page in pages for each in page):
            name = execution.typed_search_attributes.get(search_attributes.STRATEGY)
            found.setdefault(name or "", []).append(execution)
        return found

    async def read_result(self, execution: WorkflowExecution) -> TrainingResult | None:
        """Return the result of a completed training; None if it has none that can be read."""
        handle = self._client.get_workflow_handle(
            execution.id, run_id=execution.run_id, result_type=TrainingResult
        )
        async with self._reads:
            try:
                result = await call_temporal(handle.result(rpc_timeout=RPC_TIMEOUT))
                return TrainingResult.model_validate(result)
            except (
                WorkflowFailureError,
                FailureError,
                UnreadablePayload,
                ValidationError,
                RPCError,
            ):
                return None  # Someone else's workflow, or removed meanwhile.

    async def list_models(self, limit: int, *, owner: str | None = None) -> ModelListResponse:
        """Return the trained models, newest first. Those that were deleted are left out.

        Raises:
            ArtifactsUnavailable: The artifact store, which knows what was deleted, does not answer.
        """
        query = self._make_query(COMPLETED, owner=owner)
        completed, total = await asyncio.gather(
            self.find_newest(limit, COMPLETED, owner=owner),
            call_temporal(self._client.count_workflows(query, rpc_timeout=RPC_TIMEOUT)),
        )
        models = await asyncio.gather(*map(self._summarise, completed))
        known = [model for model in models if model is not None]
        return ModelListResponse(
            models=known, total_count=total.count - (len(completed) - len(known))
        )

    async def _summarise(self, execution: WorkflowExecution) -> ModelSummary | None:
        result = await self.read_result(execution)
        async with self._reads:
            deletion = await read_deletion(self._artifacts, execution.id)
        if result is None or deletion is not None:
            return None
        data = result.data
        return ModelSummary(
            model_id=execution.id,
            model_name=execution.typed_search_attributes.get(search_attributes.STRATEGY) or "",
            symbol=data.symbol,
            timeframe=data.timeframe,
            created_at=execution.close_time or execution.start_time,
            test_accuracy=result.accuracy,
            model_path=make_model_path(execution.id),
            description=f"{result.iterations} iterations on the bars of {data.symbol} "
            f"{data.timeframe} from {data.start} until {data.holdout_start}",
        )

    def _make_query(self, *terms: str, owner: str | None) -> str:
        of_owner = [] if owner is None else [f"{search_attributes.OWNER.name} = '{owner}'"]
        return " AND ".join((_TRAININGS, *terms, *of_owner))


def is_of(*strategies: str) -> str:
    """Return the term of a query for trainings of these strategies."""
    names = ", ".join(f"'{name}'" for name in strategies)
    return f"{search_attributes.STRATEGY.name} IN ({names})"


def is_on(symbol: str) -> str:
    """Return the term of a query for trainings on the bars of this symbol."""
    return f"({search_attributes.is_about(symbol)})"
