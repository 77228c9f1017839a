"""Reads children, result, metrics and report of one operation."""

from typing import Literal

from api.artifacts.marks import refuse_deleted
from api.heavy_work import HeavyWork
from api.operations.figures import describe_training
from api.operations.reports import ReportPages
from api.operations.resolver import Resolver
from api.operations.schemas import (
    RESULT_OF,
    ChildrenResponse,
    EpochMetrics,
    MetricsResponse,
    OperationMetrics,
    OperationSummary,
    ResultsResponse,
)
from api.steps.schemas import TrainingPerformance
from errors import InvalidInput, MissingArtifact, NotFinished
from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.steps import TrainingResult
from quant.messages.training_metrics import TrainingMetrics
from storage.artifacts import ArtifactStore
from workflows.interface.contract import ACTIVE, OperationStatus, OperationType
from workflows.interface.ids import make_step_id
from workflows.interface.watches import make_watch_id

ReportFormat = Literal["html", "json"]


async def fetch_training_metrics(
    artifacts: ArtifactStore, training_id: str
) -> TrainingMetrics | None:
    """Return the metrics of a training so far, or None before its first checkpoint.

    The training writes them to an artifact while it runs.

    Raises:
        ArtifactsUnavailable: The artifact store does not answer.
        DamagedArtifact: The metrics cannot be read.
    """
    content = await artifacts.open(training_id).fetch(Artifact.TRAINING_METRICS)
    if content is None:
        return None
    return parse_artifact(TrainingMetrics, content, Artifact.TRAINING_METRICS)


class ResultReader:
    """Reads from Temporal and from the artifact store."""

    def __init__(self, resolver: Resolver, artifacts: ArtifactStore, heavy_work: HeavyWork) -> None:
        self._resolver = resolver
        self._artifacts = artifacts
        self._pages = ReportPages(heavy_work)

    async def read_children(self, operation_id: str) -> ChildrenResponse:
        """Return the steps that an operation has begun.

        Raises:
            OperationNotFound: No operation has this id.
            TemporalUnavailable: Temporal does not answer.
        """
        rows = [
            OperationSummary.of(child) for child in await self._resolver.find_children(operation_id)
        ]
        return ChildrenResponse(
            data=rows,
            total_count=len(rows),
            active_count=sum(row.status in ACTIVE for row in rows),
        )

    async def read_results(self, operation_id: str) -> ResultsResponse:
        """Return the result of an operation.

        Raises:
            OperationNotFound: No operation has this id.
            NotFinished: It has not ended.
            TemporalUnavailable: Temporal does not answer.
        """
        operation = await self._resolver.find_operation(operation_id)
        if operation.status in ACTIVE:
            raise NotFinished(f"{operation_id} is {operation.status}; it has no results yet.")
        summary = operation.result_summary
        kind = RESULT_OF[operation.operation_type]
        return ResultsResponse(
            operation_id=operation_id,
            operation_type=operation.operation_type,
            status=operation.status,
            results=kind.model_validate(summary) if summary else {},
        )

    async def read_metrics(self, operation_id: str) -> MetricsResponse:
        """Return the metrics of a training, or of the training of a research, so far.

        Raises:
            OperationNotFound: No operation has this id.
            ArtifactsDeleted: They were deleted.
            TemporalUnavailable: Temporal does not answer.
            ArtifactsUnavailable: The artifact store does not answer.
        """
        operation = await self._resolver.find_operation(operation_id)
        training_id = {
            OperationType.TRAINING: operation_id,
            OperationType.RESEARCH: make_step_id(operation_id, OperationType.TRAINING),
        }.get(operation.operation_type)
        metrics = None
        if training_id is not None:
            metrics = await fetch_training_metrics(self._artifacts, training_id)
            if metrics is None:
                await refuse_deleted(self._artifacts, training_id)
        return MetricsResponse(
            data=OperationMetrics(
                operation_id=operation_id,
                operation_type=operation.operation_type,
                metrics=EpochMetrics.from_training(metrics) if metrics else EpochMetrics(),
            )
        )

    async def read_performance(self, operation_id: str) -> TrainingPerformance:
        """Return the figures of a finished training.

        Raises:
            OperationNotFound: No operation has this id.
            InvalidInput: The operation is not a training.
            NotFinished: The training has not completed.
            TemporalUnavailable: Temporal does not answer.
        """
        operation = await self._resolver.find_operation(operation_id)
        if operation.operation_type is not OperationType.TRAINING:
            raise InvalidInput(f"{operation_id} is not a training.", field="operation_id")
        if operation.status is not OperationStatus.COMPLETED:
            raise NotFinished(f"{operation_id} is {operation.status}; it has no figures.")
        result = TrainingResult.model_validate(operation.result_summary)
        return TrainingPerformance(
            task_id=operation_id,
            status=operation.status,
            **describe_training(operation, result),
        )

    async def read_instrument(self, operation_id: str, symbol: str) -> bytes:
        """Return the page of one instrument of a research.

        Raises:
            InvalidInput: The research has not traded it, or an earlier version kept no prices.
            OperationNotFound: There is no report, as `read_report` says.
        """
        return await self._pages.draw_instrument(
            await self.read_report(operation_id, "json"), symbol
        )

    async def read_report(self, operation_id: str, kind: ReportFormat = "html") -> bytes:
        """Return the report of a research. It is kept longer than Temporal keeps the research.

        Args:
            operation_id: The id of the research.
            kind: The page for people, or the `Dossier` behind it as JSON.

        Raises:
            OperationNotFound: No operation has this id.
            NotFinished: The research has not ended.
            ArtifactsDeleted: The report was deleted.
            MissingArtifact: It ended without a report.
            ArtifactsUnavailable: The artifact store does not answer.
            DamagedArtifact: The data of the report cannot be read.
            TemporalUnavailable: Temporal does not answer.
        """
        assessment = self._artifacts.open(make_step_id(operation_id, OperationType.ASSESSMENT))
        if kind == "json":
            report = await assessment.fetch(Artifact.DOSSIER)
        else:
            report = await self._pages.fetch(
                assessment, self._artifacts.open(make_watch_id(operation_id))
            )
        if report is not None:
            return report
        await refuse_deleted(self._artifacts, operation_id)
        operation = await self._resolver.find_operation(operation_id)
        if operation.status in ACTIVE:
            raise NotFinished(f"{operation_id} is {operation.status}; it has no report yet.")
        raise MissingArtifact(f"{operation_id} is {operation.status}, and has no report.")
