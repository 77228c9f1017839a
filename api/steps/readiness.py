"""Asks before a start whether there are enough bars for it, so that nothing fails later.

Bars are counted by a process of its own, because that takes numerical libraries, which this one
never loads. One process answers all questions of a start, one after the other. Each answer is
remembered until a file changes. The check is for people: if it takes too long or breaks, the start
goes on, and the worker checks the bars anyway. A start that waits for others waits within its time.
"""

import asyncio
import hashlib
import logging
import os
import sys
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from activities.computing.environment import ONE_THREAD, SECRET_VARIABLES
from errors import InvalidData
from quant.bars.catalog import BarsFile, Catalog, is_built_in
from quant.messages.data import DataSource
from quant.messages.readiness import ReadinessAnswer, ReadinessCheck, Unready, WantedBars
from quant.processes import NICENESS, describe_end

_SECONDS: Final = 15.0
_AT_ONCE: Final = 3
# The many questions of a campaign may take all the time that there is. A research, which has one,
# need not wait for them.
_LISTS_AT_ONCE: Final = 2
_REMEMBERED: Final = 4_000
_MODULE: Final = "quant.universe.readiness"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checked:
    """What is known of some questions.

    Attributes:
        problems: For each question why its bars cannot be used; None if nothing is known of one.
        unchecked: Of how many questions there was no answer in time.
    """

    problems: tuple[Unready | None, ...]
    unchecked: int


class Readiness:
    """Knows whether there are enough bars.

    Args:
        seconds: The longest time that a check may take; None for the usual time.
        niceness: How far its process lets others go first.
    """

    def __init__(self, seconds: float | None = None, *, niceness: int = NICENESS) -> None:
        self._seconds = _SECONDS if seconds is None else seconds
        self._niceness = niceness
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._lists = asyncio.Semaphore(_LISTS_AT_ONCE)
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
        for problem in (await self.check(bars, wanted)).problems:
            _refuse(problem)

    async def check(self, bars: Catalog, wanted: Sequence[WantedBars]) -> Checked:
        """Return what is known of bars, as far as it can be known in time.

        Args:
            bars: Those that exist.
            wanted: What is asked about.

        Raises:
            InvalidInput: The bars of one do not exist.
        """
        unsure = [number for number, each in enumerate(wanted) if _may_lack(each)]
        problems: list[Unready | None] = [None] * len(wanted)
        if not unsure:
            return Checked(tuple(problems), 0)
        marks = await asyncio.to_thread(_mark, [wanted[number] for number in unsure], bars)
        known = {mark: self._known[mark] for mark in marks if mark in self._known}
        new = {
            mark: wanted[number]
            for mark, number in zip(marks, unsure, strict=True)
            if mark not in known
        }
        if new:
            # Those that stop early have answered the first questions.
            answers = await self._ask(tuple(new.values()), bars.directory)
            known |= dict(zip(new, answers, strict=False))
        self._remember(known)
        for mark, number in zip(marks, unsure, strict=True):
            problems[number] = known.get(mark)
        return Checked(tuple(problems), sum(mark not in known for mark in marks))

    def _remember(self, answers: Mapping[str, Unready | None]) -> None:
        self._known.update(answers)
        for mark in answers:
            self._known.move_to_end(mark)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    async def _ask(
        self, wanted: tuple[WantedBars, ...], data_dir: Path | None
    ) -> list[Unready | None]:
        """Return the answers to the first questions, as many as there are in time."""
        question = ReadinessCheck(data_dir=data_dir, wanted=wanted).model_dump_json()
        answers: list[Unready | None] = []
        why = "the process has ended"
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._lists if len(wanted) > 1 else nullcontext(),
                self._at_once,
                aclosing(_run(question.encode(), self._niceness)) as lines,
            ):
                async for line in lines:
                    # One by one: what has come before the time is over counts.
                    answers += [ReadinessAnswer.model_validate_json(line).problem]
        except TimeoutError:
            why = "it takes too long"
        except (OSError, ValueError) as error:
            why = str(error)
        if missing := len(wanted) - len(answers):
            _log.warning("bars are not checked before the start, %d of them: %s", missing, why)
        return answers


def _refuse(problem: Unready | None) -> None:
    if problem is not None:
        named = problem.field is None or problem.field in problem.message
        message = problem.message if named else f"{problem.field}: {problem.message}"
        raise InvalidData(message, field=problem.field)


async def _run(question: bytes, niceness: int) -> AsyncGenerator[bytes]:
    """Yield the lines that the process answers. It is dead when this ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _MODULE,
        str(niceness),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=_make_environment(),
    )
    asking = cast("asyncio.StreamWriter", process.stdin)
    answering = cast("asyncio.StreamReader", process.stdout)
    try:
        # It reads the whole question before it answers.
        asking.write(question)
        await asking.drain()
        asking.close()
        async for line in answering:
            yield line
        await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode:
        raise ChildProcessError(f"the process {describe_end(process.returncode)}")


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


def _mark(wanted: Sequence[WantedBars], bars: Catalog) -> list[str]:
    """Return for each question what it and its answer depend on.

    Raises:
        InvalidInput: The bars of one do not exist.
    """
    sources = dict.fromkeys(source for each in wanted for source in _list_sources(each))
    states = {source: _describe_files(bars.find_files(source)) for source in sources}
    return [
        _digest(each.model_dump_json(), *(states[source] for source in _list_sources(each)))
        for each in wanted
    ]


def _list_sources(wanted: WantedBars) -> list[DataSource]:
    """Return all bars that an answer is about."""
    data = wanted.data
    if wanted.benchmark is None:
        return [data]
    return [data, DataSource(symbol=wanted.benchmark, timeframe=data.timeframe)]


def _describe_files(files: Sequence[BarsFile | None]) -> str:
    """Return a hash of the names, sizes and times of some files."""
    digest = hashlib.sha256()
    for file in files:
        if file is not None:
            with suppress(OSError):
                status = file.path.stat()
                digest.update(f"{file} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
