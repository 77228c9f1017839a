"""Candidates and accounts of an operation, and the conditions and the strategy of an experiment."""

from http import HTTPStatus
from typing import Annotated

import yaml
from fastapi import Query
from fastapi.responses import Response

from api.errors import document_errors
from api.evidence.schemas import CandidatesResponse, CurvesResponse, JudgementResponse
from api.paths import ResourceRouter
from api.services import ServicesDep
from errors import ExperimentNotFound
from quant.messages.record.trials import MAX_TRIALS
from quant.wording import say_missing

router = ResourceRouter(tags=["evidence"], responses=document_errors(HTTPStatus.NOT_FOUND))


@router.get("/operations/{operation_id:id}/candidates")
async def get_candidates(
    services: ServicesDep,
    operation_id: str,
    after: Annotated[
        int, Query(ge=0, le=MAX_TRIALS, description="Only candidates with a higher number")
    ] = 0,
) -> CandidatesResponse:
    """Return the candidates of a research, also while they are scored."""
    found = await services.evidence.read_candidates(operation_id)
    newer = [each for each in found.candidates if each.number > after]
    return CandidatesResponse(data=found.model_copy(update={"candidates": newer}))


@router.get("/operations/{operation_id:id}/curves", responses=document_errors(HTTPStatus.GONE))
async def get_curves(services: ServicesDep, operation_id: str) -> CurvesResponse:
    """Return the accounts of a research; that of the holdout only once it is assessed."""
    return CurvesResponse(data=await services.evidence.read_curves(operation_id))


@router.get("/experiments/{operation_id:id}/judgement")
async def get_judgement(services: ServicesDep, operation_id: str) -> JudgementResponse:
    """Return the conditions of a verdict, each with its value and its limit."""
    return JudgementResponse(data=await services.evidence.read_judgement(operation_id))


@router.get(
    "/experiments/{operation_id:id}/strategy",
    response_class=Response,
    responses={
        HTTPStatus.OK: {
            "content": {
                "application/yaml": {"schema": {"$ref": "#/components/schemas/StrategySpec"}}
            }
        }
    },
)
async def get_strategy_file(services: ServicesDep, operation_id: str) -> Response:
    """Return the strategy of a research as a strategy file."""
    ledger = services.ledger
    experiment = await ledger.ask(ledger.experiments.get, operation_id)
    if experiment is None or experiment.strategy is None:
        raise ExperimentNotFound(say_missing("strategy of", operation_id))
    text = yaml.safe_dump(experiment.strategy, sort_keys=False, allow_unicode=True)
    return Response(text, media_type="application/yaml")
