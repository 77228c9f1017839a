"""Where every task of every event loop waits, as text."""

import asyncio
import gc
import linecache
import sys
from collections.abc import Iterator
from types import AsyncGeneratorType, FrameType
from typing import Any, Final

_WAITS_FOR: Final = ("cr_await", "gi_yieldfrom", "ag_await")
_FRAMES: Final = ("cr_frame", "gi_frame", "ag_frame")


def of_tasks() -> str:
    """Return the stacks of all tasks that have not ended, the outermost call first."""
    return "".join(_of_task(task) for loop in _loops() for task in asyncio.all_tasks(loop))


def _loops() -> set[asyncio.AbstractEventLoop]:
    """Return the loops of all threads, none of which can be asked for otherwise.

    The collector knows those that do not run now, and no longer those that it has been told to
    leave alone. The others are in the frames of their threads.
    """
    known = {each for each in gc.get_objects() if issubclass(type(each), asyncio.AbstractEventLoop)}
    return known | {loop for top in sys._current_frames().values() for loop in _running_in(top)}


def _running_in(top: FrameType) -> Iterator[asyncio.AbstractEventLoop]:
    frame: FrameType | None = top
    while frame is not None:
        own = frame.f_locals.get("self") if frame.f_code.co_name == "run_forever" else None
        if isinstance(own, asyncio.AbstractEventLoop):
            yield own
        frame = frame.f_back


def _of_task(task: "asyncio.Task[Any]") -> str:
    lines = [f"task {task.get_name()}: {getattr(task.get_coro(), '__qualname__', '')}\n"]
    for frame in _frames(task.get_coro()):
        name, line = frame.f_code.co_filename, frame.f_lineno
        lines.append(f'  File "{name}", line {line}, in {frame.f_code.co_name}\n')
        if source := linecache.getline(name, line).strip():
            lines.append(f"    {source}\n")
    return "".join(lines)


def _frames(awaited: Any) -> Iterator[FrameType]:
    """Follow what a coroutine awaits, to the call that waits."""
    while awaited is not None:
        if frame := _first(awaited, _FRAMES):
            yield frame
        following = _first(awaited, _WAITS_FOR)
        if following is None and not frame:
            # The next step of an asynchronous generator does not name the generator.
            generators = (each for each in gc.get_referents(awaited) if _is_generator(each))
            following = next(generators, None)
        awaited = following


def _first(thing: Any, names: tuple[str, ...]) -> Any:
    return next((found for name in names if (found := getattr(thing, name, None))), None)


def _is_generator(thing: object) -> bool:
    return isinstance(thing, AsyncGeneratorType)
