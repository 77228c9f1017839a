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
        console.print(f"Lowest validation loss {metrics['best_val_loss']:.5f}")


def print_report(console: Console, answer: dict[str, Any]) -> None:
    """Print where a report was written."""
    console.print(f"Report: {answer['report']}", markup=False, soft_wrap=True)


def print_comparison(console: Console, answer: dict[str, Any]) -> None:
    """Print researches side by side, the best deflated Sharpe ratio first."""
    table = Table(
        *("ID", "Strategy", "Bars", "Verdict", "Deflated SR", "Sharpe", "95 %"),
        *("Return", "Drawdown", "Trades", "Trials", "Look"),
        box=None,
        pad_edge=False,
    )
    ranked = sorted(
        answer["researches"], key=lambda row: -(row["statistics"] or {}).get("deflated_sharpe", 0)
    )
    for row in ranked:
        judged, holdout = row["statistics"], row["holdout"]
        table.add_row(
            *(escape(row[name]) for name in ("operation_id", "strategy", "bars", "verdict")),
            f"{judged['deflated_sharpe']:.0%}" if judged else "",
            f"{judged['sharpe']:.2f}" if judged else "",
            f"{judged['sharpe_low']:.2f} to {judged['sharpe_high']:.2f}" if judged else "",
            f"{holdout['total_return']:+.1%}" if holdout else "",
            f"{holdout['max_drawdown']:.1%}" if holdout else "",
            str(holdout["trades"]) if holdout else "",
            str(judged["trials_ever"]) if judged else "",
            str(judged["holdout_looks"]) if judged else "",
        )
    console.print(table)
    if answer["page"]:
        console.print(f"Page: {answer['page']}", markup=False, soft_wrap=True)
