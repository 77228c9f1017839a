"""What routes take from a request, as `Annotated` dependencies."""

import hashlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, Query, Request

from api.auth.authorization import AccessDep, get_access
from api.idempotency import IdempotencyKey
from api.listing.board import Board
from api.listing.filters import OperationFilter
from api.operations.events import Feed
from api.paths import get_path
from api.services import ServicesDep
from workflows.interface.ids import DatedKey

WaitSeconds = Annotated[
    float, Query(ge=0.0, le=30.0, description="Seconds to wait for the work to stop")
]


async def _qualify_schedule_id(access: AccessDep, schedule_id: str) -> str:
    return access.qualify_schedule_id(schedule_id)


# The full id of the schedule that the path names.
ScheduleIdDep = Annotated[str, Depends(_qualify_schedule_id)]


async def _read_idempotency_key(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=200,
            description="A repeated request with the same key starts nothing new, for as long as "
            "Temporal keeps closed workflows. A key of the form "
            "`<operation type>-<yyyymmdd>T<hhmmss>Z-<16 to 64 hex>` costs no time: the id of the "
            "operation derives from it",
        ),
    ] = None,
) -> IdempotencyKey | None:
    if key is None:
        return None
    digest = hashlib.sha256(get_path(request).encode() + b"\n" + await request.body())
    # Two owners may use the same key.
    owner = (await get_access(request)).caller.owner
    return IdempotencyKey(
        f"{owner}\n{key}" if owner else key, digest.hexdigest(), DatedKey.parse(key)
    )


IdempotencyKeyDep = Annotated[IdempotencyKey | None, Depends(_read_idempotency_key)]


async def _follow(services: ServicesDep, operation_id: str) -> AsyncIterator[Feed]:
    async with services.feeds.follow(operation_id) as feed:
        # The route cannot wait for it: a stream that has begun can no longer answer 404.
        await feed.wait_for_first()
        yield feed


FeedDep = Annotated[Feed, Depends(_follow)]


async def _follow_board(services: ServicesDep) -> AsyncIterator[Board]:
    async with services.board.follow():
        yield services.board


# What runs now. It is looked at as long as the answer lasts.
BoardDep = Annotated[Board, Depends(_follow_board)]


async def _restrict(
    access: AccessDep, chosen: Annotated[OperationFilter, Query()]
) -> OperationFilter:
    chosen.require_agreement()
    chosen.require_no_step()
    return chosen.model_copy(update={"owner": access.restrict_owner(chosen.owner)})


# Which operations, of those that the caller may see. A stream that has begun can refuse nothing.
VisibleDep = Annotated[OperationFilter, Depends(_restrict)]
