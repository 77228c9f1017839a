"""The research that all examples are about."""

from datetime import UTC, datetime, timedelta

from workflows.interface.contract import OperationType
from workflows.interface.ids import make_step_id

BEGAN_AT = datetime(2026, 11, 24, 9, 15, 9, tzinfo=UTC)
TRAINING_BEGAN_AT = BEGAN_AT + timedelta(seconds=3)
ENDED_AT = BEGAN_AT + timedelta(seconds=8)
RESEARCH_ID = "op_agent_research_20261124_091509_5bdbbf47"
DESIGN_ID = make_step_id(RESEARCH_ID, OperationType.DESIGN)
TRAINING_ID = make_step_id(RESEARCH_ID, OperationType.TRAINING)
STRATEGY = "nasdaq-momentum"
