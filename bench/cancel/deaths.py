"""When exactly a process dies: the kernel makes its pidfd readable at that moment."""

import os
import select
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

_LONGEST_WAIT_SECONDS = 60.0


class Deaths:
    """Watches processes that are not our children."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._poll = select.epoll()
        self._pid_of: dict[int, int] = {}
        for pid in pids:
            self.watch(pid)

    def watch(self, pid: int) -> None:
        """Watch another process."""
        pidfd = os.pidfd_open(pid)
        self._pid_of[pidfd] = pid
        self._poll.register(pidfd, select.EPOLLIN)

    def wait_for_next(self) -> tuple[set[int], float]:
        """Block until a process dies. Return which one, or which ones at once, and when."""
        events = self._poll.poll(_LONGEST_WAIT_SECONDS)
        at = time.perf_counter()
        dead = set()
        for pidfd, _ in events:
            self._poll.unregister(pidfd)
            os.close(pidfd)
            dead.add(self._pid_of.pop(pidfd))
        return dead, at

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pidfd in self._pid_of:
            os.close(pidfd)
        self._poll.close()
