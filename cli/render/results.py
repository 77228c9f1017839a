"""How children, results and metrics of an operation look in a terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

from cli.render.operations import took
from cli.render.tables import interval, print_rows, print_values, shown

_EPOCHS_SHOWN = 20


def print_children(console: Console, children: list[dict[str, Any]]) -> None:
    """Print the steps of an operation as a table."""
    print_rows(
        console,
        ("ID", "Type", "Status", "Progress", "Duration"),
        (
            (
                child["operation_id"],
                child["operation_type"],
                child["status"],
                f"{child['progress_percentage']:.0f} %",
                took(child["duration_seconds"]),
            )
            for child in children
        ),
    )


def print_results(console: Console, answer: dict[str, Any]) -> None:
    """Print results as they are."""
    console.print(f"{answer['operation_id']}: {answer['status']}", markup=False)
    print_values(console, answer["results"])


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
    ranked = sorted(
        answer["researches"], key=lambda row: -(row["statistics"] or {}).get("deflated_sharpe", 0)
    )
    print_rows(
        console,
        (
            *("ID", "Strategy", "Bars", "Verdict", "Deflated SR", "Sharpe", "95 %", "Return"),
            *("Drawdown", "Trades", "Trials", "Look"),
        ),
        map(_compared, ranked),
    )
    if answer["page"]:
        console.print(f"Page: {answer['page']}", markup=False, soft_wrap=True)


def _compared(row: dict[str, Any]) -> tuple[str, ...]:
    judged, holdout = row["statistics"] or {}, row["holdout"] or {}
    # A gate may have stopped it before it was judged, but not before it traded the holdout.
    sharpe = judged.get("sharpe", holdout.get("sharpe"))
    return (
        *(row[name] for name in ("operation_id", "strategy", "bars", "verdict")),
        shown(judged.get("deflated_sharpe"), ".0%"),
        shown(sharpe, "z.2f"),
        interval(judged) if judged else "",
        shown(holdout.get("total_return"), "+z.1%"),
        shown(holdout.get("max_drawdown"), ".1%"),
        shown(holdout.get("trades"), ","),
        shown(row["trials_ever"], ","),
        shown(judged.get("holdout_looks"), ","),
    )
