"""`/experiments`, `/hypotheses`: the record of all researches, kept longer than by Temporal."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from api.auth.audit import record_action
from api.auth.authorization import AccessDep
from api.dependencies import IdempotencyKeyDep, LocateDep
from api.errors import document_errors
from api.operations.schemas import OperationResponse, Reproduced
from api.schemas import (
    ExperimentListResponse,
    ExperimentResponse,
    HypothesisListResponse,
    LeaderboardResponse,
)
from api.services import ServicesDep
from errors import ExperimentNotFound
from quant.messages.base import FrozenModel
from quant.messages.data import Symbol, Timeframe
from quant.messages.hypotheses import HypothesisStatus, Verdict
from quant.messages.spelling import Spelling
from quant.messages.strategy import StrategyName
from quant.wording import say_missing
from storage.experiments import ExperimentOrder
from workflows.contract import OperationStatus
from workflows.messages import Owner

router = APIRouter(tags=["experiments"])


class ExperimentPage(FrozenModel):
    """Which experiments."""

    status: OperationStatus | None = None
    verdict: Verdict | None = None
    owner: Owner | None = None
    symbol: Symbol | None = None
    timeframe: Timeframe | None = None
    designer: Literal["search", "llm"] | None = None
    strategy_name: StrategyName | None = None
    data_hash: Annotated[str, Spelling("^[0-9a-f]{64}$", "64 hexadecimal digits")] | None = None
    originals: bool = Field(False, description="Leave out reproductions of other experiments")
    sort: ExperimentOrder = ExperimentOrder.FINISHED_AT
    descending: bool = True
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=10_000_000)


class LeaderboardPage(FrozenModel):
    """Filters and page of the leaderboard."""

    owner: Owner | None = None
    symbol: Symbol | None = None
    timeframe: Timeframe | None = None
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=10_000_000)


class HypothesisPage(FrozenModel):
    """Which hypotheses."""

    status: HypothesisStatus | None = None
    symbol: Symbol | None = None
    timeframe: Timeframe | None = None
    limit: int = Field(100, ge=1, le=1000)


@router.get("/experiments")
async def get_experiments(
    services: ServicesDep, access: AccessDep, page: Annotated[ExperimentPage, Query()]
) -> ExperimentListResponse:
    """List ended researches, whatever their outcome."""
    filters = page.model_dump(exclude={"originals", "sort", "descending", "limit", "offset"})
    ledger = services.ledger
    experiments, total = await ledger.ask(
        ledger.experiments.find,
        originals=page.originals,
        order=page.sort,
        descending=page.descending,
        limit=page.limit,
        offset=page.offset,
        **filters | {"owner": access.restrict_owner(page.owner)},
    )
    return ExperimentListResponse(data=experiments, total_count=total)


@router.get("/leaderboard")
async def get_leaderboard(
    services: ServicesDep, access: AccessDep, page: Annotated[LeaderboardPage, Query()]
) -> LeaderboardResponse:
    """Rank completed researches by verdict, then by the Sharpe ratio deflated by today's trials."""
    arguments = page.model_dump() | {"owner": access.restrict_owner(page.owner)}
    standings, total = await services.ledger.ask(services.ledger.leaderboard.find, **arguments)
    return LeaderboardResponse(data=standings, total_count=total)


@router.get("/experiments/{operation_id:id}", responses=document_errors(HTTPStatus.NOT_FOUND))
async def get_experiment(services: ServicesDep, operation_id: str) -> ExperimentResponse:
    """Return the full record of one ended research."""
    experiment = await services.ledger.ask(services.ledger.experiments.get, operation_id)
    if experiment is None:
        raise ExperimentNotFound(say_missing("experiment", operation_id))
    return ExperimentResponse(data=experiment)


@router.post(
    "/experiments/{operation_id:id}/reproduce",
    status_code=HTTPStatus.ACCEPTED,
    responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def reproduce(
    services: ServicesDep,
    access: AccessDep,
    operation_id: str,
    key: IdempotencyKeyDep,
    locate: LocateDep,
) -> OperationResponse:
    """Repeat a finished research with the same bars, seed, candidates and counts."""
    reproduction_id = await services.reproducer.reproduce(operation_id, key)
    locate(reproduction_id)
    record_action(access.caller, "reproduced", reproduction_id)
    return OperationResponse(data=await services.resolver.find_operation(reproduction_id))


@router.get(
    "/experiments/{operation_id:id}/reproduction",
    responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def get_reproduction(services: ServicesDep, operation_id: str) -> Reproduced:
    """Compare a reproduction with its original, bit for bit."""
    return await services.reproducer.compare(operation_id)


@router.get("/hypotheses")
async def get_hypotheses(
    services: ServicesDep, access: AccessDep, page: Annotated[HypothesisPage, Query()]
) -> HypothesisListResponse:
    """List the hypotheses that assessments have suggested, and their outcomes."""
    ledger = services.ledger
    arguments = page.model_dump() | {"owner": access.only_owner}
    hypotheses = await ledger.ask(ledger.hypotheses.find, **arguments)
    return HypothesisListResponse(data=hypotheses)
