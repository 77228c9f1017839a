"""One module per resource. All routes but `/health` require authorisation."""

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

from api.auth.authorization import authorize
from api.routes import (
    agent,
    checkpoints,
    codec,
    experiments,
    health,
    index,
    metrics,
    operations,
    schedules,
    steps,
    strategies,
    workers,
)
from api.undeclared import refuse_undeclared

_RESOURCES = (
    agent,
    operations,
    experiments,
    schedules,
    steps,
    strategies,
    workers,
    checkpoints,
)

router = APIRouter()
for module in _RESOURCES:
    router.include_router(
        module.router, dependencies=[Depends(authorize), Depends(refuse_undeclared)]
    )
# Temporal's Web UI and Prometheus decide what they send.
for module in (codec, metrics):
    router.include_router(module.router, dependencies=[Depends(authorize)])
router.include_router(index.not_offered, dependencies=[Depends(authorize)])
router.include_router(health.router)

# The paths of all lists, which take no parameter.
LISTS = {
    route.path
    for module in _RESOURCES
    for route in module.router.routes
    if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and "{" not in route.path
}
