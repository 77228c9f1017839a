"""What the parameters of a research show: its request, and the steps that it has finished."""

from typing import Any

from quant.messages.artifacts import Artifact
from workflows.interface.contract import OperationMetadata, OperationType
from workflows.interface.ids import make_step_id
from workflows.interface.messages import BacktestSummary, FinishedSteps, ResearchRequest

_FIGURES_OF_TRAINING = {
    "accuracy",
    "auc",
    "log_loss",
    "baseline_log_loss",
    "sharpe",
    "iterations",
    "model_sha256",
}


def describe_request(request: ResearchRequest, seed: int) -> OperationMetadata:
    """Return what a research works on, and what it was told."""
    return OperationMetadata.of(
        request.data,
        brief=request.brief,
        strategy_name=request.strategy,
        design_complete=request.strategy is not None,
        designer=request.designer,
        model=request.model,
        trials=request.trials,
        seed=seed,
        bypass_gates=request.bypass_gates,
    )


def describe_finished(finished: FinishedSteps, research_id: str) -> dict[str, Any]:
    """Return the figures of the finished steps, under the names that clients read."""
    shown: dict[str, Any] = {}
    if finished.spec is not None:
        shown |= {"design_complete": True, "strategy_name": finished.spec.name}
    if finished.training is not None:
        shown["training_result"] = finished.training.model_dump(
            mode="json", include=_FIGURES_OF_TRAINING
        )
        shown["model_path"] = make_model_path(make_step_id(research_id, OperationType.TRAINING))
    if finished.backtest is not None:
        shown["backtest_result"] = BacktestSummary.of(finished.backtest).model_dump(mode="json")
    if finished.assessment is not None:
        shown["assessment_verdict"] = finished.assessment.verdict
    return shown


def make_model_path(training_id: str) -> str:
    """Return the path of a model in the artifact store."""
    return f"{training_id}/{Artifact.MODEL}"
