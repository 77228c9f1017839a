"""Calls to a party outside this process: each ends within a limit, whatever that party does.

A server may be stopped and a disk may hang; the call then never returns, and no time limit of a
driver covers every case. So calls wait in threads of their own, an unanswered one is abandoned, and
only so many wait for the same party. The threads that serve everything else stay free.
"""

import asyncio
import contextvars
import functools
import threading
from collections import deque
from collections.abc import Callable
from concurrent import futures
from typing import Any, ParamSpec, TypeVar

from errors import KtrdrError

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class BoundedCalls:
    """Calls to one party.

    Args:
        seconds: how long a caller waits, for a free thread and for the answer together.
        at_once: how many threads there are at most; an abandoned call has one until it returns.
        unavailable: returns the error of a caller who was not answered.
    """

    def __init__(
        self, *, seconds: float, at_once: int, unavailable: Callable[[], KtrdrError]
    ) -> None:
        self._seconds = seconds
        self._at_once = at_once
        self._unavailable = unavailable
        self._waiting: deque[tuple[futures.Future[Any], Callable[[], Any]]] = deque()
        self._threads = 0
        self._lock = threading.Lock()

    def call(
        self, function: Callable[_Given, _Result], *args: _Given.args, **kwargs: _Given.kwargs
    ) -> _Result:
        """Return what the function returns; blocks this thread until then.

        Raises:
            KtrdrError: there was no answer within the limit.
        """
        answer = self._submit(functools.partial(function, *args, **kwargs))
        try:
            if not futures.wait([answer], self._seconds).done:
                raise self._unavailable()
            return answer.result()
        finally:
            answer.cancel()

    async def ask(
        self, function: Callable[_Given, _Result], *args: _Given.args, **kwargs: _Given.kwargs
    ) -> _Result:
        """Return what the function returns; blocks no thread of the event loop.

        Raises:
            KtrdrError: there was no answer within the limit.
        """
        answer = asyncio.wrap_future(self._submit(functools.partial(function, *args, **kwargs)))
        try:
            done, _ = await asyncio.wait([answer], timeout=self._seconds)
            if not done:
                raise self._unavailable()
            return answer.result()
        finally:
            answer.cancel()

    def _submit(self, call: Callable[[], _Result]) -> futures.Future[_Result]:
        answer: futures.Future[_Result] = futures.Future()
        with self._lock:
            # If no thread ever comes back, those who have stopped waiting must not pile up.
            while self._waiting and self._waiting[0][0].cancelled():
                self._waiting.popleft()
            self._waiting.append((answer, functools.partial(contextvars.copy_context().run, call)))
            if self._threads < self._at_once:
                self._threads += 1
                # A daemon, because the process must be able to end while a call hangs.
                threading.Thread(target=self._work, daemon=True).start()
        return answer

    def _work(self) -> None:
        """Make the calls that wait; the thread ends when there are no more."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                answer, call = self._waiting.popleft()
            if not answer.set_running_or_notify_cancel():
                continue  # Its caller has stopped waiting.
            try:
                result = call()
            except BaseException as error:  # It belongs to the caller.
                answer.set_exception(error)
            else:
                answer.set_result(result)
