"""What of a research can be watched."""

from collections.abc import Iterable

from pydantic import ValidationError

from errors import NotWatchable
from quant.messages.strategy import StrategySpec
from quant.messages.watch import WatchedStrategy
from storage.ledger.records import Experiment
from workflows.interface.contract import OperationType
from workflows.interface.ids import make_step_id


def make_watched(experiment: Experiment) -> WatchedStrategy:
    """Return what a research has found.

    Raises:
        NotWatchable: It has found nothing, or its record is not complete.
    """
    research_id, metrics = experiment.operation_id, experiment.metrics or {}
    if experiment.strategy is None or metrics.get("model_sha256") is None:
        raise NotWatchable(
            f"{research_id} is {experiment.status} and has no trained model to watch."
        )
    if experiment.strategy.get("benchmark") is not None:
        raise NotWatchable(
            f"{research_id} is judged by a benchmark of its own; only strategies that are compared "
            "with their own instruments can be watched."
        )
    traded = metrics.get("backtest_result") is not None
    backtest_id = make_step_id(research_id, OperationType.BACKTEST)
    try:
        return WatchedStrategy(
            research_id=research_id,
            training_id=make_step_id(research_id, OperationType.TRAINING),
            backtest_id=backtest_id if traded else None,
            symbol=experiment.symbol,
            symbols=(experiment.request or {}).get("symbols") or (),
            timeframe=experiment.timeframe,
            spec=StrategySpec.model_validate(experiment.strategy),
            seed=experiment.seed,
            model_sha256=metrics["model_sha256"],
        )
    except ValidationError as error:
        raise NotWatchable(
            f"The record of {research_id} is not one of this version: {_list_fields(error)}."
        ) from None


def _list_fields(error: ValidationError) -> str:
    places: Iterable[str] = (".".join(map(str, each["loc"])) for each in error.errors())
    return ", ".join(places)
