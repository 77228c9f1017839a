"""`/trainings`, `/backtests`: a step outside any research."""

from http import HTTPStatus

from fastapi import APIRouter

from api.auth.audit import record_action
from api.auth.authorization import AccessDep
from api.dependencies import IdempotencyKeyDep, LocateDep
from api.errors import document_errors
from api.operations.schemas import BacktestOfTraining, StepStarted, TrainingRequest
from api.services import ServicesDep

router = APIRouter(
    tags=["steps"], responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
)


@router.post("/trainings/start", status_code=HTTPStatus.ACCEPTED)
async def start_training(
    services: ServicesDep,
    access: AccessDep,
    body: TrainingRequest,
    key: IdempotencyKeyDep,
    locate: LocateDep,
) -> StepStarted:
    """Train the model of a strategy."""
    started = await services.steps.start_training(access.assign_owner(body), key)
    locate(started.operation_id)
    record_action(access.caller, "training started", started.operation_id)
    return started


@router.post("/backtests/start", status_code=HTTPStatus.ACCEPTED)
async def start_backtest(
    services: ServicesDep,
    access: AccessDep,
    body: BacktestOfTraining,
    key: IdempotencyKeyDep,
    locate: LocateDep,
) -> StepStarted:
    """Backtest a finished training on the holdout."""
    await access.require_operation(body.training_id)
    started = await services.steps.start_backtest(access.assign_owner(body), key)
    locate(started.operation_id)
    record_action(access.caller, "backtest started", started.operation_id)
    return started
