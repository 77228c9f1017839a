"""Operation ids. An operation id is the workflow id, or that of a step within a research."""

import hashlib
import secrets
from datetime import datetime

from workflows.contract import OperationType

_STEP_SUFFIX = {
    OperationType.DESIGN: "design",
    OperationType.TRAINING: "training",
    OperationType.BACKTEST: "backtest",
    OperationType.ASSESSMENT: "assessment",
}
_STEP_OF_SUFFIX = {suffix: step for step, suffix in _STEP_SUFFIX.items()}


def make_operation_id(
    operation_type: OperationType, now: datetime, token: str | None = None
) -> str:
    """Return an id, `op_<type>_<yyyymmdd>_<hhmmss>_<8 hex>`.

    Args:
        operation_type: Type of the operation.
        now: Time in the id.
        token: The last part. Random if None, so that the id is new.
    """
    return f"op_{operation_type.value}_{now:%Y%m%d_%H%M%S}_{token or secrets.token_hex(4)}"


def make_retry_id(operation_type: OperationType, run_id: str, ended: datetime) -> str:
    """Return the id of the retry of a run that has ended. A run has one such id only."""
    token = hashlib.sha256(run_id.encode()).hexdigest()[:8]
    return make_operation_id(operation_type, ended, token)


def get_step_name(step: OperationType) -> str:
    """Return the short name of a step. The id of the step ends with it."""
    return _STEP_SUFFIX[step]


def make_step_id(research_id: str, step: OperationType) -> str:
    """Return the id of a step of a research: the id of the research, a dot, the short name."""
    return f"{research_id}.{_STEP_SUFFIX[step]}"


def parse_step_id(operation_id: str) -> tuple[str, OperationType] | None:
    """Split a step's id into research id and step, or return None if it is not a step's."""
    research_id, _, suffix = operation_id.rpartition(".")
    step = _STEP_OF_SUFFIX.get(suffix)
    return (research_id, step) if research_id and step else None


def split_step(text: str) -> tuple[str, str]:
    """Split the short name of a step off, with its dot; it is empty if there is none."""
    parsed = parse_step_id(text)
    return (parsed[0], f".{get_step_name(parsed[1])}") if parsed else (text, "")
