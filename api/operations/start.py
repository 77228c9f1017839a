"""Starting operations: each at most once, and no more researches than the installation allows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from temporalio.client import Client
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.operations.admission import AdmissionDesk
from api.temporal_calls import RPC_TIMEOUT, answered
from errors import AtCapacity, KeyReused, TemporalUnavailable
from quant.bars import catalog
from quant.messages.base import FrozenModel
from quant.messages.steps import BacktestInput, TrainingInput
from quant.strategy.files import load_strategy
from settings import Settings
from workflows import search_attributes
from workflows.claim import Claim, make_claim_id
from workflows.contract import WORKFLOW_NAME, OperationType, Phase
from workflows.ids import make_operation_id
from workflows.messages import (
    BacktestRequest,
    FinishedSteps,
    OwnedRequest,
    ResearchInput,
    ResearchRequest,
)
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE

# Of hundreds at once on a busy machine, the last would wait longer than a call may take.
_STARTS_AT_ONCE: Final = 10
_LONGEST_TURN_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Start:
    """A workflow to be started, with everything that Temporal shows of it."""

    operation_type: OperationType
    argument: FrozenModel
    task_queue: str
    summary: str
    priority: Priority
    attributes: Sequence[SearchAttributePair[str]]


async def check_research(request: ResearchRequest, settings: Settings) -> None:
    """Check what only this installation knows.

    Raises:
        InvalidInput: the bars or the strategy do not exist.
    """
    await asyncio.to_thread(catalog.find_file, request.data, settings.data_dir)
    if request.strategy is not None:
        await asyncio.to_thread(load_strategy, request.strategy, settings.strategy_dir)


def priority_of(request: OwnedRequest) -> Priority:
    """Return Temporal's priority of this work: by its number, and fair between owners."""
    return Priority(priority_key=request.priority, fairness_key=request.owner)


def research_start(request: ResearchRequest, finished: FinishedSteps | None = None) -> Start:
    """Describe the start of a research, with the finished steps of the run that it resumes."""
    given = ResearchInput.of(request, finished)
    known = given.finished or given.reproduces
    return Start(
        OperationType.RESEARCH,
        given,
        RESEARCH_QUEUE,
        request.headline,
        priority_of(request),
        search_attributes.make_pairs(
            operation_type=OperationType.RESEARCH,
            phase=Phase.QUEUED,
            symbol=request.symbol,
            owner=request.owner,
            strategy=known.spec.name if known and known.spec else None,
        ),
    )


def training_start(given: TrainingInput, priority: Priority) -> Start:
    """Describe the start of a training outside any research."""
    return _step(OperationType.TRAINING, given, given, TRAINING_QUEUE, priority)


def backtest_start(request: BacktestRequest, priority: Priority) -> Start:
    """Describe the start of a backtest outside any research."""
    return _step(OperationType.BACKTEST, request, request.input, BACKTEST_QUEUE, priority)


def _step(
    operation_type: OperationType,
    argument: FrozenModel,
    given: TrainingInput | BacktestInput,
    task_queue: str,
    priority: Priority,
) -> Start:
    return Start(
        operation_type,
        argument,
        task_queue,
        f"{given.data.symbol} {given.data.timeframe} · {given.spec.name}",
        priority,
        search_attributes.make_pairs(
            operation_type=operation_type,
            symbol=given.data.symbol,
            owner=priority.fairness_key,
            strategy=given.spec.name,
        ),
    )


@dataclass(frozen=True)
class IdempotencyKey:
    """A key that a client sent, and a digest of the request that it came with."""

    key: str
    request_digest: str

    @property
    def claim_id(self) -> str:
        """Id of the key among Temporal's workflows and requests."""
        return make_claim_id(self.key)

    def memo(self, stands_for: str) -> dict[str, str]:
        """Return the memo that ties the key to what it stands for, usually an operation."""
        return {
            "stands_for": stands_for,
            "key": self.claim_id,
            "request": self.request_digest,
        }

    def opened(self, memo: dict[str, Any]) -> str | None:
        """Return what a memo says the key stands for, or None if the memo is of another key.

        Raises:
            KeyReused: the key was used with a different request.
        """
        if memo.get("key") != self.claim_id:
            return None
        if memo["request"] != self.request_digest:
            raise KeyReused(
                "This Idempotency-Key was already used with a different request.",
                field="Idempotency-Key",
            )
        return str(memo["stands_for"])


