"""`/strategies`: strategy files."""

from fastapi import APIRouter, Request

from api.schemas import StrategyListResponse, StrategyResponse
from api.services import ServicesDep
from quant.strategy.files import list_strategies, load_strategy
from quant.strategy.parser import parse_strategy

router = APIRouter(prefix="/strategies", tags=["strategies"])


@router.get("")
def get_strategies(services: ServicesDep) -> StrategyListResponse:
    """List the strategy files; invalid ones with the reason."""
    return StrategyListResponse(data=list_strategies(services.settings.strategy_dir))


_YAML = {"schema": {"$ref": "#/components/schemas/StrategySpec"}}


@router.post(
    "/validate",
    openapi_extra={"requestBody": {"required": True, "content": {"application/yaml": _YAML}}},
)
async def validate(services: ServicesDep, request: Request) -> StrategyResponse:
    """Validate a strategy file, sent as YAML."""
    body = await request.body()
    return StrategyResponse(data=await services.heavy_work.run(parse_strategy, body))


@router.get("/{name}")
def get_strategy(services: ServicesDep, name: str) -> StrategyResponse:
    """Return one strategy."""
    return StrategyResponse(data=load_strategy(name, services.settings.strategy_dir))
