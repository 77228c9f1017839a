"""Reads Temporal's visibility store, newest first.

Temporal lists runs, the running ones first and the others by their end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from temporalio.client import Client, WorkflowExecution

from api.cursors import make_cursor, read_cursor
from api.listing.filters import LARGEST_PAGE
from api.temporal_calls import RPC_TIMEOUT, call_temporal

_LISTED = "operations"
_RUNNING = "Running"


@dataclass(frozen=True, order=True)
class Place:
    """The place of a run among all runs, by its start. Two may start at the same time."""

    started: str
    run_id: str

    @classmethod
    def of(cls, execution: WorkflowExecution) -> Self:
        """Return the place of a run."""
        # With a fixed number of digits, so that the texts are in the order of the times.
        start = execution.raw_info.start_time
        return cls(f"{start.ToDatetime():%Y-%m-%dT%H:%M:%S}.{start.nanos:09d}Z", execution.run_id)

    def make_cursor(self) -> str:
        """Return a cursor for what follows after this place."""
        return make_cursor(_LISTED, f"{self.started} {self.run_id}".encode())

    @classmethod
    def read_cursor(cls, cursor: str) -> Self:
        """Return the place that a cursor names.

        Raises:
            InvalidInput: The cursor is not one that this API returned.
        """
        started, _, run_id = read_cursor(_LISTED, cursor).decode().partition(" ")
        return cls(started, run_id)


class Visibility:
    """The runs of a namespace.

    Every method raises TemporalUnavailable if Temporal does not answer.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def count(self, query: str) -> int:
        """Return how many runs match a query."""
        counting = self._client.count_workflows(query, rpc_timeout=RPC_TIMEOUT)
        return (await call_temporal(counting)).count

    async def count_with_active(self, query: str) -> tuple[int, int]:
        """Return how many runs match a query, and how many of them are active.

        Two counts would be of two moments, with more active ones than there are.
        """
        grouped = f"{query} GROUP BY ExecutionStatus"
        counting = self._client.count_workflows(grouped, rpc_timeout=RPC_TIMEOUT)
        groups = (await call_temporal(counting)).groups
        active = sum(each.count for each in groups if each.group_values == [_RUNNING])
        return sum(each.count for each in groups), active

    async def find_newest(
        self, query: str, number: int, before: Place | None = None
    ) -> list[WorkflowExecution]:
        """Return the runs that started last, in this order.

        Of the runs read so far, the last of so many newest bounds what is still to be read.

        Args:
            query: Which runs.
            number: At most so many.
            before: Only those that come after this place in the order.
        """
        if before is not None:
            query = f"{query} AND StartTime <= '{before.started}'"
        newest: dict[Place, WorkflowExecution] = {}
        since, token, size = "", None, min(number, LARGEST_PAGE)
        while True:
            bounded = f"{query} AND StartTime >= '{since}'" if since else query
            rows, token = await self._fetch(bounded, size, token)
            newest |= {Place.of(row): row for row in rows}
            places = sorted((p for p in newest if before is None or p < before), reverse=True)
            newest = {place: newest[place] for place in places[:number]}
            if token is None:
                return list(newest.values())
            size = LARGEST_PAGE
            if len(newest) == number and (oldest := places[number - 1].started) > since:
                since, token = oldest, None

    async def list_all(self, query: str) -> list[WorkflowExecution]:
        """Return all runs that match a query, in Temporal's order."""
        rows, token = await self._fetch(query, LARGEST_PAGE, None)
        found = [*rows]
        while token is not None:
            rows, token = await self._fetch(query, LARGEST_PAGE, token)
            found += rows
        return found

    async def _fetch(
        self, query: str, size: int, token: bytes | None
    ) -> tuple[Sequence[WorkflowExecution], bytes | None]:
        pages = self._client.list_workflows(
            query, page_size=size, next_page_token=token, rpc_timeout=RPC_TIMEOUT
        )
        await call_temporal(pages.fetch_next_page())
        return pages.current_page or (), pages.next_page_token or None


def leave_out(query: str, run_ids: Iterable[str]) -> str:
    """Return the query without these runs."""
    ids = ", ".join(map(quote, run_ids))
    return f"{query} AND RunId NOT IN ({ids})" if ids else query


def quote(value: str) -> str:
    """Return a value for a query. Ids of workflows that others have started may contain quotes."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
