"""Workflows as a careless change would leave them."""

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from quant.messages.steps import TrainingInput
    from quant.messages.watch import WatchState
    from workflows.admission import Admission
    from workflows.interface.contract import OperationInfo
    from workflows.interface.failures import WRONG_ARGUMENTS
    from workflows.interface.messages import ResearchInput, ResearchRequest, ResearchResult
    from workflows.research import Research
    from workflows.watch import Watch


@workflow.defn(name="Research", failure_exception_types=WRONG_ARGUMENTS)
class PatientResearch:
    """Waits before it does anything."""

    @workflow.run
    async def run(self, request: ResearchRequest) -> None:  # noqa: ARG002 - as before
        """Wait."""
        await workflow.sleep(1)

    @workflow.query
    def operation(self) -> OperationInfo:
        """Not asked here."""
        raise NotImplementedError


@workflow.defn(name="Training", failure_exception_types=WRONG_ARGUMENTS)
class IdleTraining:
    """Has forgotten its activity."""

    @workflow.run
    async def run(self, request: TrainingInput) -> None:
        """Do nothing."""


@workflow.defn(name="Research", failure_exception_types=WRONG_ARGUMENTS)
class LaterResearch(Research):
    """Of the next version: does something else first."""

    @workflow.init
    def __init__(self, request: ResearchInput | None = None) -> None:
        super().__init__(request)

    @workflow.run
    async def run(self, request: ResearchInput | None = None) -> ResearchResult:
        """Wait a moment, then conduct the research."""
        await workflow.sleep(0.01)
        return await super().run(request)


@workflow.defn(name="Admission")
class SlowAdmission(Admission):
    """Lets more requests come in before it counts."""

    @workflow.init
    def __init__(self, admitted: dict[str, datetime] | None = None) -> None:
        super().__init__(admitted)

    @workflow.run
    async def run(self, admitted: dict[str, datetime] | None = None) -> None:
        """Run as the base class does."""
        await super().run(admitted)

    async def _answer_all(self) -> None:
        await workflow.sleep(1)
        await super()._answer_all()


@workflow.defn(name="Watch")
class SleepyWatch(Watch):
    """Sleeps before its first look."""

    @workflow.init
    def __init__(self, state: WatchState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: WatchState) -> WatchState:
        """Sleep, and run as the base class does."""
        await workflow.sleep(1)
        return await super().run(state)
