"""Processes beside the stack, which end with the benchmark, however that ends."""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

from quant.processes import bind_to_parent


@contextlib.contextmanager
def run_beside(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Run a process until the block ends.

    Args:
        command: Its command line.
        options: Those of `subprocess.Popen`.
    """
    process = subprocess.Popen(bind_to_parent(command), **options)
    try:
        yield process
    finally:
        process.terminate()
        # Also reads what is left in its pipes, so that it can end.
        process.communicate()
