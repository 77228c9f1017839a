"""Commands of the machine that must succeed within a time."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

PATIENCE: Final = 600.0
"""Seconds for what takes one on a machine that does nothing else."""


def run(
    *command: str,
    within: float = PATIENCE,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    input_from: IO[bytes] | None = None,
) -> str:
    """Run a command, and return what it has printed to its standard output."""
    done = subprocess.run(
        command,
        env=environment,
        cwd=directory,
        stdin=input_from or subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    said = f"{done.stdout[-4000:]}{done.stderr[-8000:]}"
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{said}"
    return done.stdout
