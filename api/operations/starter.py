"""Starts operations: each at most once, and no more researches than the installation allows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from temporalio.client import Client
from temporalio.common import TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.idempotency import IdempotencyKey
from api.memo import read_whole_memo
from api.operations.admission import AdmissionClient
from api.operations.start import WorkflowStart
from api.temporal_calls import RPC_TIMEOUT, call_temporal
from errors import AtCapacity, KeyReused, TemporalUnavailable
from workflows.claim import Claim
from workflows.interface.contract import START_KEY, WORKFLOW_NAME, OperationType
from workflows.interface.ids import DatedKey, make_operation_id
from workflows.policies import RESEARCH_QUEUE

# With hundreds of calls at once on a busy machine, the last would exceed the time limit of a call.
_MOST_CONCURRENT_STARTS: Final = 10
_LONGEST_WAIT_SECONDS: Final = 30.0
# Two keys of the same second have the same id once in four billion pairs.
_MOST_IDS: Final = 5


class Starter:
    """Starts workflows.

    Args:
        client: The client of Temporal.
        max_active_researches: None for no limit.
    """

    def __init__(self, client: Client, max_active_researches: int | None) -> None:
        self._client = client
        self._limit = max_active_researches
        self._admission = AdmissionClient(client)
        self._semaphore = asyncio.Semaphore(_MOST_CONCURRENT_STARTS)

    async def start_new(self, start: WorkflowStart, key: IdempotencyKey | None = None) -> str:
        """Start an operation under a new id, or under the one that its key stands for.

        Returns:
            The operation id.

        Raises:
            KeyReused: The key was used with a different request.
            AtCapacity: The limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        if key is not None and key.dated is not None:
            return await self._start_dated(start, key, key.dated)
        operation_id = make_operation_id(start.operation_type, datetime.now(UTC))
        if key is not None:
            operation_id, claimed_before = await self.claim(key, operation_id)
            if claimed_before and await self.exists(operation_id):
                return operation_id
        await self.start_once(start, operation_id)
        return operation_id

    async def start_once(self, start: WorkflowStart, operation_id: str) -> None:
        """Start an operation under this id, unless there is or was one.

        Raises:
            AtCapacity: The limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        try:
            # Of simultaneous requests with the same key, only one starts it.
            with contextlib.suppress(WorkflowAlreadyStartedError):
                await self.start_with_id(
                    start, operation_id, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE
                )
        except TemporalUnavailable:
            # Temporal may have started it and answered too late.
            if not await self.exists(operation_id):
                raise

    async def _start_dated(self, start: WorkflowStart, key: IdempotencyKey, dated: DatedKey) -> str:
        """Start an operation under the id that derives from its key, unless it was started."""
        if dated.operation_type is not start.operation_type:
            raise KeyReused(
                f"This Idempotency-Key is for a start of type {dated.operation_type}.",
                field="Idempotency-Key",
            )
        for attempt in range(_MOST_IDS):
            operation_id = dated.make_operation_id(key.key, attempt)
            memo = {START_KEY: key.make_memo(operation_id)}
            if await self._start_if_free(start, operation_id, memo):
                return operation_id
            if await self._belongs_to(operation_id, key):
                return operation_id
        raise KeyReused(
            "Other operations have the ids of this Idempotency-Key; send another one.",
            field="Idempotency-Key",
        )

    async def _start_if_free(
        self, start: WorkflowStart, operation_id: str, memo: Mapping[str, Any]
    ) -> bool:
        """Start an operation, and return whether the id was free."""
        # A repeated request is answered even if there is no room for another operation.
        if self._limit is not None and await self.exists(operation_id):
            return False
        try:
            await self.start_with_id(
                start,
                operation_id,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                memo=memo,
            )
        except WorkflowAlreadyStartedError:
            return False
        except TemporalUnavailable:
            # Temporal may have started it and answered too late.
            if not await self.exists(operation_id):
                raise
            return False
        return True

    async def _belongs_to(self, operation_id: str, key: IdempotencyKey) -> bool:
        """Return whether the key has started this operation, and not one that derives the same id.

        Raises:
            KeyReused: It has, with a different request.
            TemporalUnavailable: Temporal does not answer.
        """
        handle = self._client.get_workflow_handle(operation_id)
        description = await call_temporal(handle.describe(rpc_timeout=RPC_TIMEOUT))
        memo = await read_whole_memo(description)
        known = memo.get(START_KEY)
        # If nothing in it can be read, nothing must start twice.
        return not memo or (isinstance(known, dict) and key.read_memo(known) is not None)

    async def start_with_id(
        self,
        start: WorkflowStart,
        operation_id: str,
        *,
        id_reuse_policy: WorkflowIDReusePolicy,
        memo: Mapping[str, Any] | None = None,
    ) -> None:
        """Start an operation under this id.

        Args:
            start: What to start.
            operation_id: An id that no running operation has.
            id_reuse_policy: Whether an ended operation may have had this id.
            memo: Kept with the operation.

        Raises:
            WorkflowAlreadyStartedError: The id is taken.
            AtCapacity: The limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        if self._limit is not None and start.operation_type is OperationType.RESEARCH:
            answer = await self._admission.admit(operation_id, self._limit)
            if not answer.admitted:
                raise AtCapacity(answer.active_count, self._limit)
        async with self._limit_concurrency():
            await call_temporal(
                self._client.start_workflow(
                    WORKFLOW_NAME[start.operation_type],
                    start.argument,
                    id=operation_id,
                    task_queue=start.task_queue,
                    priority=start.priority,
                    static_summary=start.summary,
                    static_details=start.details,
                    search_attributes=TypedSearchAttributes(start.attributes),
                    memo={**(memo or {}), **start.memo},
                    id_reuse_policy=id_reuse_policy,
                    rpc_timeout=RPC_TIMEOUT,
                )
            )

    async def claim(self, key: IdempotencyKey, stands_for: str) -> tuple[str, bool]:
        """Register what the key stands for, unless the key is registered already.

        Returns:
            What the key stands for, and whether it was registered before.

        Raises:
            KeyReused: The key was used with a different request.
            TemporalUnavailable: Temporal does not answer.
        """
        async with self._limit_concurrency():
            try:
                await call_temporal(
                    self._client.start_workflow(
                        Claim.run,
                        id=key.claim_id,
                        task_queue=RESEARCH_QUEUE,
                        memo=key.make_memo(stands_for),
                        static_summary=f"Idempotency key of {stands_for}",
                        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                        rpc_timeout=RPC_TIMEOUT,
                    )
                )
            except WorkflowAlreadyStartedError:
                handle = self._client.get_workflow_handle(key.claim_id)
                description = await call_temporal(handle.describe(rpc_timeout=RPC_TIMEOUT))
                return key.read_memo(await read_whole_memo(description)) or stands_for, True
            return stands_for, False

    @contextlib.asynccontextmanager
    async def _limit_concurrency(self) -> AsyncIterator[None]:
        """Wait until few enough starts are in flight.

        Raises:
            TemporalUnavailable: The starts in flight take too long.
        """
        try:
            async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
                await self._semaphore.acquire()
        except TimeoutError as error:
            raise TemporalUnavailable("Temporal is busy; try again in a moment.") from error
        try:
            yield
        finally:
            self._semaphore.release()

    async def exists(self, operation_id: str) -> bool:
        """Return whether Temporal knows an operation with this id.

        Raises:
            TemporalUnavailable: Temporal does not answer.
        """
        handle = self._client.get_workflow_handle(operation_id)
        try:
            await call_temporal(handle.describe(rpc_timeout=RPC_TIMEOUT))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False  # The request that claimed the key ended before it started this.
            raise
        return True
