"""The commands that come next."""

from rich.console import Console

from cli.hints import ktrdr
from workflows.interface.contract import OperationInfo, OperationStatus, OperationType


def print_suggestions(console: Console, *commands: str) -> None:
    """Print commands to copy, one in each line."""
    for command in commands:
        console.print(command, style="dim", markup=False, soft_wrap=True)


def suggest_next(operation: OperationInfo) -> list[str]:
    """Return what one does next with an operation that has ended."""
    top = operation.parent_operation_id or operation.operation_id
    match operation.status, operation.operation_type:
        case OperationStatus.FAILED | OperationStatus.CANCELLED, _:
            return [ktrdr("resume", top, "--follow"), ktrdr("retry", top, "--follow")]
        case OperationStatus.COMPLETED, OperationType.RESEARCH:
            return [ktrdr("report", top, "--open")]
        case OperationStatus.COMPLETED, OperationType.TRAINING if top == operation.operation_id:
            return [ktrdr("backtest", top, "--follow")]
        case OperationStatus.COMPLETED, _:
            return [ktrdr("results", operation.operation_id)]
    return []
