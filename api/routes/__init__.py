"""One module per resource. All routes but `/health` require authorisation."""

from fastapi import APIRouter, Depends

from api.auth.authorization import authorize
from api.routes import (
    agent,
    codec,
    experiments,
    health,
    metrics,
    operations,
    schedules,
    steps,
    strategies,
    workers,
)
from api.undeclared import refuse_undeclared

router = APIRouter()
for module in (
    agent,
    operations,
    experiments,
    schedules,
    steps,
    strategies,
    workers,
):
    router.include_router(
        module.router, dependencies=[Depends(authorize), Depends(refuse_undeclared)]
    )
# Temporal's Web UI and Prometheus decide what they send.
for module in (codec, metrics):
    router.include_router(module.router, dependencies=[Depends(authorize)])
router.include_router(health.router)
