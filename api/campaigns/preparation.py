"""Checks the request for a campaign before anything starts: each list, each combination."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

from api.agent.researches import ResearchStarter
from api.user_files import UserFiles
from errors import InvalidInput
from quant.messages.campaign import MOST_EVOLVING, MOST_MEMBERS
from quant.wording import format_count
from workflows.interface.campaigns import FIELD_OF_LIST, CampaignRequest
from workflows.interface.messages import ResearchInput, ResearchRequest

# Each is checked against files.
_MOST_CELLS: Final = 1000
_MOST_WARNINGS: Final = 20

_FIELDS_OF_BARS: Final = ("symbol", "timeframe", "start_date", "end_date")


@dataclass(frozen=True)
class PreparedCampaign:
    """A request that can be carried out.

    Attributes:
        request: The request, with the designer and the language model chosen.
        warnings: What of it has no effect.
        trials: How many candidates all members would score.
    """

    request: CampaignRequest
    warnings: tuple[str, ...]
    trials: int


async def prepare_campaign(
    request: CampaignRequest, researches: ResearchStarter, max_active: int | None
) -> PreparedCampaign:
    """Check a request in full.

    Args:
        request: The request.
        researches: Checks single researches.
        max_active: Limit on active researches; None for none.

    Raises:
        InvalidInput: It cannot be carried out. The field is named.
    """
    _check_lists(request)
    _check_size(request)
    if max_active is not None and request.parallel > max_active:
        raise _refuse("parallel", f"at most {max_active} researches may be active at once")
    files = researches.open_files()
    prepared = [
        await _prepare_cell(request, each, researches, files) for each in request.list_cells()
    ]
    _check_generations(request, prepared)
    _check_budget(request, prepared)
    warnings = dict.fromkeys(warning for each in prepared for warning in each.warnings or ())
    per_seed = sum(1 if each.strategy else each.trials for each in prepared)
    return PreparedCampaign(
        request.model_copy(update={"research": _choose_model(request, prepared)}),
        tuple(warnings)[:_MOST_WARNINGS],
        per_seed * request.members // request.cells,
    )


def _check_lists(request: CampaignRequest) -> None:
    lists = request.given_lists
    for name, values in lists.items():
        field = FIELD_OF_LIST[name]
        if getattr(request.research, field) != ResearchRequest.model_fields[field].default:
            raise _refuse(name, f"`research.{field}` says the same; give one of them")
        if name == "symbols" and (request.research.symbols or request.research.universe):
            raise _refuse(name, "`research` names symbols, too; name them in one place")
        [(value, times)] = Counter(values).most_common(1)
        if times > 1:
            raise _refuse(name, f"{str(value)[:100]!r} is named {times} times")
    for name, other in (("briefs", "strategies"), ("strategies", "briefs")):
        field = FIELD_OF_LIST[other]
        if name in lists and (other in lists or getattr(request.research, field) is not None):
            raise _refuse(name, "a research has either a brief or a strategy, not both")


def _check_size(request: CampaignRequest) -> None:
    lists = request.given_lists
    longest = max(lists, key=lambda name: len(lists[name]), default="generations")
    if request.cells > _MOST_CELLS:
        cells = max(set(lists) - {"seeds"}, key=lambda name: len(lists[name]))
        raise _refuse(
            cells, f"{request.cells:,} combinations without the seeds; at most {_MOST_CELLS:,}"
        )
    if request.members > MOST_MEMBERS:
        raise _refuse(longest, f"{request.members:,} members; at most {MOST_MEMBERS:,}")
    if request.generations > 1 and request.members_per_generation > MOST_EVOLVING:
        raise _refuse(
            longest,
            f"{request.members_per_generation:,} members in each generation; at most "
            f"{MOST_EVOLVING} can evolve",
        )


async def _prepare_cell(
    request: CampaignRequest,
    cell: ResearchRequest,
    researches: ResearchStarter,
    files: UserFiles,
) -> ResearchInput:
    """Check one combination.

    The lists and `research` say which bars are used. What a brief says of bars has no effect.
    """
    given = cell.model_fields_set | set(_FIELDS_OF_BARS)
    if cell.symbols or cell.universe is not None:
        given -= {"symbol"}
    explicit = ResearchRequest(**{name: getattr(cell, name) for name in given})
    # Many of them: other requests wait for the event loop.
    await asyncio.sleep(0)
    try:
        return await researches.prepare(explicit, files)
    except InvalidInput as error:
        field = _name_field(request, error.field)
        raise type(error)(f"{field}: {error.message}", field=field) from error


def _name_field(request: CampaignRequest, field: str | None) -> str:
    lists = {FIELD_OF_LIST[name]: name for name in request.given_lists}
    if field is not None and field in request.given_lists:
        return field
    return lists.get(field or "", f"research.{field}" if field else "research")


def _check_generations(request: CampaignRequest, prepared: list[ResearchInput]) -> None:
    if request.generations == 1:
        return
    if any(each.strategy is not None for each in prepared):
        raise _refuse("generations", "a named strategy is not searched, so it cannot evolve")
    if any(each.designer == "llm" for each in prepared):
        raise _refuse("generations", "only the designer `search` can be told what to choose from")


def _check_budget(request: CampaignRequest, prepared: list[ResearchInput]) -> None:
    """Check that the budget is enough for one research, and that every limit has an effect."""
    budget = request.budget
    least = min(1 if each.strategy else each.trials for each in prepared)
    if budget.trials is not None and budget.trials < least:
        raise _refuse("budget.trials", f"one research takes {format_count(least, 'trial')}")
    if budget.cost is None:
        return
    costly = [each for each in prepared if each.designer == "llm"]
    if not costly:
        raise _refuse("budget.cost", "it has no effect: only the designer `llm` costs anything")
    most = costly[0].max_cost
    if most is None:
        raise _refuse(
            "research.max_cost", "a budget for the cost of all needs a limit for each research"
        )
    if most > budget.cost:
        raise _refuse("budget.cost", f"one research may spend {most:g} dollars")


def _choose_model(request: CampaignRequest, prepared: list[ResearchInput]) -> ResearchRequest:
    """Return what all members share, with the language model that was chosen for them."""
    model = next((each.model for each in prepared if each.designer == "llm"), None)
    changes: dict[str, object] = {"model": model}
    if request.designers is None:
        changes["designer"] = prepared[0].designer
    shared = request.research.model_copy(update=changes)
    if shared.universe is None or shared.symbols:
        return shared
    # The members get the symbols that the list has now.
    given = shared.model_dump(exclude_unset=True) | {"symbols": prepared[0].symbols}
    return ResearchRequest.model_validate(given)


def _refuse(field: str, why: str) -> InvalidInput:
    return InvalidInput(f"{field}: {why}.", field=field)
