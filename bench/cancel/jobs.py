"""What stand-ins run in a compute process. It imports little: a thousand start at once."""

import os
import time
from pathlib import Path

from activities.jobs import JobContext, Task
from errors import InconsistentAccount
from quant.messages.progress import ReportProgress
from storage.artifacts import ArtifactStore

_LONG = 1_000_000.0
_ARTIFACT = "standin"


def idle(task: Task, context: JobContext, _report: ReportProgress) -> Task:
    """Stay inside one C call, in the middle of writing an artifact."""
    _begin_artifact(context)
    time.sleep(_LONG)
    return task


def fail(_task: Task, context: JobContext, _report: ReportProgress) -> Task:
    """Fail in the middle of writing an artifact."""
    _begin_artifact(context)
    raise InconsistentAccount("failed as planned")


def find_idle_process(artifacts_url: str, operation_id: str) -> int | None:
    """Return the id of the process that idles for this operation, or None if it has not begun."""
    folder = _folder(artifacts_url, operation_id)
    pids = [int(path.name.split(".")[-2]) for path in folder.glob(f".{_ARTIFACT}.*.part")]
    return pids[0] if pids else None


def _begin_artifact(context: JobContext) -> None:
    folder = _folder(context.artifacts_url, context.operation_id)
    folder.mkdir(parents=True, exist_ok=True)
    # The name that `storage.artifacts` gives a file which is not complete yet.
    (folder / f".{_ARTIFACT}.{os.getpid()}.part").touch()


def _folder(artifacts_url: str, operation_id: str) -> Path:
    return Path(ArtifactStore(artifacts_url).open(operation_id).location(_ARTIFACT)).parent
