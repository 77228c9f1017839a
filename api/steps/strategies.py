"""Strategy files with what became of their trainings."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from temporalio.client import WorkflowExecution

from api.operations.state.description import get_closed_status
from api.schemas import ListedBars, ListedStrategy, TrainedFigures
from api.steps.trainings import Trainings
from errors import TemporalUnavailable
from quant.strategy.files import StrategyEntry, list_strategies
from workflows.interface.contract import OperationStatus


class StrategyList:
    """Lists strategy files."""

    def __init__(self, strategy_dir: Path | None, trainings: Trainings) -> None:
        self._strategy_dir = strategy_dir
        self._trainings = trainings

    async def read(self, owner: str | None) -> list[ListedStrategy]:
        """Return all strategy files by name. An invalid one carries the reason.

        Args:
            owner: Whose trainings to tell of. None for those of all owners.
        """
        entries = await asyncio.to_thread(list_strategies, self._strategy_dir)
        try:
            found = await self._trainings.find_of_strategies(
                [entry.name for entry in entries], owner=owner
            )
            return await asyncio.gather(
                *(self._describe(entry, found.get(entry.name, ())) for entry in entries)
            )
        except TemporalUnavailable:
            return [
                ListedStrategy(**entry.model_dump(), training_status="unknown") for entry in entries
            ]

    async def _describe(
        self, entry: StrategyEntry, trainings: Sequence[WorkflowExecution]
    ) -> ListedStrategy:
        """Return a strategy with its trainings, of which the last one comes first."""
        listed = ListedStrategy(**entry.model_dump())
        statuses = [get_closed_status(each) for each in trainings]
        trained = next(
            (
                each
                for each, status in zip(trainings, statuses, strict=True)
                if status is OperationStatus.COMPLETED
            ),
            None,
        )
        if None in statuses:
            listed = listed.model_copy(update={"training_status": "training"})
        elif trained is not None:
            listed = listed.model_copy(update={"training_status": "trained"})
        elif OperationStatus.FAILED in statuses:
            listed = listed.model_copy(update={"training_status": "failed"})
        result = await self._trainings.read_result(trained) if trained else None
        if trained is None or result is None:
            return listed
        data = result.data
        return listed.model_copy(
            update={
                "symbol": data.symbol,
                "timeframe": data.timeframe,
                "training_data": ListedBars(
                    symbols=list(data.instruments), timeframes=[data.timeframe]
                ),
                "latest_training_date": trained.close_time,
                "latest_metrics": TrainedFigures(
                    accuracy=result.accuracy, auc=result.auc, sharpe_ratio=result.sharpe
                ),
            }
        )
