"""Search attributes: what lists of operations are filtered and counted by."""

from temporalio.common import SearchAttributeKey

OPERATION_TYPE = SearchAttributeKey.for_keyword("OperationType")
PARENT_OPERATION_ID = SearchAttributeKey.for_keyword("ParentOperationId")
RESEARCH_PHASE = SearchAttributeKey.for_keyword("ResearchPhase")
SYMBOL = SearchAttributeKey.for_keyword("Symbol")
OWNER = SearchAttributeKey.for_keyword("Owner")
VERDICT = SearchAttributeKey.for_keyword("Verdict")

ALL = (OPERATION_TYPE, PARENT_OPERATION_ID, RESEARCH_PHASE, SYMBOL, OWNER, VERDICT)
