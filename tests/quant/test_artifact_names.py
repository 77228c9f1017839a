from quant.messages.artifacts import Artifact
from quant.messages.steps import (
    AssessmentResult,
    BacktestResult,
    DesignResult,
    TrainingResult,
)


def test_artifacts_keep_the_names_under_which_earlier_versions_stored_them() -> None:
    assert {each.value for each in Artifact} == {
        "artifacts.deleted",
        "assessment.json",
        "backtest.json",
        "campaign.json",
        "checkpoint.deleted",
        "checkpoint.json",
        "conversation.json",
        "memory.json",
        "metrics.json",
        "model.txt",
        "report.html",
        "report.json",
        "search.json",
        "trials.json",
        "walk_forward.json",
        "watch.json",
    }


def test_results_name_their_artifacts_for_clients() -> None:
    named = {
        (result.__name__, field): result.model_fields[field].default
        for result in (DesignResult, TrainingResult, BacktestResult, AssessmentResult)
        for field in result.model_fields
        if field.endswith("_artifact")
    }

    assert named == {
        ("DesignResult", "trials_artifact"): "trials.json",
        ("TrainingResult", "model_artifact"): "model.txt",
        ("TrainingResult", "curves_artifact"): "walk_forward.json",
        ("BacktestResult", "curves_artifact"): "backtest.json",
        ("AssessmentResult", "report_artifact"): "report.html",
    }
