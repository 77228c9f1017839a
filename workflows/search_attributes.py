"""Search attributes, by which lists of operations are filtered and counted."""

import contextlib

from pydantic import TypeAdapter, ValidationError
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from workflows.contract import Phase
from workflows.messages import Owner

OPERATION_TYPE = SearchAttributeKey.for_keyword("OperationType")
PARENT_OPERATION_ID = SearchAttributeKey.for_keyword("ParentOperationId")
RESEARCH_PHASE = SearchAttributeKey.for_keyword("ResearchPhase")
SYMBOL = SearchAttributeKey.for_keyword("Symbol")
OWNER = SearchAttributeKey.for_keyword("Owner")
VERDICT = SearchAttributeKey.for_keyword("Verdict")
STRATEGY = SearchAttributeKey.for_keyword("Strategy")
# The run that this run of the same operation continues. Lists leave the earlier run out.
RESUMED_RUN = SearchAttributeKey.for_keyword("ResumedRun")

ALL = (
    OPERATION_TYPE,
    PARENT_OPERATION_ID,
    RESEARCH_PHASE,
    SYMBOL,
    OWNER,
    VERDICT,
    STRATEGY,
    RESUMED_RUN,
)

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
    owner: str | None = None,
    strategy: str | None = None,
) -> list[SearchAttributePair[str]]:
    """Return the attributes of an operation that have a value."""
    values = {
        OPERATION_TYPE: operation_type,
        PARENT_OPERATION_ID: parent_operation_id,
        RESEARCH_PHASE: phase,
        SYMBOL: symbol,
        OWNER: owner,
        STRATEGY: strategy,
    }
    return [SearchAttributePair(key, value) for key, value in values.items() if value is not None]
