"""A research whose search is cut finely, so that tests need few trials for many slices."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from quant.search.plan import SearchPlan
    from workflows.interface.failures import WRONG_ARGUMENTS
    from workflows.interface.messages import ResearchInput, ResearchResult
    from workflows.research import Research


@workflow.defn(name="Research", failure_exception_types=WRONG_ARGUMENTS)
class FinelyCutResearch(Research):
    """Cuts whatever takes longer than a moment."""

    plan = SearchPlan(seconds_alone=0.1, seconds_per_slice=0.1)

    @workflow.init
    def __init__(self, request: ResearchInput | None = None) -> None:
        super().__init__(request)

    @workflow.run
    async def run(self, request: ResearchInput | None = None) -> ResearchResult:
        """Run as the base class does."""
        return await super().run(request)
