"""One module per resource. All routes but `/health` require authorisation."""

from http import HTTPStatus

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

from api.auth.authorization import authorize
from api.errors import document_errors
from api.openapi import make_route_id
from api.routes import (
    agent,
    artifacts,
    campaigns,
    checkpoints,
    evidence,
    experiments,
    ledger,
    operations,
    schedules,
    steps,
    strategies,
    watches,
)
from api.routes.system import codec, health, metrics, not_offered, whoami, workers
from api.undeclared import refuse_undeclared

_RESOURCES = (
    agent,
    campaigns,
    operations,
    evidence,
    experiments,
    ledger,
    schedules,
    watches,
    steps,
    strategies,
    workers,
    checkpoints,
    artifacts,
    whoami,
)

# FastAPI prepares all routes, for half a second, wherever they are included. So that is here, once
# for all applications of a process.
router = APIRouter(
    generate_unique_id_function=make_route_id,
    responses=document_errors(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
for module in _RESOURCES:
    router.include_router(
        module.router, dependencies=[Depends(authorize), Depends(refuse_undeclared)]
    )
# Temporal's Web UI, Prometheus and earlier clients decide what they send.
for module in (codec, metrics, not_offered):
    router.include_router(module.router, dependencies=[Depends(authorize)])
router.include_router(health.router)

# The paths of all lists, which take no parameter.
LISTS = {
    route.path
    for module in _RESOURCES
    for route in module.router.routes
    if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and "{" not in route.path
}
