"""`/experiments`, `/markets`, `/hypotheses`: the record, kept longer than by Temporal."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Body, Query, Response
from pydantic import Field

from api.auth.audit import record_action
from api.auth.authorization import AccessDep
from api.dependencies import IdempotencyKeyDep
from api.errors import document_errors
from api.operations.schemas import OperationResponse, Reproduced
from api.paths import ResourceRouter, locate
from api.schemas import (
    Annotation,
    ComparisonResponse,
    ExperimentListResponse,
    ExperimentResponse,
    HypothesisListResponse,
    LeaderboardResponse,
    MarketListResponse,
    TagListResponse,
)
from api.services import ServicesDep
from errors import ExperimentNotFound, InvalidInput
from quant.messages.base import FrozenModel
from quant.messages.data import Symbol, Timeframe
from quant.messages.record.comparison import MOST_COMPARED
from quant.messages.record.hypotheses import HypothesisStatus, Verdict
from quant.messages.record.trials import MAX_TRIALS
from quant.messages.spelling import Spelling
from quant.messages.strategy import StrategyName
from quant.wording import say_missing
from storage.ledger.records import Tag, Text
from storage.ledger.selection import ExperimentOrder
from workflows.interface.contract import ACTIVE, OperationStatus
from workflows.interface.owned import Owner

router = ResourceRouter(tags=["experiments"])


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
    tag: Tag | None = None
    text: Annotated[Text, Field(min_length=1, max_length=200)] | None = Field(
        None, description="In the ID, symbol, owner, strategy, brief or note, whatever the case"
    )
    originals: bool = Field(False, description="Leave out reproductions of other experiments")
    sort: ExperimentOrder = ExperimentOrder.FINISHED_AT
    descending: bool = True
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=10_000_000)

    def require_agreement(self) -> None:
        """Check that an experiment can match all filters.

        Raises:
            InvalidInput: None can: it is recorded at its end, and only a completed one has a
                verdict.
        """
        if self.status in ACTIVE:
            raise InvalidInput(
                f"`status` {self.status}: only researches that have ended are listed here; "
                "GET /operations lists the others.",
                field="status",
            )
        if self.verdict is not None and self.status not in (None, OperationStatus.COMPLETED):
            raise InvalidInput(
                f"`verdict` contradicts `status` {self.status}: only a completed research has one.",
                field="status",
            )


class LeaderboardPage(FrozenModel):
    """Filters and page of the leaderboard."""

    owner: Owner | None = None
    symbol: Symbol | None = None
    timeframe: Timeframe | None = None
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=10_000_000)


class MarketPage(FrozenModel):
    """Which markets, and what the next research would try there."""

    symbol: Symbol | None = None
    timeframe: Timeframe | None = None
    trials: int = Field(
        12, ge=1, le=MAX_TRIALS, description="Candidates that the next research would try"
    )
    limit: int = Field(20, ge=1, le=100)
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
    page.require_agreement()
    filters = page.model_dump(exclude={"sort"})
    ledger = services.ledger
    experiments, total = await ledger.ask(
        ledger.experiments.find,
        order=page.sort,
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


@router.patch("/experiments/{operation_id:id}", responses=document_errors(HTTPStatus.NOT_FOUND))
async def annotate_experiment(
    services: ServicesDep,
    access: AccessDep,
    operation_id: str,
    annotation: Annotated[Annotation, Body()],
) -> ExperimentResponse:
    """Change the note and the tags of an ended research."""
    ledger = services.ledger
    changed = await ledger.ask(
        ledger.experiments.annotate, operation_id, **annotation.model_dump(exclude_none=True)
    )
    record_action(
        access.caller, "annotated", operation_id, fields=sorted(annotation.model_fields_set)
    )
    return ExperimentResponse(data=changed)


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
    response: Response,
) -> OperationResponse:
    """Repeat a finished research with the same bars, seed, candidates and counts."""
    reproduction_id = await services.reproducer.reproduce(operation_id, key)
    locate(response, reproduction_id)
    record_action(access.caller, "reproduced", reproduction_id)
    return OperationResponse(data=await services.resolver.find_operation(reproduction_id))


@router.get(
    "/experiments/{operation_id:id}/reproduction",
    responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def get_reproduction(services: ServicesDep, operation_id: str) -> Reproduced:
    """Compare a reproduction with its original, bit for bit."""
    return await services.reproducer.compare(operation_id)


@router.get("/tags")
async def get_tags(services: ServicesDep, access: AccessDep) -> TagListResponse:
    """List the tags in use, the most frequent first."""
    experiments = services.ledger.experiments
    tags = await services.ledger.ask(experiments.count_tags, owner=access.only_owner)
    return TagListResponse(data=tags)


@router.get(
    "/comparison",
    responses=document_errors(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE),
)
async def get_comparison(
    services: ServicesDep,
    access: AccessDep,
    operation_id: Annotated[
        list[str],
        Query(
            min_length=2,
            max_length=MOST_COMPARED,
            description="Operation IDs of finished researches, one parameter for each",
        ),
    ],
) -> ComparisonResponse:
    """Compare researches: curves, parameters side by side, and the correlation of their returns."""
    for each in operation_id:
        await access.require_stored(each)
    return ComparisonResponse(data=await services.comparer.compare(operation_id))


@router.get("/markets")
async def get_markets(
    services: ServicesDep, access: AccessDep, page: Annotated[MarketPage, Query()]
) -> MarketListResponse:
    """List what was tried on each symbol and timeframe, and what that costs the next research.

    With symbol and timeframe, the answer is about that market, also if nothing was tried on it.
    """
    ledger = services.ledger
    if page.symbol is not None and page.timeframe is not None:
        if page.offset:
            raise InvalidInput("offset: there is one such market.", field="offset")
        named = await ledger.ask(
            ledger.markets.get, page.symbol, page.timeframe, trials=page.trials
        )
        return MarketListResponse(data=[named], total_count=1)
    arguments = page.model_dump() | {"owner": access.only_owner}
    markets, total = await ledger.ask(ledger.markets.find, **arguments)
    return MarketListResponse(data=markets, total_count=total)


@router.get("/hypotheses")
async def get_hypotheses(
    services: ServicesDep, access: AccessDep, page: Annotated[HypothesisPage, Query()]
) -> HypothesisListResponse:
    """List the hypotheses that assessments have suggested, and their outcomes."""
    ledger = services.ledger
    arguments = page.model_dump() | {"owner": access.only_owner}
    hypotheses = await ledger.ask(ledger.hypotheses.find, **arguments)
    return HypothesisListResponse(data=hypotheses)
