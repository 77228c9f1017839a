"""Ids, settings and messages of failures: what every layer relies on."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    TimeoutError,
    TimeoutType,
)

from errors import StartupError
from settings import Settings, load_settings
from workflows.interface.contract import PHASE_START, OperationType, Phase
from workflows.interface.failures import describe_failure, get_reason
from workflows.interface.ids import (
    SliceId,
    make_operation_id,
    make_round_id,
    make_search_id,
    make_step_id,
    parse_step_id,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STEPS = [
    OperationType.DESIGN,
    OperationType.TRAINING,
    OperationType.BACKTEST,
    OperationType.ASSESSMENT,
]


@pytest.mark.parametrize("operation_type", list(OperationType))
def test_an_operation_id_says_type_and_time(operation_type: OperationType) -> None:
    made = make_operation_id(operation_type, NOW)
    assert re.fullmatch(rf"op_{operation_type}_20260102_030405_[0-9a-f]{{8}}", made)
    assert make_operation_id(operation_type, NOW) != made


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("research", ["op_1", "a.b", "日本", "x" * 500])
def test_the_id_of_a_step_leads_back_to_its_research(research: str, step: OperationType) -> None:
    assert parse_step_id(make_step_id(research, step)) == (research, step)


@pytest.mark.parametrize("other", ["", "op_1", ".design", "op_1.", "op_1.magic", "design", "."])
def test_what_is_not_of_a_step_is_not_taken_for_one(other: str) -> None:
    assert parse_step_id(other) is None


def test_phases_begin_in_their_order() -> None:
    assert [PHASE_START[phase] for phase in Phase] == [0.0, 5.0, 20.0, 65.0, 90.0, 100.0]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KTRDR_API_PORT", "http"),
        ("KTRDR_API_PORT", "0"),
        ("KTRDR_TEMPORAL_PORT", "65536"),
        ("KTRDR_COMPUTE_SLOTS", "0"),
    ],
)
def test_a_setting_that_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(StartupError, match=rf"^{variable}: "):
        load_settings()


def test_all_settings_that_are_wrong_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KTRDR_API_PORT", "x")
    monkeypatch.setenv("KTRDR_UI_PORT", "y")
    with pytest.raises(StartupError) as refused:
        load_settings()
    named = [problem.partition(":")[0] for problem in refused.value.message.split("; ")]
    assert named == ["KTRDR_API_PORT", "KTRDR_UI_PORT"]


def test_a_default_follows_the_setting_on_which_it_depends(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, data_dir=tmp_path / "bars", api_port=1)
    moved = settings.model_copy(update={"home": tmp_path / "other", "api_port": 2})
    assert settings.ledger_url == f"sqlite:///{tmp_path}/ledger.db"
    assert moved.ledger_url == f"sqlite:///{tmp_path}/other/ledger.db"
    assert moved.strategy_dir == tmp_path / "other" / "strategies"
    assert moved.data_dir == tmp_path / "bars"
    assert moved.api_url == "http://127.0.0.1:2"


def test_no_budget_is_no_limit() -> None:
    assert Settings(daily_budget=0.0).daily_budget is None


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = [f"KTRDR_{name.upper()}" for name in Settings.model_fields]
    for variable in variables:
        monkeypatch.delenv(variable, raising=False)
    defaults = load_settings()
    for variable in variables:
        monkeypatch.setenv(variable, "")
    assert load_settings() == defaults


def activity_error(cause: BaseException) -> ActivityError:
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="worker",
        activity_type="train",
        activity_id="train",
        retry_state=None,
    )
    error.__cause__ = cause
    return error


def child_error(cause: BaseException) -> ChildWorkflowError:
    error = ChildWorkflowError(
        "Child Workflow execution failed",
        namespace="default",
        workflow_id="op_1.training",
        run_id="run",
        workflow_type="Training",
        initiated_event_id=1,
        started_event_id=2,
        retry_state=None,
    )
    error.__cause__ = cause
    return error


def test_a_failure_is_told_in_the_words_of_its_first_cause() -> None:
    failure = child_error(activity_error(ApplicationError("row 3 is wrong", type="invalid_data")))
    assert describe_failure(failure) == "row 3 is wrong"
    assert get_reason(failure) == "invalid_data"


@pytest.mark.parametrize("kind", list(TimeoutType))
def test_a_timeout_is_told_in_words(kind: TimeoutType) -> None:
    failure = activity_error(TimeoutError("activity timeout", type=kind, last_heartbeat_details=[]))
    assert "step" in describe_failure(failure)
    assert get_reason(failure) == "TimeoutError"


def test_an_error_of_python_is_told_as_it_is() -> None:
    assert describe_failure(ValueError("odd")) == "odd"
    assert get_reason(ValueError("odd")) == "ValueError"


def test_ids_of_slices_say_how_far_the_search_is() -> None:
    part = SliceId(241, 256, 320, 10_000)
    assert SliceId.parse(str(part)) == part
    assert part.size == 16
    for activity_id in (make_round_id(320, 10_000), make_search_id(320)):
        gathering = SliceId.parse(activity_id)
        assert gathering is not None
        assert (gathering.round_last, gathering.size) == (320, 0)
    assert SliceId.parse("design") is None
