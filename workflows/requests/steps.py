"""What a training or a backtest works on, by its request."""

from quant.messages.steps import TrainingInput
from workflows.interface.contract import OperationMetadata
from workflows.interface.messages import BacktestRequest
from workflows.requests.parameters import make_model_path


def describe_training(request: TrainingInput) -> OperationMetadata:
    """Return what a training works on."""
    return OperationMetadata.of(request.data, strategy_name=request.spec.name, seed=request.seed)


def describe_backtest(request: BacktestRequest) -> OperationMetadata:
    """Return what a backtest works on."""
    backtest = request.input
    return OperationMetadata.of(
        backtest.data,
        backtest.days,
        strategy_name=backtest.spec.name,
        seed=backtest.seed,
        model_path=make_model_path(request.training_id),
        initial_capital=backtest.initial_capital,
        **(backtest.costs or backtest.spec.costs).model_dump(),
    )
