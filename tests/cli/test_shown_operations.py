"""What the command says of operations, word by word."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from api.operations.schemas import OperationCancelled, OperationListResponse, OperationSummary
from cli.render.operations import print_cancelled, print_operation, print_operations
from cli.render.terminal.tables import UNLIMITED
from quant.messages.progress import Progress
from workflows.interface.contract import (
    Attempt,
    AttemptState,
    ChildOperation,
    OperationInfo,
    OperationStatus,
    OperationType,
    Phase,
)

NOW = datetime(2026, 1, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO(), width=UNLIMITED)


def read(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def make_research(status: OperationStatus, **values: Any) -> OperationInfo:
    return OperationInfo(
        operation_id="op_1",
        operation_type=OperationType.RESEARCH,
        status=status,
        phase=Phase.DESIGNING,
        created_at=NOW,
        duration_seconds=3725.4,
        progress=Progress(percentage=7.5, current_step="Designing strategy..."),
        owner="ada",
        priority=2,
        goal="momentum",
        **values,
    )


RETRYING = Attempt(
    state=AttemptState.RETRYING,
    number=3,
    last_error="status 429",
    next_attempt_at=NOW + timedelta(hours=1),
)


def test_a_list_says_whose_and_what_for_and_since_when(console: Console) -> None:
    row = OperationSummary.of(make_research(OperationStatus.RUNNING, attempt=RETRYING))
    print_operations(console, OperationListResponse(data=[row], total_count=1, active_count=1))
    heading, line, _ = read(console).splitlines()
    for column in ("Owner", "Priority", "Goal", "Started", "Elapsed", "State"):
        assert column in heading
    for cell in ("ada", " 2 ", "momentum", "2026-01-02 10:00:00", "1:02:05"):
        assert cell in line
    assert "retrying at 11:00:00 UTC" in line


def test_a_running_operation_says_what_it_waits_for(console: Console) -> None:
    print_operation(console, make_research(OperationStatus.RUNNING, attempt=RETRYING))
    shown = read(console)
    assert "running, retrying at 11:00:00 UTC" in shown
    assert "status 429 (attempt 3)" in shown
    assert "1:02:05" in shown


def test_a_running_operation_estimates_its_step(console: Console) -> None:
    running = Attempt(state=AttemptState.RUNNING, since=NOW)
    operation = make_research(OperationStatus.RUNNING, attempt=running, step_seconds_left=90.0)
    print_operation(console, operation)
    assert "about 1:30 left in this step" in read(console)


@pytest.mark.parametrize(
    ("status", "values", "said"),
    [
        (OperationStatus.CANCELLED, {"cancellation_reason": "enough"}, "Reason: enough"),
        (OperationStatus.FAILED, {"error_message": "no bars"}, "no bars"),
    ],
)
def test_an_operation_without_a_result_says_why_and_what_can_be_done(
    console: Console, status: OperationStatus, values: dict[str, str], said: str
) -> None:
    print_operation(console, make_research(status, **values))
    assert said in read(console)
    assert "ktrdr resume op_1" in read(console)


def test_a_cancelled_research_says_why_its_step_had_failed(console: Console) -> None:
    step = ChildOperation(
        operation_id="op_1.design",
        operation_type=OperationType.DESIGN,
        status=OperationStatus.FAILED,
        error_message="no bars",
    )
    print_operation(console, make_research(OperationStatus.CANCELLED, children=[step]))
    assert "no bars" in read(console)


@pytest.mark.parametrize("stopped", [True, False])
def test_a_step_has_stopped_only_when_it_has(console: Console, stopped: bool) -> None:
    print_cancelled(
        console,
        OperationCancelled(
            operation_id="op_1",
            status="cancelled" if stopped else "cancelling",
            cancelled_at=NOW if stopped else None,
            cancellation_reason="enough",
            forced=False,
            children_cancelled=["op_1.design"],
            task_cancelled=stopped,
            remote_cancelled=stopped,
        ),
    )
    assert f"{'stopped' if stopped else 'stopping'} op_1.design" in read(console)
    assert "reason: enough" in read(console)
