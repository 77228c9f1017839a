"""A training or a backtest outside any research."""

import asyncio

from temporalio.client import Client

from api.idempotency import IdempotencyKey
from api.operations.resolver import Resolver
from api.operations.schemas import BacktestOfTraining, StepStarted, TrainingRequest
from api.operations.start import make_backtest_start, make_priority, make_training_start
from api.operations.starter import Starter
from api.operations.workflow_input import read_input
from errors import InvalidInput, NotFinished
from quant.bars import catalog
from quant.messages.data import DataSource
from quant.messages.steps import BacktestInput, TrainingInput, TrainingResult
from quant.messages.strategy import StrategySpec
from quant.strategy.files import load_strategy
from settings import Settings
from workflows.contract import OperationStatus
from workflows.messages import BacktestRequest


class StepStarter:
    """Starts trainings and backtests."""

    def __init__(
        self, settings: Settings, client: Client, resolver: Resolver, starter: Starter
    ) -> None:
        self._settings = settings
        self._client = client
        self._resolver = resolver
        self._starter = starter

    async def start_training(
        self, request: TrainingRequest, key: IdempotencyKey | None
    ) -> StepStarted:
        """Start a training.

        Raises:
            InvalidInput: The strategy or the bars do not exist.
            KeyReused: The key was used with a different request.
            TemporalUnavailable: Temporal does not answer.
        """
        data = DataSource(symbol=request.symbol, timeframe=request.timeframe)
        spec = await asyncio.to_thread(self._load_strategy, request.strategy_name, data)
        training = TrainingInput(data=data, spec=spec, seed=request.seed)
        start = make_training_start(training, make_priority(request))
        operation_id = await self._starter.start_new(start, key)
        return _make_answer(operation_id, "training_started", "Training started", training)

    async def start_backtest(
        self, request: BacktestOfTraining, key: IdempotencyKey | None
    ) -> StepStarted:
        """Start a backtest of a finished training.

        Raises:
            OperationNotFound: No operation has this id.
            InvalidInput: The operation is not a training.
            NotFinished: The training has not completed.
            KeyReused: The key was used with a different request.
            TemporalUnavailable: Temporal does not answer.
        """
        backtest = await self._make_backtest(request.training_id)
        start = make_backtest_start(
            BacktestRequest(training_id=request.training_id, input=backtest),
            make_priority(request),
        )
        operation_id = await self._starter.start_new(start, key)
        return _make_answer(operation_id, "backtest_started", "Backtest started", backtest)

    def _load_strategy(self, strategy_name: str, data: DataSource) -> StrategySpec:
        """Return the strategy, if the bars exist."""
        catalog.find_file(data, self._settings.data_dir)
        return load_strategy(strategy_name, self._settings.strategy_dir)

    async def _make_backtest(self, training_id: str) -> BacktestInput:
        """Return the input of a backtest of this training."""
        workflow = await self._resolver.find_workflow(training_id)
        training = await read_input(self._client, workflow)
        if not isinstance(training, TrainingInput):
            raise InvalidInput(f"{training_id} is not a training.", field="training_id")
        if workflow.closed_status is not OperationStatus.COMPLETED:
            status = workflow.closed_status or OperationStatus.RUNNING
            raise NotFinished(f"{training_id} is {status}; it has no finished model.")
        operation = await self._resolver.find_operation(training_id)
        result = TrainingResult.model_validate(operation.result_summary)
        return BacktestInput(
            data=training.data.model_copy(update={"content_hash": result.data.content_hash}),
            spec=training.spec,
            seed=training.seed,
            model_sha256=result.model_sha256,
        )


def _make_answer(
    operation_id: str, status: str, message: str, step: TrainingInput | BacktestInput
) -> StepStarted:
    return StepStarted(
        operation_id=operation_id,
        task_id=operation_id,
        status=status,
        message=message,
        strategy_name=step.spec.name,
        symbol=step.data.symbol,
        timeframe=step.data.timeframe,
    )
