"""`/strategies`: strategy files."""

from typing import get_args

from fastapi import Request

from api.auth.authorization import AccessDep
from api.paths import ResourceRouter
from api.schemas import (
    FeatureInfo,
    StrategyFeatures,
    StrategyIssue,
    StrategyListResponse,
    StrategyResponse,
    StrategyValidation,
)
from api.services import ServicesDep
from errors import InvalidInput, UnknownStrategy
from quant.messages.strategy import FeatureKind
from quant.strategy.files import load_strategy
from quant.strategy.parser import parse_strategy

router = ResourceRouter(prefix="/strategies", tags=["strategies"])


@router.get("")
async def get_strategies(services: ServicesDep, access: AccessDep) -> StrategyListResponse:
    """List the strategy files, with their last trainings; invalid ones with the reason."""
    return StrategyListResponse(data=await services.strategies.read(access.only_owner))


_YAML = {"schema": {"$ref": "#/components/schemas/StrategySpec"}}


@router.post(
    "/validate",
    openapi_extra={"requestBody": {"required": True, "content": {"application/yaml": _YAML}}},
)
async def validate(services: ServicesDep, request: Request) -> StrategyResponse:
    """Validate a strategy file, sent as YAML."""
    body = await request.body()
    return StrategyResponse(data=await services.heavy_work.run(parse_strategy, body))


@router.post("/validate/{name}")
def validate_stored(services: ServicesDep, name: str) -> StrategyValidation:
    """Validate a strategy file of this service by its name."""
    issues = []
    try:
        load_strategy(name, services.settings.strategy_dir)
    except UnknownStrategy:
        raise
    except InvalidInput as error:
        issues = [StrategyIssue(message=error.message)]
    return StrategyValidation(
        valid=not issues,
        strategy_name=name,
        issues=issues,
        available_indicators=sorted(get_args(FeatureKind)),
        message="The strategy is not valid." if issues else "The strategy is valid.",
    )


@router.get("/{name}")
def get_strategy(services: ServicesDep, name: str) -> StrategyResponse:
    """Return one strategy."""
    return StrategyResponse(data=load_strategy(name, services.settings.strategy_dir))


@router.get("/{name}/features")
def get_features(services: ServicesDep, name: str) -> StrategyFeatures:
    """Return the features that a strategy's model sees."""
    spec = load_strategy(name, services.settings.strategy_dir)
    features = [
        FeatureInfo(**feature.model_dump(), feature_id=feature.label) for feature in spec.features
    ]
    return StrategyFeatures(strategy_name=name, features=features, count=len(features))
