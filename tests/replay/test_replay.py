"""The workflows continue what an earlier version of themselves has begun."""

from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from temporal.converter import data_converter
from tests.replay.changed import IdleTraining, PatientResearch, SleepyWatch, SlowAdmission
from tests.replay.histories import HISTORIES
from tests.replay.record import TO_THE_END
from tests.support.phases import STAYS
from workflows.admission import Admission
from workflows.backtest import Backtest
from workflows.campaign import Campaign
from workflows.notification import Notification
from workflows.research import Research
from workflows.training import Training
from workflows.watch import Watch

HOW_TO_CHANGE_A_WORKFLOW = """\
A workflow takes other steps than it did, and would break the researches that are running.
Guard the change, so that what has begun goes on as it was:

    if workflow.patched("what-is-new"):
        ...  # the new steps
    else:
        ...  # the old ones, until nothing runs any more that has begun with them

With workers of both versions side by side (docs/operations.md#upgrade) the old steps may go at
once; then record the histories again: .venv/bin/python -m tests.replay.record"""

WORKFLOWS = (Research, Training, Backtest, Campaign, Admission, Watch, Notification)
FILES = sorted(HISTORIES.glob("*.json"))


def history(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(file.stem, file.read_text())


def replayer(*workflows: type) -> Replayer:
    return Replayer(workflows=workflows, data_converter=data_converter)


def test_there_is_a_history_of_every_kind() -> None:
    names = {file.stem for file in FILES}
    assert names >= {f"research-{name}" for name in TO_THE_END}
    assert names >= {f"research-cancelled-{stay.phase}" for stay in STAYS}
    assert names >= {"research-completed.training", "research-completed.backtest"}
    assert names >= {"research-resumed", "research-reproduced", "admission"}
    assert names >= {"research-sliced", "research-cancelled-sliced"}
    assert "research-proposed" in names
    assert names >= {"watch_cancelled", "watch_withdrawn", "research-told", "notice"}
    assert names >= {"campaign-completed", "campaign-continued", "campaign-cancelled"}
    assert names >= {"research-ended-training", "research-ended-training.training"}


def test_a_cancel_that_came_in_with_the_end_is_among_them() -> None:
    """The server has refused the end because of it; to end again would be another history."""
    events = history(HISTORIES / "research-cancelled-at-its-end.json").events
    failed = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    [refused] = [event for event in events if event.event_type == failed]
    cause = refused.workflow_task_failed_event_attributes.cause
    assert cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    assert events[-1].HasField("workflow_execution_canceled_event_attributes")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_recorded_history_is_followed_to_its_end(file: Path) -> None:
    try:
        await replayer(*WORKFLOWS).replay_workflow(history(file))
    except NondeterminismError as error:
        pytest.fail(f"{error}\n\n{HOW_TO_CHANGE_A_WORKFLOW}", pytrace=False)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("research-completed", PatientResearch),
        ("research-cancelled-training", PatientResearch),
        ("research-completed.training", IdleTraining),
        ("admission", SlowAdmission),
        ("watch_cancelled", SleepyWatch),
    ],
)
async def test_a_changed_workflow_is_caught(name: str, changed: type) -> None:
    with pytest.raises(NondeterminismError):
        await replayer(changed).replay_workflow(history(HISTORIES / f"{name}.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recorded_history_says_nothing_about_the_machine(file: Path) -> None:
    content = file.read_text()
    assert str(Path.home()) not in content
    assert str(HISTORIES.parent.parent.parent) not in content
