"""Whether there are enough bars for all members of a campaign, asked once for all."""

from collections.abc import Sequence
from typing import Final

from api.steps.readiness import Readiness
from errors import InvalidData
from quant.bars.catalog import Catalog
from quant.messages.readiness import Unready, WantedBars
from quant.messages.strategy import StrategySpec
from quant.wording import format_count, join_names
from workflows.interface.campaigns import FIELD_OF_LIST, FIELDS_OF_SYMBOLS, CampaignRequest
from workflows.interface.messages import ResearchRequest

_MOST_NAMED: Final = 5


async def require_bars(
    request: CampaignRequest,
    wanted: Sequence[WantedBars],
    bars: Catalog,
    readiness: Readiness,
) -> list[str]:
    """Check that there are enough bars for every combination.

    Args:
        request: The request.
        wanted: The bars of each combination.
        bars: Those that exist.
        readiness: Knows whether there are enough.

    Returns:
        A warning if there was no time to ask about all.

    Raises:
        InvalidData: There are too few for some, or they cannot be trusted. The message names these.
        InvalidInput: The bars of one do not exist.
    """
    distinct = list(dict.fromkeys(wanted))
    # Those that share bars follow each other, so that these are loaded once.
    distinct.sort(key=lambda each: each.data.model_dump_json())
    checked = await readiness.check(bars, distinct)
    short = [
        (each, problem)
        for each, problem in zip(distinct, checked.problems, strict=True)
        if problem is not None
    ]
    if short:
        raise _refuse(request, short)
    if not checked.unchecked:
        return []
    return [
        f"Not checked in time whether there are enough bars: {checked.unchecked} of "
        f"{format_count(len(distinct), 'combination')} of bars and strategy. A member with too few "
        "fails by itself."
    ]


def name_field(request: CampaignRequest, field: str | None) -> str:
    """Return the name that a field of a member has in the request for a campaign."""
    if field in FIELDS_OF_SYMBOLS:
        # A universe fills the symbols in, and these their name.
        given = request.research.model_dump(exclude_unset=True, exclude_none=True)
        field = next((name for name in reversed(FIELDS_OF_SYMBOLS) if name in given), field)
    lists = {FIELD_OF_LIST[name]: name for name in request.given_lists}
    if field is not None and field in request.given_lists:
        return field
    return lists.get(field or "", f"research.{field}" if field else "research")


def _refuse(request: CampaignRequest, short: Sequence[tuple[WantedBars, Unready]]) -> InvalidData:
    (first, problem), *others = short
    field = name_field(request, _find_field(request, first, problem.field))
    names = {_name(each) for each, _ in others} - {_name(first)}
    more = f" Nor can be used: {join_names(names, _MOST_NAMED)}." if names else ""
    subject = f"{_name(first)}: " if first.spec is not None else ""
    return InvalidData(f"{field}: {subject}{problem.message}{more}", field=field)


def _find_field(request: CampaignRequest, wanted: WantedBars, field: str | None) -> str:
    """Return the field of a member that says what there are too few bars for."""
    own = request.research.model_fields_set
    if wanted.spec is not None and field in StrategySpec.model_fields and field not in own:
        return "strategy"
    # A column of a file is no field.
    return field if field in ResearchRequest.model_fields else "symbol"


def _name(wanted: WantedBars) -> str:
    """Return what tells a combination of bars and strategy from the others."""
    symbol = wanted.data.symbol
    return symbol if wanted.spec is None else f"{wanted.spec.name} on {symbol}"
