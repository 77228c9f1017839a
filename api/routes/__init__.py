"""One module per resource."""

from fastapi import APIRouter

from api.routes import agent, experiments, health, operations, schedules, steps, strategies, workers

router = APIRouter()
for module in (agent, operations, experiments, schedules, steps, strategies, workers, health):
    router.include_router(module.router)
