"""`/trainings`, `/backtests`, `/models`: steps outside any research, and what they leave."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response

from api.auth.audit import record_action
from api.auth.authorization import AccessDep
from api.dependencies import IdempotencyKeyDep
from api.errors import document_errors
from api.paths import ResourceRouter, locate
from api.services import ServicesDep
from api.steps.schemas import (
    ModelListResponse,
    StandaloneBacktest,
    StepStarted,
    TrainingPerformance,
    TrainingRequest,
)

router = ResourceRouter(
    tags=["steps"], responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
)


@router.post("/trainings/start", status_code=HTTPStatus.ACCEPTED)
async def start_training(
    services: ServicesDep,
    access: AccessDep,
    body: TrainingRequest,
    key: IdempotencyKeyDep,
    response: Response,
) -> StepStarted:
    """Train the model of a strategy."""
    started = await services.steps.start_training(access.assign_owner(body), key)
    locate(response, started.operation_id)
    record_action(access.caller, "training started", started.operation_id)
    return started


@router.get("/trainings/{operation_id:id}/performance")
async def get_performance(services: ServicesDep, operation_id: str) -> TrainingPerformance:
    """Return the figures of a finished training."""
    return await services.results.read_performance(operation_id)


@router.post(
    "/backtests/start",
    status_code=HTTPStatus.ACCEPTED,
    responses=document_errors(HTTPStatus.GONE),
)
async def start_backtest(
    services: ServicesDep,
    access: AccessDep,
    body: StandaloneBacktest,
    key: IdempotencyKeyDep,
    response: Response,
) -> StepStarted:
    """Backtest a trained model, on the holdout of its training or on days of your choice."""
    training_id = await services.steps.find_training(body, access.only_owner)
    await access.require_operation(training_id)
    started = await services.steps.start_backtest(access.assign_owner(body), training_id, key)
    locate(response, started.operation_id)
    record_action(access.caller, "backtest started", started.operation_id)
    return started


@router.get("/models")
async def get_models(
    services: ServicesDep,
    access: AccessDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ModelListResponse:
    """List the trained models, newest first."""
    return await services.trainings.list_models(limit, owner=access.only_owner)
