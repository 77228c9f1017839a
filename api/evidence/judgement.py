"""Why the verdict on an ended research is what it is."""

from pydantic import ValidationError

from api.evidence.schemas import Judgement
from storage.ledger.records import Experiment
from workflows.interface.messages import ResearchResult


def judge(experiment: Experiment) -> Judgement:
    """Return the conditions behind the verdict of an ended research.

    Records of early versions have none.
    """
    try:
        result = ResearchResult.model_validate(experiment.metrics)
    except ValidationError:
        return Judgement(
            operation_id=experiment.operation_id,
            verdict=None,
            summary=experiment.error or "",
            gate_rejection=None,
            conditions=[],
        )
    return Judgement(
        operation_id=experiment.operation_id,
        verdict=result.verdict,
        summary=result.summary,
        gate_rejection=result.gate_rejection_reason,
        conditions=list(result.conditions),
    )
