"""A watch that continues as new after every look, so that tests need not wait for years."""

from typing import ClassVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from quant.messages.watch import WatchState
    from workflows.interface.failures import WRONG_ARGUMENTS
    from workflows.interface.watches import WATCH_WORKFLOW
    from workflows.watch import Watch


@workflow.defn(name=WATCH_WORKFLOW, failure_exception_types=WRONG_ARGUMENTS)
class ShortWatch(Watch):
    """Has the shortest history that there can be."""

    most_events: ClassVar[int] = 1

    @workflow.init
    def __init__(self, state: WatchState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: WatchState) -> WatchState:
        """Run as the base class does."""
        return await super().run(state)
