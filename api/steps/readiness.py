"""Asks before a start whether there are enough bars for it, so that nothing fails later.

Bars are counted by a process of its own, because that takes numerical libraries, which this one
never loads. The answer is remembered until a file changes. The check is for people: if it takes too
long or breaks, the start goes on, and the worker checks the bars anyway.
"""

import asyncio
import hashlib
import logging
import os
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from activities.computing.environment import ONE_THREAD, SECRET_VARIABLES
from errors import InvalidData
from quant.bars.catalog import Catalog, is_built_in
from quant.messages.data import DataSource
from quant.messages.readiness import ReadinessAnswer, ReadinessCheck, Unready, WantedBars
from quant.processes import describe_end

_SECONDS: Final = 15.0
_AT_ONCE: Final = 2
_REMEMBERED: Final = 1_000
_MODULE: Final = "quant.universe.readiness"

_log = logging.getLogger(__name__)


class Readiness:
    """Knows whether there are enough bars.

    Args:
        seconds: The longest time that a check may take.
    """

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._known: OrderedDict[str, Unready | None] = OrderedDict()

    async def require(self, bars: Catalog, *wanted: WantedBars) -> None:
        """Check that there are enough bars.

        Args:
            bars: Those that exist.
            wanted: What is asked about.

        Raises:
            InvalidInput: The bars do not exist.
            InvalidData: There are too few, or they cannot be trusted.
        """
        unsure = [each for each in wanted if _may_lack(each)]
        if not unsure:
            return
        marks = await asyncio.to_thread(_mark, unsure, bars)
        new = {mark: each for mark, each in marks.items() if mark not in self._known}
        for mark in marks.keys() & self._known.keys():
            self._known.move_to_end(mark)
        answer = await self._ask(tuple(new.values()), bars.directory) if new else None
        if answer is not None:
            # Of several, the answer is about all of them, or about one that it does not name.
            if answer.problem is None or len(new) == 1:
                self._remember(dict.fromkeys(new, answer.problem))
            _refuse(answer.problem)
        for mark in marks:
            _refuse(self._known.get(mark))

    def _remember(self, answers: Mapping[str, Unready | None]) -> None:
        self._known.update(answers)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    async def _ask(
        self, wanted: tuple[WantedBars, ...], data_dir: Path | None
    ) -> ReadinessAnswer | None:
        """Return the answer; None if there is none in time."""
        question = ReadinessCheck(data_dir=data_dir, wanted=wanted).model_dump_json()
        try:
            async with asyncio.timeout(self._seconds), self._at_once:
                written = await _run(question.encode())
            return ReadinessAnswer.model_validate_json(written)
        except TimeoutError:
            _log.warning("bars are not checked before the start: it takes too long")
        except (OSError, ValueError) as error:
            _log.warning("bars are not checked before the start: %s", error)
        return None


def _refuse(problem: Unready | None) -> None:
    if problem is not None:
        named = problem.field is None or problem.field in problem.message
        message = problem.message if named else f"{problem.field}: {problem.message}"
        raise InvalidData(message, field=problem.field)


async def _run(question: bytes) -> bytes:
    """Return what the process answers. It is dead when this ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _MODULE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=_make_environment(),
    )
    try:
        answer, _ = await process.communicate(question)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode:
        raise ChildProcessError(f"the process {describe_end(process.returncode)}")
    return answer


def _make_environment() -> dict[str, str]:
    public = {name: each for name, each in os.environ.items() if name not in SECRET_VARIABLES}
    return public | ONE_THREAD


def _may_lack(wanted: WantedBars) -> bool:
    """Return whether bars may be too few: those that everybody has are not."""
    data, spec = wanted.data, wanted.spec
    return not (
        is_built_in(data)
        and len(data.instruments) == 1
        and data.start_date is None
        and data.end_date is None
        and wanted.days is None
        and wanted.benchmark is None
        and (spec is None or all(feature.timeframe is None for feature in spec.features))
    )


def _mark(wanted: Sequence[WantedBars], bars: Catalog) -> dict[str, WantedBars]:
    """Return the questions by what they and their answers depend on."""
    return {_make_mark(each, bars): each for each in wanted}


def _make_mark(wanted: WantedBars, bars: Catalog) -> str:
    """Return a hash of a question and of all files that the answer is about.

    Raises:
        InvalidInput: The bars do not exist.
    """
    digest = hashlib.sha256(wanted.model_dump_json().encode())
    data = wanted.data
    sources = [data]
    if wanted.benchmark is not None:
        sources.append(DataSource(symbol=wanted.benchmark, timeframe=data.timeframe))
    for file in [each for source in sources for each in bars.find_files(source)]:
        if file is not None:
            with suppress(OSError):
                status = file.path.stat()
                digest.update(f"{file} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()
