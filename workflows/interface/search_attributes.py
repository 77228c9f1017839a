"""Search attributes, by which lists of operations are filtered and counted."""

import contextlib
from collections.abc import Sequence
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from workflows.interface.contract import Phase
from workflows.interface.owned import Owner

OPERATION_TYPE = SearchAttributeKey.for_keyword("OperationType")
PARENT_OPERATION_ID = SearchAttributeKey.for_keyword("ParentOperationId")
RESEARCH_PHASE = SearchAttributeKey.for_keyword("ResearchPhase")
SYMBOL = SearchAttributeKey.for_keyword("Symbol")
# Of a universe, whose name is in `Symbol`: its instruments.
SYMBOLS = SearchAttributeKey.for_keyword_list("Symbols")
OWNER = SearchAttributeKey.for_keyword("Owner")
VERDICT = SearchAttributeKey.for_keyword("Verdict")
STRATEGY = SearchAttributeKey.for_keyword("Strategy")
# The run that this run of the same operation continues.
RESUMED_RUN = SearchAttributeKey.for_keyword("ResumedRun")

ALL = (
    OPERATION_TYPE,
    PARENT_OPERATION_ID,
    RESEARCH_PHASE,
    SYMBOL,
    SYMBOLS,
    OWNER,
    VERDICT,
    STRATEGY,
    RESUMED_RUN,
)

# A server takes 2 KiB for each value (`limit.searchAttributesSizeOfValueLimit`), in JSON.
_MOST_BYTES: Final = 2000
_BYTES_PER_ITEM: Final = 3

_OWNER: TypeAdapter[str] = TypeAdapter(Owner)


def read_phase(attributes: TypedSearchAttributes) -> Phase | None:
    """Return the phase of a research, or None if the attributes name none.

    Whoever has access to Temporal may set an attribute to any text.
    """
    with contextlib.suppress(ValueError):
        return Phase(attributes.get(RESEARCH_PHASE, ""))
    return None


def read_owner(attributes: TypedSearchAttributes) -> str | None:
    """Return the owner of an operation, or None if the attributes name none."""
    with contextlib.suppress(ValidationError):
        return _OWNER.validate_python(attributes.get(OWNER))
    return None


def make_pairs(
    *,
    operation_type: str,
    parent_operation_id: str | None = None,
    phase: str | None = None,
    symbol: str | None = None,
    symbols: Sequence[str] = (),
    owner: str | None = None,
    strategy: str | None = None,
) -> list[SearchAttributePair[Any]]:
    """Return the attributes of an operation that have a value."""
    values = {
        OPERATION_TYPE: operation_type,
        PARENT_OPERATION_ID: parent_operation_id,
        RESEARCH_PHASE: phase,
        SYMBOL: symbol,
        OWNER: owner,
        STRATEGY: strategy,
    }
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(key, value) for key, value in values.items() if value is not None
    ]
    return [*pairs, SearchAttributePair(SYMBOLS, _cut(symbols))] if symbols else pairs


def is_about(symbol: str) -> str:
    """Return the condition of a query: an operation works on this instrument, alone or not."""
    return f"{SYMBOL.name} = '{symbol}' OR {SYMBOLS.name} = '{symbol}'"


def _cut(symbols: Sequence[str]) -> list[str]:
    """Return as many symbols as the server takes. By the others a list cannot be filtered."""
    kept: list[str] = []
    left = _MOST_BYTES
    for symbol in symbols:
        left -= len(symbol) + _BYTES_PER_ITEM
        if left < 0:
            break
        kept.append(symbol)
    return kept
