"""The `Backtest` workflow: trades with a trained model, on the backtest workers."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.vocabulary import (
        OPERATION_QUERY,
        WRONG_ARGUMENTS,
        BacktestRequest,
        BacktestResult,
        BacktestTask,
        Operation,
        OperationInfo,
        OperationType,
        ResearchActivities,
        describe_backtest,
        policies,
    )


@workflow.defn(failure_exception_types=WRONG_ARGUMENTS)
class Backtest:
    """One activity, as an operation of its own that can be watched and cancelled."""

    @workflow.init
    def __init__(self, request: BacktestRequest) -> None:
        self._request = request
        self._operation = Operation(
            OperationType.BACKTEST,
            describe_backtest(request),
            goal=request.input.spec.name,
        )

    @workflow.run
    async def run(self, request: BacktestRequest) -> BacktestResult:  # noqa: ARG002 - see init
        """Trade the holdout or the days asked for. Return the performance at each level of cost."""
        return await self._operation.run(self._backtest)

    @workflow.query(name=OPERATION_QUERY)
    def describe(self) -> OperationInfo:
        """Return this operation."""
        return self._operation.snapshot()

    async def _backtest(self) -> BacktestResult:
        result = await policies.run_compute(
            ResearchActivities.backtest,
            BacktestTask(
                operation_id=workflow.info().workflow_id,
                training_id=self._request.training_id,
                input=self._request.input,
            ),
            summary=f"Backtest {self._request.input.spec.name}",
        )
        self._operation.info.result_summary = result.model_dump(mode="json")
        return result
