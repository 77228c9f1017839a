"""Starts trainings and backtests outside any research."""

import re
from typing import Final

from temporalio.client import Client

from api.artifacts.marks import read_deletion, refuse_deleted
from api.idempotency import IdempotencyKey
from api.operations.resolver import Resolver
from api.operations.start import make_backtest_start, make_priority, make_training_start
from api.operations.starter import Starter
from api.operations.workflow_input import read_input
from api.steps.readiness import Readiness
from api.steps.schemas import StandaloneBacktest, StepStarted, TrainingRequest
from api.steps.trainings import COMPLETED, Trainings, is_of, is_on
from api.user_files import UserFiles
from errors import InvalidInput, NotFinished
from quant.bars.catalog import Catalog
from quant.messages.artifacts import Artifact
from quant.messages.data import DataInfo, DataSource, DateRange
from quant.messages.readiness import WantedBars
from quant.messages.steps import DEFAULT_CAPITAL, BacktestInput, TrainingInput, TrainingResult
from quant.strategy.requirements import require_usable
from settings import Settings
from storage.artifacts import ArtifactStore
from workflows.interface.contract import OperationStatus
from workflows.interface.messages import BacktestRequest
from workflows.requests.parameters import make_model_path

_MODEL_PATH: Final = re.compile(rf"(?P<training_id>.+)/{re.escape(Artifact.MODEL)}", re.DOTALL)

# Of the newest models of a strategy, one of the right timeframe is looked for.
_MOST_MODELS: Final = 50


class StepStarter:
    """Starts trainings and backtests."""

    def __init__(
        self,
        settings: Settings,
        client: Client,
        resolver: Resolver,
        starter: Starter,
        trainings: Trainings,
        artifacts: ArtifactStore,
        readiness: Readiness,
    ) -> None:
        self._settings = settings
        self._client = client
        self._resolver = resolver
        self._starter = starter
        self._trainings = trainings
        self._artifacts = artifacts
        self._readiness = readiness

    async def start_training(
        self, request: TrainingRequest, key: IdempotencyKey | None
    ) -> StepStarted:
        """Start a training.

        Raises:
            InvalidInput: The strategy or the bars do not exist, or the bars are too few for it.
            KeyReused: The key was used with a different request.
            TemporalUnavailable: Temporal does not answer.
        """
        data = request.data
        files = UserFiles(self._settings)
        spec = await files.load_strategy(request.strategy_name)
        await files.require_bars(data, spec.benchmark)
        require_usable(spec, data.timeframe, len(data.instruments))
        await self._readiness.require(
            files.bars, WantedBars(data=data, spec=spec, benchmark=spec.benchmark)
        )
        training = TrainingInput(data=data, spec=spec, seed=request.seed)
        start = make_training_start(training, make_priority(request), request.warnings)
        operation_id = await self._starter.start_new(start, key)
        return StepStarted(
            operation_id=operation_id,
            task_id=operation_id,
            status="training_started",
            message="Training started",
            warnings=request.warnings,
            **_describe(training, data),
        )

    async def find_training(self, request: StandaloneBacktest, owner: str | None) -> str:
        """Return the id of the training whose model a request names, or the newest that fits.

        Args:
            request: Names a training, a model or a strategy.
            owner: Whose models to look for by a strategy. None for those of all owners.

        Raises:
            InvalidInput: It names no training, or two, or there is no such model.
            TemporalUnavailable: Temporal does not answer.
        """
        named = _read_training_id(request)
        if named is not None:
            return named
        if request.strategy_name is None:
            raise InvalidInput(
                "training_id: name a training, a model_path or a strategy_name.",
                field="training_id",
            )
        terms = [COMPLETED, is_of(request.strategy_name)]
        if request.symbol is not None:
            terms.append(is_on(request.symbol))
        models = await self._trainings.find_newest(_MOST_MODELS, *terms, owner=owner)
        for model in models:
            if await read_deletion(self._artifacts, model.id) is not None:
                continue
            if request.timeframe is None:
                return model.id
            result = await self._trainings.read_result(model)
            if result is not None and result.data.timeframe == request.timeframe:
                return model.id
        bars = " ".join(filter(None, (request.symbol, request.timeframe)))
        raise InvalidInput(
            f"strategy_name: there is no trained model of {request.strategy_name}"
            f"{f' on {bars}' if bars else ''}; start a training first.",
            field="strategy_name",
        )

    async def start_backtest(
        self, request: StandaloneBacktest, training_id: str, key: IdempotencyKey | None
    ) -> StepStarted:
        """Start a backtest of a finished training.

        Raises:
            OperationNotFound: No operation has this id.
            InvalidInput: The operation is not a training, or not the one that the request names;
                or there are too few bars on the days that it names.
            NotFinished: The training has not completed.
            ArtifactsDeleted: Its model was deleted.
            KeyReused: The key was used with a different request.
            TemporalUnavailable: Temporal does not answer.
        """
        training, result = await self._read_training(training_id)
        await refuse_deleted(self._artifacts, training_id)
        _require_same(request, training)
        backtest = BacktestInput(
            data=training.data.model_copy(update={"content_hash": result.data.content_hash}),
            spec=training.spec,
            seed=training.seed,
            model_sha256=result.model_sha256,
            benchmark_hash=result.benchmark_hash,
            days=request.days,
            costs=request.change_costs(training.spec.costs),
            initial_capital=request.initial_capital or DEFAULT_CAPITAL,
        )
        if request.days is not None:
            await self._readiness.require(
                Catalog(self._settings.data_dir), _choose_days(training, request.days)
            )
        warnings = _find_seen_days(request.days, result.data)
        start = make_backtest_start(
            BacktestRequest(training_id=training_id, input=backtest),
            make_priority(request),
            warnings,
        )
        operation_id = await self._starter.start_new(start, key)
        return StepStarted(
            operation_id=operation_id,
            task_id=operation_id,
            status="backtest_started",
            message="Backtest started",
            model_path=make_model_path(training_id),
            warnings=warnings,
            **_describe(backtest, request.days or DateRange()),
        )

    async def _read_training(self, training_id: str) -> tuple[TrainingInput, TrainingResult]:
        """Return what a finished training was to learn, and its result."""
        workflow = await self._resolver.find_workflow(training_id)
        training = await read_input(self._client, workflow)
        if not isinstance(training, TrainingInput):
            raise InvalidInput(f"{training_id} is not a training.", field="training_id")
        if workflow.closed_status is not OperationStatus.COMPLETED:
            status = workflow.closed_status or OperationStatus.RUNNING
            raise NotFinished(f"{training_id} is {status}; it has no finished model.")
        operation = await self._resolver.find_operation(training_id)
        return training, TrainingResult.model_validate(operation.result_summary)


