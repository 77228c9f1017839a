"""A limit on the requests that are worked on at once. The others wait, or are refused.

Temporal and the ledger answer some hundred calls a second. If a burst were passed on to them, most
calls would exceed their time limits, and some would have started work all the same.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import answer_error
from api.paths import get_path
from errors import Busy

_AT_ONCE: Final = 32
# Starts are admitted together, and few of them call Temporal at once.
_STARTS_AT_ONCE: Final = 128
# A cancel waits for the work to stop. A read of the record waits for one of a few threads.
_WAITING_AT_ONCE: Final = 256
_MOST_WAITING: Final = 1000
_LONGEST_WAIT_SECONDS: Final = 20.0

# They show whether this process lives, and how busy it is.
_NEVER_WAITING: Final = frozenset({"/health", "/metrics"})

_CHECK: Final = "/health/ready"

# Reads of the ledger and of artifacts. If one of them is silent, they take no place of others.
_RECORDS: Final = (
    *("/experiments", "/leaderboard", "/hypotheses", "/markets"),
    *("/tags", "/comparison"),
)
_ARTIFACTS: Final = ("/artifacts", "/candidates", "/curves", "/metrics", "/report")


@dataclass
class _Share:
    """What one caller uses of a lane.

    Attributes:
        places: The places that it may still take.
        requests: How many of its requests wait or are worked on.
    """

    places: asyncio.Semaphore
    requests: int = 0


@dataclass
class Lane:
    """Requests of one kind. One caller takes at most half of the places, so none locks others out.

    Attributes:
        at_once: How many are worked on at once.
        most_waiting: How many may wait, in total. Half of them for one caller.
        longest_wait: Seconds.
    """

    at_once: int
    most_waiting: int = _MOST_WAITING
    longest_wait: float = _LONGEST_WAIT_SECONDS
    _shares: dict[str, _Share] = field(default_factory=dict, init=False)
    _waiting: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.at_once)

    @contextlib.asynccontextmanager
    async def enter(self, caller: str) -> AsyncIterator[None]:
        """Wait for a place, and keep it until the context ends.

        Raises:
            Busy: Too many wait already, or no place became free in time.
        """
        half = max(1, self.at_once // 2)
        share = self._shares.setdefault(caller, _Share(asyncio.Semaphore(half)))
        if share.requests >= half + self.most_waiting // 2 or self._waiting >= self.most_waiting:
            raise _make_busy()
        share.requests += 1
        try:
            async with contextlib.AsyncExitStack() as places:
                await self._wait(share, places)
                yield
        finally:
            share.requests -= 1
            if not share.requests:
                self._shares.pop(caller, None)

    async def _wait(self, share: _Share, places: contextlib.AsyncExitStack) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(self.longest_wait):
                await places.enter_async_context(share.places)
                await places.enter_async_context(self._places)
        except TimeoutError:
            raise _make_busy() from None
        finally:
            self._waiting -= 1


def _make_busy() -> Busy:
    return Busy("Too many requests at once; nothing has begun. Try again in a moment.")


class ConcurrencyLimit:
    """Lets a few requests through at once. Different kinds do not wait for each other."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._cancels = Lane(_WAITING_AT_ONCE)
        self._starts = Lane(_STARTS_AT_ONCE)
        self._reads = Lane(_AT_ONCE)
        self._records = Lane(_WAITING_AT_ONCE)
        self._checks = Lane(_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on when its turn has come."""
        if scope["type"] != "http" or get_path(Request(scope)) in _NEVER_WAITING:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        lane = self._choose_lane(request.method, get_path(request))
        async with contextlib.AsyncExitStack() as place:
            try:
                await place.enter_async_context(lane.enter(_identify(request)))
            except Busy as error:
                await answer_error(request, error)(scope, receive, send)
                return

            async def leave_and_send(message: Message) -> None:
                # The work is done when the answer begins. A stream of events then lasts for hours.
                await place.aclose()
                await send(message)

            await self._app(scope, receive, leave_and_send)

    def _choose_lane(self, method: str, path: str) -> Lane:
        if path.endswith(_ARTIFACTS):
            return self._records
        if method == "DELETE":
            return self._cancels
        if method == "POST":
            return self._starts
        if path == _CHECK:
            return self._checks
        if path.startswith(_RECORDS):
            return self._records
        return self._reads


def _identify(request: Request) -> str:
    """Return who sends a request: the key, or the address of a client without one."""
    key = request.headers.get("authorization")
    return key or (request.client.host if request.client else "")
