"""How children, results and metrics of an operation look in a terminal."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.pretty import pretty_repr
from rich.table import Table

_EPOCHS_SHOWN = 20


def print_children(console: Console, children: list[dict[str, Any]]) -> None:
    """Print the steps of an operation as a table."""
    table = Table("ID", "Type", "Status", "Progress", "Duration", box=None, pad_edge=False)
    for child in children:
        seconds = child["duration_seconds"]
        table.add_row(
            escape(child["operation_id"]),
            child["operation_type"],
            child["status"],
            f"{child['progress_percentage']:.0f} %",
            f"{seconds:.1f} s" if seconds is not None else "",
        )
    console.print(table)


def print_results(console: Console, answer: dict[str, Any]) -> None:
    """Print results as they are, value by value."""
    console.print(f"{answer['operation_id']}: {answer['status']}", markup=False)
    table = Table.grid(padding=(0, 2))
    for name, value in answer["results"].items():
        shown = value if isinstance(value, str) else pretty_repr(value)
        table.add_row(escape(name), escape(shown))
    console.print(table)


def print_metrics(console: Console, answer: dict[str, Any]) -> None:
    """Print the last iterations of a training."""
    metrics = answer["metrics"]
    table = Table("Fold", "Iteration", "Training loss", "Validation loss", box=None)
    for epoch in metrics["epochs"][-_EPOCHS_SHOWN:]:
        validation = epoch["val_loss"]
        table.add_row(
            "final model" if epoch["fold"] is None else str(epoch["fold"]),
            str(epoch["epoch"]),
            f"{epoch['train_loss']:.5f}",
            f"{validation:.5f}" if validation is not None else "",
        )
    console.print(table)
    done, planned = metrics["total_epochs_completed"], metrics["total_epochs_planned"]
    console.print(f"{done} of {planned} iterations")
    if metrics["best_val_loss"] is not None:
        console.print(f"Least validation loss {metrics['best_val_loss']:.5f}")


def print_report(console: Console, answer: dict[str, Any]) -> None:
    """Print where a report was written."""
    console.print(f"Report: {answer['report']}", markup=False, soft_wrap=True)