def _read_training_id(request: StandaloneBacktest) -> str | None:
    """Return the training that the request names by its id or by its model."""
    if request.model_path is None:
        return request.training_id
    match = _MODEL_PATH.fullmatch(request.model_path)
    if match is None:
        raise InvalidInput(
            f"model_path: must be <training id>/{Artifact.MODEL}, as results name it.",
            field="model_path",
        )
    named = match["training_id"]
    if request.training_id not in (None, named):
        raise InvalidInput(
            "model_path: is not the model of training_id; give one of them.", field="model_path"
        )
    return named


def _require_same(request: StandaloneBacktest, training: TrainingInput) -> None:
    """Check that the request names what the model was trained with, if it names it."""
    pairs = {
        "strategy_name": (request.strategy_name, training.spec.name),
        "symbol": (request.symbol, training.data.symbol),
        "timeframe": (request.timeframe, training.data.timeframe),
    }
    for field, (asked, trained) in pairs.items():
        if asked not in (None, trained):
            raise InvalidInput(
                f"{field}: the model was trained with {trained}, not with {asked}.", field=field
            )


def _choose_days(training: TrainingInput, days: DateRange) -> WantedBars:
    """Return what a backtest of these days needs: it uses all bars of the instruments."""
    data = training.data
    every = DataSource(symbol=data.symbol, symbols=data.symbols, timeframe=data.timeframe)
    return WantedBars(data=every, spec=training.spec, benchmark=training.spec.benchmark, days=days)


def _find_seen_days(days: DateRange | None, trained: DataInfo) -> list[str]:
    """Return a warning if the model has learned from bars of these days."""
    if days is None:
        return []
    seen_from, seen_until = trained.start[:10], trained.holdout_start[:10]
    first = days.start_date.isoformat() if days.start_date else ""
    if first >= seen_until or (days.end_date and days.end_date.isoformat() < seen_from):
        return []
    return [
        f"The model has learned from the bars from {seen_from} until {seen_until}. Figures of "
        "those days do not show how it does on bars that it has not seen."
    ]


def _describe(step: TrainingInput | BacktestInput, days: DateRange) -> dict[str, object]:
    """Return how a request was understood."""
    return {
        "strategy_name": step.spec.name,
        "symbol": step.data.symbol,
        "symbols": list(step.data.instruments),
        "timeframe": step.data.timeframe,
        "timeframes": [step.data.timeframe],
        "start_date": days.start_date,
        "end_date": days.end_date,
    }
