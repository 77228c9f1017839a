from collections.abc import Generator
from datetime import UTC, datetime

import pytest
from temporalio import workflow

from workflows.interface.contract import OperationInfo, OperationStatus, OperationType
from workflows.operation import Operation

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Never:
    """A step that does not end."""

    def __await__(self) -> Generator[None, None, str]:
        while True:
            yield


def test_a_workflow_that_is_dropped_in_mid_step_goes_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that stops collects the workflows in its cache outside of their event loop."""
    monkeypatch.setattr(workflow, "now", lambda: NOW)
    operation = Operation.__new__(Operation)
    operation.info = OperationInfo(
        operation_id="op_1",
        operation_type=OperationType.RESEARCH,
        status=OperationStatus.RUNNING,
        created_at=NOW,
    )
    step = operation.run_step(OperationType.TRAINING, Never())
    step.send(None)
    step.close()
    assert operation.info.children[0].status is OperationStatus.RUNNING
