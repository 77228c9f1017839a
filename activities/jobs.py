"""The jobs that run inside a compute process.

Each loads from the artifact store what its step needs, and calls the step. Steps import the
numerical libraries. The worker process never needs those, so steps are imported late.
"""
# ruff: noqa: PLC0415

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import AwareDatetime, Field

from errors import MissingArtifact
from quant.messages.artifacts import Artifact
from quant.messages.base import FrozenModel
from quant.messages.data import DataInfo, DataSource
from quant.messages.progress import Progress, ReportProgress
from quant.messages.record.market import Sketch, Sketches
from quant.messages.record.trials import TrialOnBars
from quant.messages.search import (
    BegunSearch,
    DesignOutcome,
    RoundInput,
    SearchEnd,
    SliceInput,
    SliceResult,
)
from quant.messages.steps import (
    AssessmentInput,
    AssessmentResult,
    BacktestInput,
    BacktestResult,
    DesignInput,
    TrainingInput,
    TrainingResult,
)
from quant.messages.watch import WatchedStrategy, WatchSummary
from quant.search.plan import SearchPlan
from storage.artifacts import ArtifactStore, OperationArtifacts

Report = Callable[[Progress | TrialOnBars], None]
"""Takes the reports of a running job: its progress, and each trial."""


@dataclass(frozen=True)
class JobContext:
    """Where a job finds its bars and keeps its artifacts."""

    operation_id: str
    artifacts_url: str
    data_dir: Path | None
    helpers: int = 0
    """How many further processes the job may start."""

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

    @property
    def bars_name(self) -> str:
        """What tells its bars from others, as far as the task itself knows them."""
        data = getattr(getattr(self, "input", None), "data", None)
        return f"{data.symbol} {data.timeframe}" if data else self.operation_id


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
    plan: SearchPlan | None = Field(
        None, description="How to cut a large search; None not to cut it"
    )
    hands_over: bool = Field(
        False,
        description="Whether the workflow takes candidates of the language model that are many, "
        "and has them scored in slices",
    )


class SliceTask(Task):
    """Score some trials of a search."""

    input: SliceInput


class RoundTask(Task):
    """Gather a round of a search."""

    input: RoundInput


class SearchEndTask(Task):
    """Conclude a search."""

    input: SearchEnd


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
        False,
        description="Whether `input` already has the counts of trials and looks. They are used "
        "only if they are those of the research that `reproduces` names",
    )
    reproduces: str | None = Field(None, description="Operation ID of the original")
    language_model: LanguageModel | None = Field(None, description="None for no comment")


class SketchTask(Task):
    """Sketch the bars, to recognise their market."""

    data: DataSource


class InstrumentsTask(Task):
    """Describe a universe, or sketch some instruments."""

    data: DataSource


class WatchTask(Task):
    """Score the bars that came since the last time with a watched strategy."""

    input: WatchedStrategy

    @property
    def bars_name(self) -> str:
        """What tells its bars from others."""
        return f"{self.input.symbol} {self.input.timeframe}"


class LookTask(WatchTask):
    """The same, at a time that is known when it begins."""

    now: AwareDatetime


class PublishTask(Task):
    """Publish an assessment again, with the comment that was added to it."""

    result: AssessmentResult


def design(task: DesignTask, context: JobContext, report: Report) -> DesignOutcome:
    """Search for the best candidate on development data, or begin a large search."""
    from quant.steps.design import begin_design, design_strategy

    place = (context.data_dir, context.open_artifacts(), report, report)
    if task.plan is None:
        return DesignOutcome(result=design_strategy(task.input, *place))
    return begin_design(task.input, task.plan, *place, helpers=context.helpers)


def score_trials(task: SliceTask, context: JobContext, report: Report) -> SliceResult:
    """Score some trials of a search on development data."""
    from quant.steps.design import score_trials

    return score_trials(task.input, context.data_dir, context.open_artifacts(), report, report)


def begin_proposals(task: DesignTask, context: JobContext, report: ReportProgress) -> BegunSearch:  # noqa: ARG001 - too short to report
    """Begin a search whose candidates a language model proposes."""
    from quant.steps.design import begin_proposed_design

    return begin_proposed_design(task.input, context.data_dir, context.open_artifacts())


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


def sketch(task: SketchTask, context: JobContext, report: ReportProgress) -> Sketch:  # noqa: ARG001 - too short to report
    """Sketch the bars."""
    from quant.steps.sketch import sketch_market

    return sketch_market(task.data, context.data_dir)


def describe(task: InstrumentsTask, context: JobContext, report: ReportProgress) -> DataInfo:  # noqa: ARG001 - too short to report
    """Describe the bars of a universe."""
    from quant.steps.sketch import describe_market

    return describe_market(task.data, context.data_dir)


def sketch_instruments(
    task: InstrumentsTask,
    context: JobContext,
    report: ReportProgress,  # noqa: ARG001 - too short to report
) -> Sketches:
    """Sketch some instruments."""
    from quant.steps.sketch import sketch_instruments

    return sketch_instruments(task.data, context.data_dir)


def watch(task: LookTask, context: JobContext, report: ReportProgress) -> WatchSummary:  # noqa: ARG001 - too short to report
    """Score the bars that came since the last time."""
    from quant.watch.scoring import score_new_bars

    return score_new_bars(
        task.input, context.data_dir, context.open_artifacts(), context.read_artifact, task.now
    )


def publish(task: PublishTask, context: JobContext, report: ReportProgress) -> AssessmentResult:  # noqa: ARG001 - too short to report
    """Write the report again."""
    from quant.steps.assess import publish_assessment

    publish_assessment(task.result, context.open_artifacts())
    return task.result


def _read_optional(operation_id: str | None, name: str, context: JobContext) -> bytes | None:
    return None if operation_id is None else context.read_artifact(operation_id, name)
