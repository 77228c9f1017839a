"""One module per resource."""

from fastapi import APIRouter

from api.routes import agent, health, operations, strategies

router = APIRouter()
for module in (agent, operations, strategies, health):
    router.include_router(module.router)
