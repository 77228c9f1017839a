"""Follows operations. Each is polled once a second and at its end, however many follow it."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable

from api.operations.resolver import Resolver
from api.operations.state.progress import keep_progress
from errors import Busy, TemporalUnavailable
from workflows.interface.contract import ACTIVE, OperationInfo

POLL_SECONDS = 1.0

MOST_FOLLOWERS = 500


# They change with the time alone. That is no news.
_CLOCKS = {"duration_seconds", "step_seconds_left"}


def make_event_id(operation: OperationInfo) -> str:
    """Return an id of this state of an operation. It is the same in every API process."""
    state = operation.model_dump_json(exclude=_CLOCKS)
    return hashlib.sha256(state.encode()).hexdigest()[:16]


class Feed:
    """The states of one operation. A slow follower misses some states, but never the last."""

    def __init__(self, resolver: Resolver, operation_id: str) -> None:
        self.followers = 0
        self._resolver = resolver
        self._operation_id = operation_id
        self._latest: OperationInfo | None = None
        self._change = asyncio.Event()
        self._polling = asyncio.create_task(self._poll())
        self._polling.add_done_callback(lambda _: self._change.set())

    @property
    def ended(self) -> bool:
        """Whether this feed has stopped polling."""
        return self._polling.done()

    async def wait_for_first(self) -> None:
        """Wait for the first state.

        Raises:
            OperationNotFound: No operation has this id.
            TemporalUnavailable: Temporal does not answer.
        """
        if self._latest is None:
            await self._change.wait()
        if self.ended:
            self._polling.result()

    async def watch(self, may_continue: Callable[[], bool]) -> AsyncIterator[OperationInfo]:
        """Yield the current state, then every change, until the operation has ended.

        Args:
            may_continue: Whether the follower may still see the operation. Asked once a second.
        """
        seen = None
        while may_continue():
            # The event is read before the state. So a later change wakes this follower.
            change = self._change
            if self._latest is not None and self._latest is not seen:
                seen = self._latest
                yield seen
            elif self.ended:
                return
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await change.wait()

    async def stop(self) -> None:
        """Stop polling."""
        self._polling.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._polling

    async def _poll(self) -> None:
        operation = await self._resolver.find_operation(self._operation_id)
        self._publish(operation)
        end = asyncio.create_task(self._resolver.wait_for_end(self._operation_id))
        try:
            while operation.status in ACTIVE:
                if end.done():
                    await asyncio.sleep(POLL_SECONDS)
                else:
                    await asyncio.wait([end], timeout=POLL_SECONDS)
                # Followers stay connected while Temporal is unavailable, and continue afterwards.
                with contextlib.suppress(TemporalUnavailable):
                    operation = await self._resolver.find_operation(self._operation_id)
                    self._publish(operation)
        finally:
            end.cancel()

    def _publish(self, operation: OperationInfo) -> None:
        if self._latest is not None:
            operation = keep_progress(operation, self._latest)
        if self._latest is None or make_event_id(operation) != make_event_id(self._latest):
            self._latest = operation
            self._change.set()
            self._change = asyncio.Event()


class Feeds:
    """All feeds of this process: one for each operation that has followers."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._feeds: dict[str, Feed] = {}

    @contextlib.asynccontextmanager
    async def follow(self, operation_id: str) -> AsyncIterator[Feed]:
        """Follow an operation. The feed stops when its last follower leaves.

        Raises:
            Busy: Too many follow already. They would leave no connection for others.
        """
        if sum(each.followers for each in self._feeds.values()) >= MOST_FOLLOWERS:
            raise Busy("Too many operations are followed at once. Try again later.")
        feed = self._feeds.get(operation_id)
        if feed is None or feed.ended:
            feed = self._feeds[operation_id] = Feed(self._resolver, operation_id)
        feed.followers += 1
        try:
            yield feed
        finally:
            feed.followers -= 1
            if not feed.followers:
                if self._feeds.get(operation_id) is feed:
                    del self._feeds[operation_id]
                await feed.stop()
