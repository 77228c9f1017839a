"""How children, results and metrics of an operation look in a terminal."""

from rich.console import Console
from rich.table import Table

from api.operations.schemas import OperationMetrics, OperationSummary, ResultsResponse
from cli.local_answers import ComparedResearch, Comparison, ReportSaved
from cli.render.terminal.tables import (
    format_duration,
    format_figure,
    format_interval,
    print_rows,
    print_values,
)

_EPOCHS_SHOWN = 20


def print_children(console: Console, children: list[OperationSummary]) -> None:
    """Print the steps of an operation as a table."""
    print_rows(
        console,
        ("ID", "Type", "Status", "Progress", "Duration"),
        (
            (
                child.operation_id,
                child.operation_type,
                child.status,
                f"{child.progress_percentage:.0f} %",
                format_duration(child.duration_seconds),
            )
            for child in children
        ),
    )


def print_results(console: Console, answer: ResultsResponse) -> None:
    """Print results as YAML."""
    console.print(f"{answer.operation_id}: {answer.status}", markup=False)
    print_values(console, answer.results)


def print_metrics(console: Console, answer: OperationMetrics) -> None:
    """Print the last iterations of a training."""
    metrics = answer.metrics
    table = Table("Fold", "Iteration", "Training loss", "Validation loss", box=None)
    for epoch in metrics.epochs[-_EPOCHS_SHOWN:]:
        validation = epoch.val_loss
        table.add_row(
            "final model" if epoch.fold is None else str(epoch.fold),
            str(epoch.epoch),
            f"{epoch.train_loss:.5f}",
            f"{validation:.5f}" if validation is not None else "",
        )
    console.print(table)
    done, planned = metrics.total_epochs_completed, metrics.total_epochs_planned
    console.print(f"{done} of {planned} iterations")
    if metrics.best_val_loss is not None:
        console.print(f"Lowest validation loss {metrics.best_val_loss:.5f}")


def print_report(console: Console, answer: ReportSaved) -> None:
    """Print where a report was written."""
    console.print(f"Report: {answer.report}", markup=False, soft_wrap=True)


def print_comparison(console: Console, answer: Comparison) -> None:
    """Print researches side by side, the best deflated Sharpe ratio first."""
    ranked = sorted(answer.researches, key=_deflated_sharpe, reverse=True)
    print_rows(
        console,
        (
            *(
                "ID",
                "Strategy",
                "Bars",
                "Verdict",
                "Deflated SR, prob.",
                "Sharpe",
                "95 %",
                "Return",
            ),
            *("Drawdown", "Trades", "Trials", "Look"),
        ),
        map(_compare, ranked),
    )
    _print_differences(console, answer)
    _print_correlations(console, answer)
    if answer.page:
        console.print(f"Page: {answer.page}", markup=False, soft_wrap=True)


def _print_differences(console: Console, answer: Comparison) -> None:
    """Print the parameters that differ, in the order in which the researches were named."""
    different = [each for each in answer.parameters if each.differs]
    if different:
        console.print()
        print_rows(
            console,
            ("Parameter", *_number(answer)),
            (
                (each.name, *("" if value is None else str(value) for value in each.values))
                for each in different
            ),
        )


def _print_correlations(console: Console, answer: Comparison) -> None:
    console.print()
    print_rows(
        console,
        ("Correlation of daily returns", *_number(answer)),
        (
            (name, *(format_figure(value, "z.2f") for value in row))
            for name, row in zip(_number(answer), answer.correlations, strict=True)
        ),
    )


def _number(answer: Comparison) -> list[str]:
    """Return short names: the end of each id, as every command takes it."""
    return [each.operation_id.rsplit("_", 1)[-1] for each in answer.researches]


def _deflated_sharpe(research: ComparedResearch) -> float:
    return research.statistics.deflated_sharpe if research.statistics else 0.0


def _compare(research: ComparedResearch) -> tuple[str, ...]:
    judged, holdout = research.statistics, research.holdout
    # A gate may have stopped it before it was judged, but not before it traded the holdout.
    sharpe = judged.sharpe if judged else holdout.sharpe if holdout else None
    return (
        *(research.operation_id, research.strategy, research.bars, research.verdict),
        format_figure(judged.deflated_sharpe, ".0%") if judged else "",
        format_figure(sharpe, "z.2f"),
        format_interval(judged.sharpe_low, judged.sharpe_high) if judged else "",
        format_figure(holdout.total_return, "+z.1%") if holdout else "",
        format_figure(holdout.max_drawdown, ".1%") if holdout else "",
        format_figure(holdout.trades, ",") if holdout else "",
        format_figure(research.trials_ever, ","),
        format_figure(judged.holdout_looks, ",") if judged else "",
    )
