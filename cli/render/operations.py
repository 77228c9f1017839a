"""How operations look in a terminal."""

from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.operations.schemas import (
    RESULT_OF,
    BatchCancel,
    OperationCancelled,
    OperationListResponse,
    Resumed,
)
from api.steps.schemas import StepStarted
from cli.answer import read_model
from cli.hints import ktrdr
from cli.input.labels import Labels
from cli.local_answers import Overview
from cli.render.conditions import print_conditions
from cli.render.suggestions import print_suggestions, suggest_next
from cli.render.terminal.prose import print_prose
from cli.render.terminal.tables import (
    format_duration,
    format_figure,
    format_state,
    format_time,
    print_rows,
)
from cli.render.understood import print_understood
from quant.messages.base import FrozenModel
from quant.messages.steps import BacktestResult, TrainingResult
from quant.wording import format_count
from workflows.interface.contract import OperationInfo, OperationStatus
from workflows.interface.messages import ResearchResult

_VERDICT_STYLE = {
    "promising": "bold green",
    "mediocre": "yellow",
    "poor": "red",
    "no_signal": "dim",
}

_STATUS_STYLE = {
    OperationStatus.COMPLETED: "green",
    OperationStatus.FAILED: "red",
    OperationStatus.CANCELLED: "yellow",
}


class Started(Protocol):
    """Whatever names an operation that was started."""

    @property
    def operation_id(self) -> str:
        """The ID to follow it by."""


def print_outcome(console: Console, operation: OperationInfo) -> None:
    """Print how an operation ended; for a research, its verdict and main figures too."""
    status = operation.status
    style = _STATUS_STYLE.get(status, "")
    console.print(f"[{style}]{status}[/] {operation.operation_id}" if style else status)
    if operation.cancellation_reason:
        print_prose(console, f"Reason: {operation.cancellation_reason}")
    if error := operation.error_message or operation.step_error:
        print_prose(console, error, style="red")
    match read_result(operation):
        case ResearchResult() as result:
            console.print(f"\n[{_VERDICT_STYLE[result.verdict]}]Verdict: {result.verdict}[/]")
            print_prose(console, result.summary)
            print_conditions(console, result.conditions)
            console.print(_figures(result))
        case TrainingResult() as result:
            console.print(_figures_of_training(result))
        case BacktestResult() as result:
            console.print(_figures_of_backtest(result))


def read_result(operation: OperationInfo) -> FrozenModel | None:
    """Return the result of an operation, or None if it has none.

    Raises:
        UnreadableAnswer: The API describes the result in another form.
    """
    if not operation.result_summary:
        return None
    return read_model(operation.result_summary, RESULT_OF[operation.operation_type])


def _figures_of_training(result: TrainingResult) -> Table:
    table = Table.grid(padding=(0, 2))
    folds = format_count(len(result.folds), "fold")
    table.add_row(
        "Log loss", f"{result.log_loss:.4f} (base rate {result.baseline_log_loss:.4f}), {folds}"
    )
    table.add_row("Accuracy", f"{result.accuracy:.1%}")
    table.add_row("Sharpe ratio in walk-forward", format_figure(result.sharpe, "z.2f") or "none")
    return table


def _figures_of_backtest(result: BacktestResult) -> Table:
    table = Table.grid(padding=(0, 2))
    for level in result.levels:
        table.add_row(
            f"Holdout at {level.cost_multiple:g}x cost",
            f"{level.total_return:+z.1%} in {format_count(level.trades, 'trade')}, "
            f"Sharpe ratio {format_figure(level.sharpe, 'z.2f') or 'none'}, "
            f"drawdown {level.max_drawdown:.1%}",
        )
    table.add_row("Buy and hold", f"{result.benchmark.total_return:+z.1%}")
    return table


def _figures(result: ResearchResult) -> Table:
    table = Table.grid(padding=(0, 2))
    backtest, statistics = result.backtest_result, result.statistics
    table.add_row("Strategy", escape(result.strategy_name))
    if backtest:
        at_cost = backtest.total_return_at_cost
        others = ", ".join(f"{value:+z.1%} at {cost}x" for cost, value in at_cost.items())
        table.add_row("Holdout return after cost", f"{backtest.total_return:+z.1%} ({others})")
        table.add_row("Buy and hold", f"{backtest.benchmark_return:+z.1%}")
        table.add_row("Trades", f"{backtest.total_trades:,}")
        table.add_row("Largest drawdown", f"{backtest.max_drawdown:.1%}")
    if statistics:
        interval = f"{statistics.sharpe_low:z.2f} to {statistics.sharpe_high:z.2f}"
        table.add_row("Sharpe ratio", f"{statistics.sharpe:z.2f} (95 % interval {interval})")
        table.add_row(
            "Deflated SR (prob.)",
            f"{statistics.deflated_sharpe:.0%} on the whole record "
            f"({format_count(statistics.trials_ever, 'trial')}), "
            f"{statistics.confirmed_sharpe:.0%} on the holdout alone "
            f"(look {statistics.holdout_looks:,})",
        )
        if statistics.alpha is not None:
            table.add_row(
                "Alpha over buy and hold",
                f"{statistics.alpha:+z.1%} per year on the whole record, "
                f"{statistics.holdout_alpha or 0.0:+z.1%} on the holdout",
            )
    table.add_row("Seed", str(result.seed))
    return table


