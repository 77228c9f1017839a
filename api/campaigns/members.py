"""The members of a campaign that have no record yet: what each of them looks for."""

import contextlib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from quant.messages.campaign import CampaignRecord, CampaignRow
from workflows.interface.campaigns import CampaignRequest
from workflows.interface.ids import make_member_id


def describe_pending(campaign: CampaignRecord, numbers: Sequence[int]) -> dict[int, CampaignRow]:
    """Return the rows of members that have not ended, by their numbers.

    What a member of the first generation looks for follows from the request. Later generations are
    proposed, and only the workflow knows them.

    Args:
        campaign: The campaign.
        numbers: Of the members, from 1.
    """
    if not numbers:
        return {}
    request = None
    with contextlib.suppress(ValidationError):  # An earlier version has recorded it.
        # Thousands of seeds, perhaps: once for all rows.
        request = CampaignRequest.model_validate(campaign.request)
    return {number: _describe(campaign, request, number) for number in numbers}


def _describe(
    campaign: CampaignRecord, request: CampaignRequest | None, number: int
) -> CampaignRow:
    generation = (number - 1) // campaign.members_per_generation + 1
    known = _find_goal(request, number) if request is not None and generation == 1 else {}
    return CampaignRow(
        number=number,
        operation_id=make_member_id(campaign.operation_id, number),
        generation=generation,
        status="pending",
        **known,
    )


def _find_goal(request: CampaignRequest, number: int) -> dict[str, Any]:
    try:
        research = request.get_member(number)
    except ValidationError:
        return {}  # An earlier version allowed what it asks for.
    return {
        "symbol": research.symbol,
        "timeframe": research.timeframe,
        "designer": None if research.strategy else research.designer,
        "brief": research.brief,
        "seed": research.seed,
        "strategy_name": research.strategy,
    }
