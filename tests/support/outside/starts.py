"""Whether a client has started something that may still run."""

from typing import Any

from temporalio.client import (
    CreateScheduleInput,
    Interceptor,
    OutboundInterceptor,
    ScheduleHandle,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    TriggerScheduleInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)


class Starts(Interceptor):
    """Hears of what a client starts: workflows, and schedules, which start them later."""

    def __init__(self) -> None:
        self.heard = False

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        """Listen to the calls of a client."""
        return _Listening(next, self)


class _Listening(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, starts: Starts) -> None:
        super().__init__(following)
        self._starts = starts

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
        self._starts.heard = True
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self,
        input: StartWorkflowUpdateWithStartInput,  # noqa: A002
    ) -> WorkflowUpdateHandle[Any]:
        self._starts.heard = True
        return await super().start_update_with_start_workflow(input)

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:  # noqa: A002
        self._starts.heard = True
        return await super().create_schedule(input)

    async def trigger_schedule(self, input: TriggerScheduleInput) -> None:  # noqa: A002
        self._starts.heard = True
        await super().trigger_schedule(input)
