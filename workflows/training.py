"""The `Training` workflow: walk-forward and final model, on the training workers."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.vocabulary import (
        OPERATION_QUERY,
        WRONG_ARGUMENTS,
        Operation,
        OperationInfo,
        OperationType,
        ResearchActivities,
        TrainingInput,
        TrainingResult,
        TrainingTask,
        describe_training,
        policies,
    )


@workflow.defn(failure_exception_types=WRONG_ARGUMENTS)
class Training:
    """One long activity, as an operation of its own that can be watched and cancelled."""

    @workflow.init
    def __init__(self, request: TrainingInput) -> None:
        self._request = request
        self._operation = Operation(
            OperationType.TRAINING,
            describe_training(request),
            goal=request.spec.name,
        )

    @workflow.run
    async def run(self, request: TrainingInput) -> TrainingResult:  # noqa: ARG002 - see init
        """Train, and return the figures of the model on bars that it has not seen."""
        return await self._operation.run(self._train)

    @workflow.query(name=OPERATION_QUERY)
    def describe(self) -> OperationInfo:
        """Return this operation."""
        return self._operation.snapshot()

    async def _train(self) -> TrainingResult:
        result = await policies.run_compute(
            ResearchActivities.train,
            TrainingTask(operation_id=workflow.info().workflow_id, input=self._request),
            summary=f"Train {self._request.spec.name}",
        )
        self._operation.info.result_summary = result.model_dump(mode="json")
        return result
