"""`/trainings`, `/backtests`: a step outside any research."""

from http import HTTPStatus

from fastapi import APIRouter

from api.alone import BacktestOfTraining, StepStarted, TrainingRequest
from api.dependencies import KeyDep, LocateDep, ServicesDep
from api.errors import refusals

router = APIRouter(tags=["steps"], responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))


@router.post("/trainings/start", status_code=HTTPStatus.ACCEPTED)
async def start_training(
    services: ServicesDep, body: TrainingRequest, key: KeyDep, locate: LocateDep
) -> StepStarted:
    """Train the model of a strategy."""
    started = await services.steps.train(body, key)
    locate(started.operation_id)
    return started


@router.post("/backtests/start", status_code=HTTPStatus.ACCEPTED)
async def start_backtest(
    services: ServicesDep, body: BacktestOfTraining, key: KeyDep, locate: LocateDep
) -> StepStarted:
    """Trade the holdout with the model that a training has left."""
    started = await services.steps.backtest(body, key)
    locate(started.operation_id)
    return started
