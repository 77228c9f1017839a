"""The route that verifies the ledger."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from api.paths import ResourceRouter
from api.schemas import LedgerResponse
from api.services import ServicesDep
from quant.messages.base import FrozenModel
from quant.messages.record.market import HEAD_PATTERN, LedgerHead

router = ResourceRouter(tags=["experiments"])


class LedgerQuery(FrozenModel):
    """What the ledger must contain."""

    head: str | None = Field(
        None, pattern=HEAD_PATTERN, description="Head that a report names: its number and hash"
    )


@router.get("/ledger")
async def verify_ledger(
    services: ServicesDep, query: Annotated[LedgerQuery, Query()]
) -> LedgerResponse:
    """Follow the chain of trials and looks, and say whether one was changed or is missing."""
    expected = LedgerHead.parse(query.head) if query.head else None
    return LedgerResponse(data=await services.ledger.ask(services.ledger.chain.verify, expected))
