from datetime import UTC, datetime

import pytest

from api.operations.progress import keep_progress
from quant.messages.progress import Progress
from workflows.contract import (
    PHASE_START,
    PHASE_STEP,
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
