"""What all activities that compute have in common: processes, heartbeats, and errors."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Final, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError, FailureError

from activities import jobs
from activities.computing.compute import Compute
from activities.computing.compute_process import Job
from activities.heartbeat import send_heartbeats
from activities.notifying import Notifier
from errors import (
    ArtifactsUnavailable,
    ComputeDied,
    KtrdrError,
    LedgerUnavailable,
    Unexpected,
)
from quant.messages.base import FrozenModel
from quant.messages.progress import ignore_report
from quant.messages.record.trials import ReportTrial
from settings import Settings
from storage.ledger.ledger import Ledger

_log = logging.getLogger(__name__)

_Task = TypeVar("_Task", bound=jobs.Task)
_Result = TypeVar("_Result", bound=FrozenModel)

_TRANSIENT: Final = frozenset(
    {ComputeDied.reason, ArtifactsUnavailable.reason, LedgerUnavailable.reason}
)


class StepActivities:
    """Runs jobs for activities.

    Args:
        compute: Runs the jobs.
        ledger: The record.
        settings: Directories, the artifact store and language models.
        cancels_are_pushed: Whether the server pushes a cancel to this worker at once.
    """

    def __init__(
        self,
        *,
        compute: Compute,
        ledger: Ledger,
        settings: Settings,
        cancels_are_pushed: bool = False,
    ) -> None:
        self._compute = compute
        self._ledger = ledger
        self._settings = settings
        self._cancels_are_pushed = cancels_are_pushed
        self._notifier = Notifier(settings)

    async def _run(
        self,
        job: Job[_Task, _Result],
        task: _Task,
        returns: type[_Result],
        report_trial: ReportTrial = ignore_report,
        helpers: int = 0,
    ) -> _Result:
        async with send_heartbeats(cancels_are_pushed=self._cancels_are_pushed) as report:
            return await self._compute.run(
                job,
                task,
                self._context(task),
                returns=returns,
                report=report,
                report_trial=report_trial,
                kind=f"{job.__name__} of {task.bars_name}",
                helpers=helpers,
            )

    def _context(self, task: jobs.Task) -> jobs.JobContext:
        return jobs.JobContext(
            task.operation_id, self._settings.artifacts_url, self._settings.data_dir
        )


@contextlib.contextmanager
def translate_errors() -> Iterator[None]:
    """Raise errors as failures that Temporal understands, and retries if they are transient.

    Computation is deterministic, so a retry would raise any other error again. The failure has no
    cause, or else the cause would pass for the root of the failure.
    """
    try:
        yield
    except KtrdrError as error:
        raise _make_failure(error) from None
    except FailureError:
        raise
    except Exception as error:
        step = activity.info().activity_type
        _log.exception("%s failed", step)
        # The system may have more files, memory or disk later.
        raise _make_failure(
            Unexpected(f"step {step}", error), transient=isinstance(error, OSError | MemoryError)
        ) from None


def _make_failure(error: KtrdrError, *, transient: bool = False) -> ApplicationError:
    return ApplicationError(
        error.message,
        {"field": error.field},
        type=error.reason,
        non_retryable=not transient and error.reason not in _TRANSIENT,
    )
