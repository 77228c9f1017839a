"""How many processes of a worker compute at once, whatever queues it serves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from quant.messages.progress import WAITS_FOR, Progress, ReportProgress

_SECONDS_BETWEEN_LOOKS: Final = 1.0


@dataclass(eq=False)
class Slot:
    """The slot of a computing process.

    Attributes:
        kind: What is computed; processes of one kind need about the same memory.
        helpers: How many further processes it may start.
        pids: The processes, as soon as they run.
        peak: Most memory that they were seen to use, in bytes.
    """

    kind: str
    helpers: int = 0
    pids: list[int] = field(default_factory=list)
    peak: int = 0


class ComputeSlots:
    """The slots of a worker process. Each computing process takes one.

    With a bound on the memory, a process also waits until there is room for as much as others of
    its kind have used, or for the largest of any kind. The very first one starts alone.

    Args:
        total: Number of slots.
        memory: Bytes that the processes may use together; None for no bound.
    """

    def __init__(self, total: int, memory: int | None = None) -> None:
        self._semaphore = asyncio.Semaphore(total)
        self._memory = memory
        self._taken: set[Slot] = set()
        self._peaks: dict[str, int] = {}
        self._released = asyncio.Event()

    @asynccontextmanager
    async def take(
        self, kind: str, report: ReportProgress, *, helpers: int = 0
    ) -> AsyncIterator[Slot]:
        """Wait for a slot, and hold it.

        Args:
            kind: What is to be computed.
            report: Told what is waited for.
            helpers: How many further slots to take, as far as they are free.
        """
        async with AsyncExitStack() as taken:
            if self._semaphore.locked():
                _report_wait(report, "slot")
            await taken.enter_async_context(self._semaphore)
            slot = Slot(kind)
            await self._wait_for_memory(slot, report)
            while slot.helpers < helpers and not self._semaphore.locked():
                await taken.enter_async_context(self._semaphore)
                slot.helpers += 1
            self._taken.add(slot)
            looking = asyncio.create_task(self._look(slot))
            try:
                yield slot
            finally:
                looking.cancel()
                self._taken.discard(slot)
                self._released.set()
                self._released = asyncio.Event()

    async def _wait_for_memory(self, slot: Slot, report: ReportProgress) -> None:
        waits = False
        while not self._has_room(slot):
            if not waits:
                waits = True
                _report_wait(report, "memory")
            released = self._released
            with suppress(TimeoutError):
                # A look may meanwhile show how much a process of this kind needs.
                async with asyncio.timeout(_SECONDS_BETWEEN_LOOKS):
                    await released.wait()

    def _has_room(self, slot: Slot) -> bool:
        if self._memory is None or not self._taken:
            return True
        expected = self._expect(slot)
        if not expected:
            return False
        return expected + sum(self._expect(each) for each in self._taken) <= self._memory

    def _expect(self, slot: Slot) -> int:
        """Return how much memory a process will use, in bytes; 0 if nothing is known of it."""
        known = self._peaks.get(slot.kind) or max(self._peaks.values(), default=0)
        return max(slot.peak, known)

    async def _look(self, slot: Slot) -> None:
        """Watch how much memory a slot uses."""
        while self._memory is not None:
            used = sum(_read_memory(pid) for pid in slot.pids)
            slot.peak = max(slot.peak, used)
            self._peaks[slot.kind] = max(self._peaks.get(slot.kind, 0), slot.peak)
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


def _report_wait(report: ReportProgress, what: str) -> None:
    step = f"Waiting for a free {what}" if what == "slot" else f"Waiting for {what}"
    report(Progress(current_step=step, context={WAITS_FOR: what}))


def _read_memory(pid: int) -> int:
    """Return the memory of a process in bytes; 0 if it has ended. Shared pages count in part."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    return 0
