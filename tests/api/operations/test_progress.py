from datetime import UTC, datetime, timedelta

import pytest

from api.operations.state.progress import Step, keep_progress
from quant.messages.progress import Progress
from workflows.interface.contract import (
    PHASE_START,
    PHASE_STEP,
    Attempt,
    AttemptState,
    OperationInfo,
    OperationStatus,
    OperationType,
    Phase,
)


def make_research(phase: Phase, step: str = "", percentage: float | None = None) -> OperationInfo:
    """Return a research as Temporal shows it. Without a step, it is between two steps."""
    return OperationInfo(
        operation_id="op_1",
        operation_type=OperationType.RESEARCH,
        status=OperationStatus.RUNNING,
        phase=phase,
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
        progress=Progress(
            percentage=PHASE_START[phase] if percentage is None else percentage,
            current_step=f"{PHASE_STEP[phase]} {step}".strip(),
        ),
    )


HALF_TRAINED = make_research(Phase.TRAINING, "Fold 3 of 5", 42.0)


def test_progress_does_not_go_back_between_two_steps() -> None:
    now = keep_progress(make_research(Phase.TRAINING), HALF_TRAINED)
    assert now.progress == HALF_TRAINED.progress
    assert now.phase == Phase.TRAINING


@pytest.mark.parametrize(
    "now",
    [
        make_research(Phase.TRAINING, "Fold 4 of 5", 45.0),
        # A worker has died, and the step starts from its beginning.
        make_research(Phase.TRAINING, "Waiting for a free worker", 20.0),
        make_research(Phase.BACKTESTING),
    ],
    ids=["further", "again", "next phase"],
)
def test_new_progress_is_shown(now: OperationInfo) -> None:
    assert keep_progress(now, HALF_TRAINED) == now


def make_step(state: AttemptState, seconds: float, percentage: float, number: int = 1) -> Step:
    """Return a step that has taken so long for so much."""
    since = datetime.now(UTC) - timedelta(seconds=seconds)
    attempt = Attempt(state=state, number=number, since=since)
    return Step(attempt, None, Progress(percentage=percentage))


def test_a_step_goes_on_at_its_pace() -> None:
    step = make_step(AttemptState.RUNNING, seconds=10, percentage=25)
    assert step.seconds_left == pytest.approx(30, abs=1)


@pytest.mark.parametrize(
    ("state", "seconds", "percentage", "number"),
    [
        (AttemptState.WAITING, 10, 25, 1),
        (AttemptState.RETRYING, 10, 25, 1),
        (AttemptState.RUNNING, 1, 25, 1),
        (AttemptState.RUNNING, 10, 0, 1),
        # It may have continued from a checkpoint.
        (AttemptState.RUNNING, 10, 25, 2),
    ],
    ids=["waits", "retries", "has just begun", "has done nothing", "again"],
)
def test_nothing_is_estimated_that_is_not_known(
    state: AttemptState, seconds: float, percentage: float, number: int
) -> None:
    assert make_step(state, seconds, percentage, number).seconds_left is None
