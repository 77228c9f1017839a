"""The load of the workers, by what the running operations do at the moment."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from api.agent.schemas import QueueLoad, Slots, Workers
from workflows.interface.contract import (
    ACTIVITY_STEPS,
    PHASE_OF_STEP,
    AttemptState,
    OperationInfo,
    OperationType,
    Phase,
)
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE

# The steps of a research that run as its own activities.
_STEP_OF_PHASE = {PHASE_OF_STEP[step]: step for step in ACTIVITY_STEPS}
_QUEUE_OF_STEP = {
    OperationType.DESIGN: RESEARCH_QUEUE,
    OperationType.ASSESSMENT: RESEARCH_QUEUE,
    OperationType.TRAINING: TRAINING_QUEUE,
    OperationType.BACKTEST: BACKTEST_QUEUE,
}


def measure_loads(running: Iterable[OperationInfo], slots: Mapping[str, Slots]) -> Workers:
    """Return how many steps of each kind run and wait, and how many slots there are for them.

    Args:
        running: All running operations, trainings and backtests beside their researches.
        slots: The slots by task queue.
    """
    at_work: Counter[tuple[OperationType, AttemptState | None]] = Counter()
    for operation in running:
        step = operation.operation_type
        if step is OperationType.RESEARCH:
            step = _STEP_OF_PHASE.get(operation.phase or Phase.QUEUED, step)
        for state, count in _count_parts(operation):
            at_work[step, state] += count
    loads = {
        step: QueueLoad(
            busy=at_work[step, AttemptState.RUNNING],
            total=slots[queue].total,
            waiting=at_work[step, AttemptState.WAITING],
            retrying=at_work[step, AttemptState.RETRYING],
            paused=at_work[step, AttemptState.PAUSED],
        )
        for step, queue in _QUEUE_OF_STEP.items()
    }
    return Workers(
        training=loads[OperationType.TRAINING],
        backtesting=loads[OperationType.BACKTEST],
        agent_design=loads[OperationType.DESIGN],
        agent_assessment=loads[OperationType.ASSESSMENT],
    )


def _count_parts(operation: OperationInfo) -> Iterator[tuple[AttemptState | None, int]]:
    """Yield what an operation does: a search in slices does several things at once."""
    context = operation.progress.context
    slices = {state: context.get(f"slices_{state}") for state in AttemptState}
    if any(slices.values()):
        yield from ((state, int(count)) for state, count in slices.items() if count)
    else:
        yield operation.attempt.state if operation.attempt else None, 1
