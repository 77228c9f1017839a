"""The jobs that run inside a compute process.

Each loads from the artifact store what its step needs, and calls the step. Steps import the
numerical libraries. The worker process never needs those, so steps are imported late.
"""
# ruff: noqa: PLC0415

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from errors import MissingArtifact
from quant.messages.artifacts import Artifact
from quant.messages.base import FrozenModel
from quant.messages.progress import Progress, ReportProgress
from quant.messages.steps import (
    AssessmentInput,
    AssessmentResult,
    BacktestInput,
    BacktestResult,
    CandidateInput,
    CandidateScore,
    DesignInput,
    DesignResult,
    TrainingInput,
    TrainingResult,
)
from quant.messages.trials import TrialOnBars
from storage.artifacts import ArtifactStore, OperationArtifacts

Report = Callable[[Progress | TrialOnBars], None]
"""Takes the reports of a running job: its progress, and each trial."""


@dataclass(frozen=True)
class JobContext:
    """Where a job finds its bars and keeps its artifacts."""

    operation_id: str
    artifacts_url: str
    data_dir: Path | None

    def open_artifacts(self, operation_id: str | None = None) -> OperationArtifacts:
        """Return the artifacts of this operation, or of another one."""
        return ArtifactStore(self.artifacts_url).open(operation_id or self.operation_id)

    def read_artifact(self, operation_id: str, name: str) -> bytes:
        """Return an artifact of an earlier step."""
        content = self.open_artifacts(operation_id).read(name)
        if content is None:
            raise MissingArtifact(
                f"{name} of {operation_id} is not in the artifact store. Start over with "
                "`ktrdr retry`."
            )
        return content


class Task(FrozenModel):
    """The input common to all jobs."""

    operation_id: str


class LanguageModel(FrozenModel):
    """Which language model to use, and what it may cost the research in total."""

    name: str | None = Field(
        description="Such as `anthropic:claude-…`; None for the worker's default"
    )
    max_cost: float | None = Field(None, description="US dollars; None for no limit of its own")


class DesignTask(Task):
    """Design a strategy."""

    input: DesignInput
    memory: bool = Field(False, description="Start from the trials of earlier researches")
    memory_of: str | None = Field(None, description="Start from the same trials as this design")
    language_model: LanguageModel | None = Field(None, description="None: search instead")


class CandidateTask(Task):
    """Score a candidate."""

    input: CandidateInput


class TrainingTask(Task):
    """Train the model of a strategy."""

    input: TrainingInput


class BacktestTask(Task):
    """Backtest the model stored under the training's own operation id."""

    training_id: str
    input: BacktestInput


class AssessmentTask(Task):
    """Assess the artifacts that the previous steps stored under their own operation ids."""

    design_id: str | None = Field(None, description="None if the strategy was given")
    training_id: str
    backtest_id: str | None = Field(description="None if a gate stopped the research earlier")
    input: AssessmentInput
    counted: bool = Field(
        False, description="Whether `input` already has the counts of trials and looks"
    )
    language_model: LanguageModel | None = Field(None, description="None for no comment")


class PublishTask(Task):
    """Publish an assessment again, with the comment that was added to it."""

    result: AssessmentResult


def design(task: DesignTask, context: JobContext, report: Report) -> DesignResult:
    """Search for the best candidate on development data."""
    from quant.steps.design import design_strategy

    return design_strategy(task.input, context.data_dir, context.open_artifacts(), report, report)


def score(task: CandidateTask, context: JobContext, report: ReportProgress) -> CandidateScore:  # noqa: ARG001 - too short to report
    """Score one candidate on development data."""
    from quant.steps.design import score_candidate

    return score_candidate(task.input, context.data_dir)


def train(task: TrainingTask, context: JobContext, report: ReportProgress) -> TrainingResult:
    """Walk forward, then fit the final model. Continue from a checkpoint if there is one."""
    from quant.steps.train import train_model

    return train_model(task.input, context.data_dir, context.open_artifacts(), report)


def backtest(task: BacktestTask, context: JobContext, report: ReportProgress) -> BacktestResult:
    """Trade the holdout once, at three cost levels."""
    from quant.steps.backtest import backtest_holdout

    model = context.read_artifact(task.training_id, Artifact.MODEL).decode(errors="replace")
    return backtest_holdout(task.input, model, context.data_dir, context.open_artifacts(), report)


def assess(task: AssessmentTask, context: JobContext, report: ReportProgress) -> AssessmentResult:
    """Test the holdout returns for significance, and write verdict and report."""
    from quant.steps.assess import StepArtifacts, assess_research

    artifacts = StepArtifacts(
        walk_forward=context.read_artifact(task.training_id, Artifact.WALK_FORWARD),
        curves=_read_optional(task.backtest_id, Artifact.CURVES, context),
        trials=_read_optional(task.design_id, Artifact.TRIALS, context),
    )
    return assess_research(
        task.input, artifacts, context.data_dir, context.open_artifacts(), report
    )


def publish(task: PublishTask, context: JobContext, report: ReportProgress) -> AssessmentResult:  # noqa: ARG001 - too short to report
    """Write the report again."""
    from quant.steps.assess import publish_assessment

    publish_assessment(task.result, context.open_artifacts())
    return task.result


def _read_optional(operation_id: str | None, name: str, context: JobContext) -> bytes | None:
    return None if operation_id is None else context.read_artifact(operation_id, name)