class Starter:
    """Starts workflows.

    Args:
        client: of Temporal.
        max_active_researches: None for no limit.
    """

    def __init__(self, client: Client, max_active_researches: int | None) -> None:
        self._client = client
        self._limit = max_active_researches
        self._desk = AdmissionDesk(client)
        self._turns = asyncio.Semaphore(_STARTS_AT_ONCE)

    async def start_new(self, start: Start, key: IdempotencyKey | None = None) -> str:
        """Start an operation under a new id, or under the one that its key stands for.

        Returns:
            The operation id.

        Raises:
            KeyReused: the key was used with a different request.
            AtCapacity: the limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        operation_id = make_operation_id(start.operation_type, datetime.now(UTC))
        if key is not None:
            operation_id, earlier = await self.claim(key, operation_id)
            if earlier and await self._exists(operation_id):
                return operation_id
        # Of simultaneous requests with the same key, only one starts it.
        with contextlib.suppress(WorkflowAlreadyStartedError):
            await self.start(start, operation_id, again=False)
        return operation_id

    async def start(
        self,
        start: Start,
        operation_id: str,
        *,
        again: bool,
        memo: Mapping[str, Any] | None = None,
    ) -> None:
        """Start an operation under this id.

        Args:
            start: what to start.
            operation_id: not the id of a running operation.
            again: whether an ended operation may have had this id.
            memo: kept with the operation.

        Raises:
            WorkflowAlreadyStartedError: the id is taken.
            AtCapacity: the limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        if self._limit is not None and start.operation_type is OperationType.RESEARCH:
            answer = await self._desk.admit(operation_id, self._limit)
            if not answer.admitted:
                raise AtCapacity(answer.active_count, self._limit)
        async with self._turn():
            await answered(
                self._client.start_workflow(
                    WORKFLOW_NAME[start.operation_type],
                    start.argument,
                    id=operation_id,
                    task_queue=start.task_queue,
                    priority=start.priority,
                    static_summary=start.summary,
                    search_attributes=TypedSearchAttributes(start.attributes),
                    memo=memo,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE
                    if again
                    else WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    rpc_timeout=RPC_TIMEOUT,
                )
            )

    async def claim(self, key: IdempotencyKey, stands_for: str) -> tuple[str, bool]:
        """Register what the key stands for, unless it is registered already.

        Returns:
            What it stands for, and whether that was registered before.

        Raises:
            KeyReused: the key was used with a different request.
            TemporalUnavailable: Temporal does not answer.
        """
        async with self._turn():
            try:
                await answered(
                    self._client.start_workflow(
                        Claim.run,
                        id=key.claim_id,
                        task_queue=RESEARCH_QUEUE,
                        memo=key.memo(stands_for),
                        static_summary=f"Idempotency key of {stands_for}",
                        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                        rpc_timeout=RPC_TIMEOUT,
                    )
                )
            except WorkflowAlreadyStartedError:
                handle = self._client.get_workflow_handle(key.claim_id)
                description = await answered(handle.describe(rpc_timeout=RPC_TIMEOUT))
                return key.opened(dict(await description.memo())) or stands_for, True
            return stands_for, False

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Let only so many starts be in flight; the others wait without troubling Temporal.

        Raises:
            TemporalUnavailable: those before take too long.
        """
        try:
            async with asyncio.timeout(_LONGEST_TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError as error:
            raise TemporalUnavailable("Temporal is busy; try again in a moment.") from error
        try:
            yield
        finally:
            self._turns.release()

    async def _exists(self, operation_id: str) -> bool:
        handle = self._client.get_workflow_handle(operation_id)
        try:
            await answered(handle.describe(rpc_timeout=RPC_TIMEOUT))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False  # The request that claimed it ended before it started it.
            raise
        return True
