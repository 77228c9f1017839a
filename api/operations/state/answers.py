"""What workflows have answered to the query `operation`, as long as it cannot have changed."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from temporalio.client import WorkflowExecutionDescription

from workflows.interface.contract import OperationInfo

_MOST_KEPT: Final = 500


@dataclass(frozen=True)
class _Kept:
    """An answer, and the state of the history when it was asked for.

    Attributes:
        run_id: The run that was asked.
        events: How many events its history had before it was asked.
        answer: What it has answered.
    """

    run_id: str
    events: int
    answer: OperationInfo


class KnownAnswers:
    """Keeps the latest answer of each workflow that is looked at.

    The state of a workflow is a function of its history. So its answer is the same as long as its
    history has the same number of events, which every description says. A closed workflow that has
    left nothing, and would be replayed to answer, has to do so only once.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def find(self, description: WorkflowExecutionDescription) -> OperationInfo | None:
        """Return the answer of a workflow that is in this state, if it is known."""
        kept = self._kept.get(description.id)
        if kept and (kept.run_id, kept.events) == _get_state(description):
            return kept.answer
        return None

    def keep(self, description: WorkflowExecutionDescription, answer: OperationInfo | None) -> None:
        """Keep what a workflow has answered when it was described already."""
        if answer is None:
            self._kept.pop(description.id, None)
            return
        self._kept[description.id] = _Kept(*_get_state(description), answer)
        self._kept.move_to_end(description.id)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


def _get_state(description: WorkflowExecutionDescription) -> tuple[str, int]:
    return description.run_id, description.history_length
