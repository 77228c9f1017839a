"""What `make research` costs: time by step, peak memory by process, installed size.

In turn with it runs the barest program that does the same (`bench/barest_research.py`).
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from bench.barest_research import SEED, TRIALS
from bench.figures import Figure, publish
from bench.processes import run_beside
from bench.temporary import temporary_settings

REPETITIONS = 5
ARGUMENTS = ("--seed", str(SEED), "--trials", str(TRIALS), "--bypass-gates")
MOST_SECONDS = 4.0
MOST_START_SECONDS = 5.0
MOST_WAIT_SECONDS = 120.0

_ROOT = Path(__file__).resolve().parent.parent
_SECONDS_BETWEEN_LOOKS = 0.1
_STEP = re.compile(r"(?:Time: |, )([a-z ]+) ([0-9.]+) s")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass
class Run:
    """One run of `make research`."""

    total: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    peak_mib: dict[str, float] = field(default_factory=dict)

    def note_peaks(self, process: psutil.Process) -> None:
        """Note the peak memory of every process below this one, by its role."""
        for child in process.children(recursive=True):
            role = _role(child)
            if role is not None:
                self.peak_mib[role] = max(self.peak_mib.get(role, 0.0), _peak_mib(child.pid))


def main() -> None:
    """Measure and publish."""
    runs, barest = zip(*((_run(), _run_barest()) for _ in range(REPETITIONS)), strict=True)
    targets = {"stack start": MOST_START_SECONDS}
    publish(
        "research",
        [
            Figure("make research", "s", median(run.total for run in runs), MOST_SECONDS),
            Figure("the barest program that does the same", "s", median(barest)),
            *(
                Figure(f"of which {step}", "s", _median(runs, step), targets.get(step))
                for step in dict.fromkeys(step for run in runs for step in run.steps)
            ),
            *(
                Figure(f"peak memory: {role}", "MiB", max(run.peak_mib[role] for run in runs))
                for role in sorted(runs[0].peak_mib)
            ),
            Figure("installed size of .venv, tools included", "MiB", _size_mib(Path(sys.prefix))),
        ],
    )


def _run_barest() -> float:
    """Return how long the barest program takes, in seconds."""
    with temporary_settings():
        began = time.perf_counter()
        with run_beside(
            [sys.executable, "-m", "bench.barest_research"],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            output, _ = process.communicate(timeout=MOST_WAIT_SECONDS)
        seconds = time.perf_counter() - began
    if process.returncode != 0:
        sys.exit(output)
    return seconds


def _run() -> Run:
    run = Run()
    with temporary_settings():
        began = time.perf_counter()
        with run_beside(
            # What `make research` runs, without `make`, which would leave it behind when killed.
            [str(Path(sys.executable).parent / "ktrdr"), "research", "--embedded", *ARGUMENTS],
            cwd=_ROOT,
            # Wide enough that no line of the output is wrapped.
            env=os.environ | {"COLUMNS": "400"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            watched = psutil.Process(process.pid)
            while process.poll() is None:
                run.note_peaks(watched)
                time.sleep(_SECONDS_BETWEEN_LOOKS)
            run.total = time.perf_counter() - began
            output = process.stdout.read() if process.stdout else ""
    if process.returncode != 0:
        sys.exit(output)
    run.steps = dict(_steps(output))
    return run


def _steps(output: str) -> Iterator[tuple[str, float]]:
    times = next(line for line in output.splitlines() if line.startswith("Time: "))
    for name, seconds in _STEP.findall(times):
        yield name, float(seconds)


def _median(runs: Sequence[Run], step: str) -> float:
    # A very short phase was over before the command could see it.
    return median(run.steps.get(step, 0.0) for run in runs)


def _role(process: psutil.Process) -> str | None:
    try:
        command, parent = " ".join(process.cmdline()), process.parent()
        if "multiprocessing.forkserver" in command:
            forked = parent is not None and "multiprocessing.forkserver" in " ".join(
                parent.cmdline()
            )
            return "compute process" if forked else "fork server"
    except psutil.NoSuchProcess:
        return None
    roles = {"worker.py": "worker", "-m api": "API", "start-dev": "Temporal server"}
    return next((role for part, role in roles.items() if part in command), None)


def _peak_mib(pid: int) -> float:
    """Return the peak memory of a process. Shared pages count in each process."""
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def _size_mib(directory: Path) -> float:
    files = {
        (status.st_dev, status.st_ino): status.st_blocks * 512
        for path in directory.rglob("*")
        for status in [path.lstat()]
    }
    return sum(files.values()) / 2**20


if __name__ == "__main__":
    main()
