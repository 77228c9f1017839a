"""`python -m bench.pollers.worker fixed|autoscaling`: a worker of stand-ins with these pollers."""

import asyncio
import sys
from functools import partial
from typing import Final

from temporalio.worker import (
    PollerBehavior,
    PollerBehaviorAutoscaling,
    PollerBehaviorSimpleMaximum,
    Worker,
)

import worker
from bench.cancel.stand_ins import StandIns

POLLERS: Final[dict[str, PollerBehavior]] = {
    # What the SDK does by default.
    "fixed": PollerBehaviorSimpleMaximum(5),
    "autoscaling": PollerBehaviorAutoscaling(),
}


def main(kind: str) -> None:
    """Serve all task queues until a signal arrives."""
    pollers = POLLERS[kind]
    make_worker = partial(
        Worker, workflow_task_poller_behavior=pollers, activity_task_poller_behavior=pollers
    )
    setattr(worker, "Worker", make_worker)  # noqa: B010 - this process does nothing else
    asyncio.run(worker.main([], partial(worker.run_workers, activities_class=StandIns)))


if __name__ == "__main__":
    # Else multiprocessing would import this file in every compute process, which needs none of it.
    del __file__
    __spec__ = None  # type: ignore[assignment]
    main(sys.argv[1])
