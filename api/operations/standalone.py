"""A training or a backtest outside any research."""

import asyncio
from dataclasses import dataclass

from temporalio.client import Client

from api.operations.resolver import Resolver
from api.operations.schemas import BacktestOfTraining, StepStarted, TrainingRequest
from api.operations.start import (
    IdempotencyKey,
    Starter,
    backtest_start,
    priority_of,
    training_start,
)
from api.operations.workflow_input import given_to
from errors import InvalidInput, NotFinished
from quant.bars import catalog
from quant.messages.data import DataSource
from quant.messages.steps import BacktestInput, TrainingInput, TrainingResult
from quant.messages.strategy import StrategySpec
from quant.strategy.files import load_strategy
from settings import Settings
from workflows.contract import OperationStatus
from workflows.messages import BacktestRequest


@dataclass(frozen=True)
class StepStarter:
    """Starts trainings and backtests."""

    settings: Settings
    client: Client
    resolver: Resolver
    starter: Starter

    async def train(self, request: TrainingRequest, key: IdempotencyKey | None) -> StepStarted:
        """Start a training.

        Raises:
            InvalidInput: the strategy or the bars do not exist.
            KeyReused: the key was used with a different request.
            TemporalUnavailable: Temporal does not answer.
        """
        data = DataSource(symbol=request.symbol, timeframe=request.timeframe)
        spec = await asyncio.to_thread(self._checked, request.strategy_name, data)
        given = TrainingInput(data=data, spec=spec, seed=request.seed)
        operation_id = await self.starter.start_new(
            training_start(given, priority_of(request)), key
        )
        return _started(operation_id, "training_started", "Training started", given)

    async def backtest(
        self, request: BacktestOfTraining, key: IdempotencyKey | None
    ) -> StepStarted:
        """Start a backtest of a finished training.

        Raises:
            OperationNotFound: no operation has this id.
            InvalidInput: it is not a training.
            NotFinished: it has not completed.
            KeyReused: the key was used with a different request.
            TemporalUnavailable: Temporal does not answer.
        """
        workflow = await self.resolver.workflow(request.training_id)
        trained = await given_to(self.client, workflow)
        if not isinstance(trained, TrainingInput):
            raise InvalidInput(f"{request.training_id} is not a training.", field="training_id")
        if workflow.ended_as is not OperationStatus.COMPLETED:
            state = workflow.ended_as or OperationStatus.RUNNING
            raise NotFinished(f"{request.training_id} is {state}; it has no finished model.")
        operation = await self.resolver.operation(request.training_id)
        result = TrainingResult.model_validate(operation.result_summary)
        given = BacktestRequest(
            training_id=request.training_id,
            input=BacktestInput(
                data=trained.data.model_copy(update={"content_hash": result.data.content_hash}),
                spec=trained.spec,
                seed=trained.seed,
                model_sha256=result.model_sha256,
            ),
        )
        operation_id = await self.starter.start_new(
            backtest_start(given, priority_of(request)), key
        )
        return _started(operation_id, "backtest_started", "Backtest started", given.input)

    def _checked(self, strategy_name: str, data: DataSource) -> StrategySpec:
        catalog.find_file(data, self.settings.data_dir)
        return load_strategy(strategy_name, self.settings.strategy_dir)


def _started(
    operation_id: str, status: str, message: str, given: TrainingInput | BacktestInput
) -> StepStarted:
    return StepStarted(
        operation_id=operation_id,
        task_id=operation_id,
        status=status,
        message=message,
        strategy_name=given.spec.name,
        symbol=given.data.symbol,
        timeframe=given.data.timeframe,
    )