def print_started(console: Console, started: Started) -> None:
    """Print what was started, and how to watch it."""
    console.print(f"Started {started.operation_id}", markup=False)
    print_suggestions(console, ktrdr("follow", started.operation_id))


def print_step_started(console: Console, started: StepStarted) -> None:
    """Print what was started, what of the request needs care, and how to watch it."""
    print_understood(console, None, started.warnings)
    print_started(console, started)


def print_resumed(console: Console, resumed: Resumed) -> None:
    """Print what continues, and from where."""
    since = resumed.resumed_from
    epoch = since.epoch
    console.print(f"Resumed {resumed.operation_id}", markup=False)
    console.print(
        f"  after its {since.checkpoint_type} at {format_time(since.created_at)}", markup=False
    )
    if epoch is not None:
        console.print(f"  training has done {epoch} iterations", markup=False)


def print_operation(
    console: Console, operation: OperationInfo, labels: Labels | None = None
) -> None:
    """Print one operation with its children; its warnings with these labels for fields."""
    if operation.status in _STATUS_STYLE:
        print_outcome(console, operation)
        print_understood(console, operation.understood, operation.warnings, labels)
        print_suggestions(console, *suggest_next(operation))
        return
    progress, attempt = operation.progress, operation.attempt
    table = Table.grid(padding=(0, 2))
    table.add_row("Operation", escape(operation.operation_id))
    table.add_row("Type", operation.operation_type)
    table.add_row("Goal", escape(operation.goal or ""))
    table.add_row("Owner", escape(f"{operation.owner or ''}, priority {operation.priority or ''}"))
    table.add_row("Status", _describe_status(operation))
    if operation.cancellation_reason:
        table.add_row("Reason", escape(operation.cancellation_reason))
    table.add_row("Progress", f"{progress.percentage:.0f} % {escape(progress.current_step)}")
    if attempt and attempt.last_error:
        table.add_row("Last error", escape(f"{attempt.last_error} (attempt {attempt.number})"))
    left = operation.step_seconds_left
    table.add_row("Started", format_time(operation.created_at))
    rest = f", about {format_duration(left)} left in this step" if left is not None else ""
    table.add_row("Elapsed", f"{format_duration(operation.duration_seconds)}{rest}")
    for child in operation.children:
        table.add_row("Child", f"{escape(child.operation_id)} {child.status}")
    console.print(table)
    print_understood(console, operation.understood, operation.warnings, labels)


def _describe_status(operation: OperationInfo) -> str:
    """Say the status, and what the step does if it does not compute."""
    if operation.cancel_requested:
        return f"{operation.status}, cancel requested"
    state = format_state(operation.attempt)
    return f"{operation.status}, {state}" if state not in ("", "running") else operation.status


def print_operations(console: Console, page: OperationListResponse) -> None:
    """Print a page of operations as a table."""
    print_rows(
        console,
        (
            *("ID", "Type", "Status", "State", "Progress", "Owner", "Priority", "Goal", "Symbol"),
            *("Verdict", "Started", "Elapsed"),
        ),
        (
            (
                row.operation_id,
                row.operation_type,
                row.status,
                format_state(
                    row.attempt,
                    cancelling=row.cancel_requested and row.status not in _STATUS_STYLE,
                ),
                f"{row.progress_percentage:.0f} %",
                row.owner or "",
                str(row.priority or ""),
                row.goal or "",
                row.symbol or "",
                row.verdict or "",
                f"{row.created_at:%Y-%m-%d %H:%M:%S}",
                format_duration(row.duration_seconds),
            )
            for row in page.data
        ),
    )
    console.print(f"{page.active_count} active, {page.total_count} in all", style="dim")


def print_cancelled(console: Console, cancelled: OperationCancelled) -> None:
    """Print the outcome of a cancel."""
    stopped = cancelled.cancelled_at is not None
    still = "" if stopped else " (accepted; the work is stopping)"
    console.print(f"{cancelled.status}: {cancelled.operation_id}{still}", markup=False)
    for child in cancelled.children_cancelled:
        console.print(f"  {'stopped' if stopped else 'stopping'} {child}", markup=False)
    if cancelled.cancellation_reason:
        console.print(f"  reason: {cancelled.cancellation_reason}", markup=False)


def print_batch(console: Console, batch: BatchCancel) -> None:
    """Print which operations a batch cancel matched."""
    verb = "would be cancelled" if batch.dry_run else "being cancelled"
    console.print(f"{format_count(batch.matched, 'operation')} {verb}")
    for operation_id in batch.operation_ids:
        console.print(f"  {operation_id}", markup=False)


def print_overview(console: Console, overview: Overview) -> None:
    """Print an overview."""
    counts = overview.operations
    workers = ", ".join(f"{count} {queue}" for queue, count in overview.workers.items())
    by_status = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    console.print(f"Operations: {by_status}")
    console.print(f"Workers: {workers or 'none'}")


def print_addresses(console: Console, addresses: dict[str, str]) -> None:
    """Print where the parts of the stack are."""
    table = Table.grid(padding=(0, 2))
    for name, address in addresses.items():
        table.add_row(name, escape(address))
    console.print(table)


def print_times(console: Console, seconds: dict[str, float], total: float) -> None:
    """Print how long each step took."""
    steps = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
    console.print(f"Time: {steps}; {total:.1f} s in all", style="dim", markup=False)
