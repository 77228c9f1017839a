"""`/trainings`, `/backtests`: a step outside any research."""

from http import HTTPStatus

from fastapi import APIRouter

from api.auth.access import AccessDep, KeyDep
from api.dependencies import LocateDep, ServicesDep
from api.errors import refusals
from api.operations.schemas import BacktestOfTraining, StepStarted, TrainingRequest

router = APIRouter(tags=["steps"], responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))


@router.post("/trainings/start", status_code=HTTPStatus.ACCEPTED)
async def start_training(
    services: ServicesDep,
    access: AccessDep,
    body: TrainingRequest,
    key: KeyDep,
    locate: LocateDep,
) -> StepStarted:
    """Train the model of a strategy."""
    started = await services.steps.train(access.owned(body), key)
    locate(started.operation_id)
    access.log("training started", started.operation_id)
    return started


@router.post("/backtests/start", status_code=HTTPStatus.ACCEPTED)
async def start_backtest(
    services: ServicesDep,
    access: AccessDep,
    body: BacktestOfTraining,
    key: KeyDep,
    locate: LocateDep,
) -> StepStarted:
    """Backtest a finished training on the holdout."""
    await access.require_operation(body.training_id)
    started = await services.steps.backtest(access.owned(body), key)
    locate(started.operation_id)
    access.log("backtest started", started.operation_id)
    return started
