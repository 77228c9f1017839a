"""`python -m bench.tasks.worker FILE`: the worker with stand-ins, which writes down long tasks."""

import asyncio
import json
import sys
import threading
from functools import partial
from pathlib import Path

from bench.cancel.stand_ins import StandIns
from worker import main, run_workers


class Longest:
    """The longest task of every workflow type, in seconds, in a JSON file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, workflow_type: str, seconds: float) -> None:
        """Note a task. The threads of the workflows call this."""
        with self._lock:
            if seconds > self._seconds.get(workflow_type, 0.0):
                self._seconds[workflow_type] = seconds
                self._file.write_text(json.dumps(self._seconds))


if __name__ == "__main__":
    # Else multiprocessing would import this file in every compute process, which needs none of it.
    del __file__
    __spec__ = None  # type: ignore[assignment]
    serve = partial(run_workers, activities_class=StandIns, on_task=Longest(Path(sys.argv[1])))
    asyncio.run(main([], serve))
