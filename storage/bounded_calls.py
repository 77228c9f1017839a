"""Calls to a party outside this process. Each ends within a limit, whatever that party does.

A server may be stopped and a disk may hang. The call then never returns, and no time limit of a
driver covers every case. So calls run in threads of their own, and a caller leaves at the limit.
The number of threads for each party is bounded, so that those for everything else stay free.
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
        seconds: How long a caller waits for a free thread and for the answer, together.
        at_once: The most threads. An abandoned call keeps its thread until it returns.
        unavailable: Makes the error that is raised at the limit.
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
        """Return what the function returns. This thread waits for it.

        Raises:
            KtrdrError: There is no answer within the limit.
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
        """Return what the function returns. The event loop goes on meanwhile.

        Raises:
            KtrdrError: There is no answer within the limit.
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
            # Without a free thread, calls that nobody waits for any longer would pile up.
            while self._waiting and self._waiting[0][0].cancelled():
                self._waiting.popleft()
            self._waiting.append((answer, functools.partial(contextvars.copy_context().run, call)))
            if self._threads < self._at_once:
                self._threads += 1
                # A daemon thread does not keep the process alive while its call hangs.
                threading.Thread(target=self._work, daemon=True).start()
        return answer

    def _work(self) -> None:
        """Make the waiting calls, and end the thread when there are none."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                answer, call = self._waiting.popleft()
            if not answer.set_running_or_notify_cancel():
                continue  # Nobody waits for it any longer.
            try:
                result = call()
            except BaseException as error:  # It belongs to the caller.
                answer.set_exception(error)
            else:
                answer.set_result(result)
