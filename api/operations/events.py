"""Following operations: Temporal is queried once a second per operation, for all followers."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator

from api.operations.progress import carried_over
from api.operations.resolver import Resolver
from errors import TemporalUnavailable
from workflows.contract import ACTIVE, OperationInfo

SECONDS_BETWEEN_LOOKS = 1.0


def state_id(operation: OperationInfo) -> str:
    """Return an id of this state of an operation, the same in every API process."""
    return hashlib.sha256(operation.model_dump_json().encode()).hexdigest()[:16]


class Feed:
    """The states of one operation. A slow follower misses some, but never the last."""

    def __init__(self, resolver: Resolver, operation_id: str) -> None:
        self.followers = 0
        self._resolver = resolver
        self._operation_id = operation_id
        self._latest: OperationInfo | None = None
        self._news = asyncio.Event()
        self._looking = asyncio.create_task(self._look())
        self._looking.add_done_callback(lambda _: self._news.set())

    @property
    def ended(self) -> bool:
        """Whether this feed has stopped polling."""
        return self._looking.done()

    async def ready(self) -> None:
        """Wait for the first state.

        Raises:
            OperationNotFound: no operation has this id.
            TemporalUnavailable: Temporal does not answer.
        """
        if self._latest is None:
            await self._news.wait()
        if self.ended:
            self._looking.result()

    async def states(self) -> AsyncIterator[OperationInfo]:
        """Yield the current state, then every change, until the operation has ended."""
        seen = None
        while True:
            # Taken before the state is read, so that a later change wakes this follower.
            news = self._news
            if self._latest is not None and self._latest is not seen:
                seen = self._latest
                yield seen
            elif self.ended:
                return
            else:
                await news.wait()

    async def stop(self) -> None:
        """Stop polling."""
        self._looking.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._looking

    async def _look(self) -> None:
        operation = await self._resolver.operation(self._operation_id)
        self._publish(operation)
        while operation.status in ACTIVE:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            # Followers stay connected while Temporal is unavailable, and continue afterwards.
            with contextlib.suppress(TemporalUnavailable):
                operation = await self._resolver.operation(self._operation_id)
                self._publish(operation)

    def _publish(self, operation: OperationInfo) -> None:
        if self._latest is not None:
            operation = carried_over(operation, self._latest)
        if operation != self._latest:
            self._latest = operation
            self._news.set()
            self._news = asyncio.Event()


class Followers:
    """All feeds of this process: one for each operation that somebody follows."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._feeds: dict[str, Feed] = {}

    @contextlib.asynccontextmanager
    async def follow(self, operation_id: str) -> AsyncIterator[Feed]:
        """Join the followers of an operation; the last one to leave stops the polling."""
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
