"""One module per resource."""

from fastapi import APIRouter

from api.routes import agent, health, operations, schedules, steps, strategies, workers

router = APIRouter()
for module in (agent, operations, schedules, steps, strategies, workers, health):
    router.include_router(module.router)
