"""Ids as people type them: in full, a unique beginning, the short end, or `last`.

`5b290c3f.training` and `last.training` name a step of what `5b290c3f` and `last` name.
"""

import re
from collections.abc import Iterable
from typing import Final

from cli.service.client import Api
from cli.service.transport import ApiRefused
from errors import InvalidInput
from quant.wording import format_count
from workflows.interface.contract import OperationType
from workflows.interface.ids import parse_member_id, parse_step_id, split_step

LAST: Final = "last"

# What was started longer ago is named in full.
_MOST_SEARCHED: Final = 1000
_MOST_NAMED: Final = 5
_SHORTEST: Final = 4
_FULL: Final = re.compile(r"op_[a-z_]+_\d{8}_\d{6}_[0-9a-f]{8}(\.m\d+)?(\.[a-z]+)?")
_END: Final = re.compile(r"_([0-9a-f]{8}(?P<member>\.m\d+)?)(\.[a-z]+)?$")


def resolve_id(api: Api, given: str, operation_type: OperationType | None = None) -> str:
    """Return the operation id that was meant. What nothing matches is returned as it is.

    Args:
        api: Lists the operations, and then the experiments.
        given: What was typed.
        operation_type: Only operations of this type are meant. None: no steps of others.

    Raises:
        InvalidInput: More than one operation may be meant; the message names them. Or none is: the
            id is empty, or `last` is asked for before there is any.
        ApiUnreachable: No API answers.
    """
    if not given:
        raise InvalidInput("An operation id is empty.", field="operation_id")
    if _FULL.fullmatch(given):
        return given
    meant, step = split_step(given)
    try:
        known = _list_operations(api, operation_type)
        if meant == LAST:
            started = [each for each in known if parse_member_id(each) is None]
            return _add_step(_take_last(started), step)
        found = _match(meant, known) or _match(meant, _list_experiments(api))
    except ApiRefused:
        # Whoever may not list may still name an operation in full.
        return given
    if len(found) > 1:
        raise InvalidInput(_describe(given, found), field="operation_id")
    return _add_step(found[0], step) if found else given


def _list_operations(api: Api, operation_type: OperationType | None) -> list[str]:
    """Return the ids of operations, the newest first."""
    page = api.operations(operation_type=operation_type, limit=_MOST_SEARCHED).model
    rows = sorted(page.data, key=lambda row: row.created_at, reverse=True)
    ids = [row.operation_id for row in rows]
    return ids if operation_type else [each for each in ids if parse_step_id(each) is None]


def _list_experiments(api: Api) -> list[str]:
    page = api.experiments(limit=_MOST_SEARCHED).model
    return [row.operation_id for row in page.data]


def _take_last(known: list[str]) -> str:
    if not known:
        raise InvalidInput("There is no operation yet, so `last` names none.", field="operation_id")
    return known[0]


def _add_step(operation_id: str, step: str) -> str:
    return operation_id if operation_id.endswith(step) else operation_id + step


def _match(meant: str, known: Iterable[str]) -> list[str]:
    """Return the ids that begin with this, or whose end does. A whole id is itself alone."""
    ids = list(dict.fromkeys(known))
    if meant in ids:
        return [meant]
    if len(meant) < _SHORTEST:
        return []
    return [each for each in ids if _begins_with(each, meant) or _ends_with(each, meant)]


def _begins_with(operation_id: str, meant: str) -> bool:
    # The beginning of a campaign names the campaign, not one of its members.
    return operation_id.startswith(meant) and parse_member_id(operation_id) is None


def _ends_with(operation_id: str, meant: str) -> bool:
    end = _END.search(operation_id)
    if end is None:
        return False
    return end[1] == meant if end["member"] else end[1].startswith(meant)


def _describe(given: str, found: list[str]) -> str:
    more = len(found) - _MOST_NAMED
    named = ", ".join(found[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return f"{given} may mean {format_count(len(found), 'operation')}: {named}."
