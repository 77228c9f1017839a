"""How schedules look in a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.schedules.schemas import Schedule, ScheduleInfo, ScheduleSummary
from cli.input.labels import Labels
from cli.local_answers import ScheduleDeleted
from cli.render.terminal.tables import format_time, print_rows
from cli.render.understood import print_understood
from quant.wording import format_count
from workflows.interface.messages import ResearchRequest


def print_schedules(console: Console, schedules: list[ScheduleSummary]) -> None:
    """Print all schedules as a table."""
    print_rows(
        console,
        ("ID", "When", "Overlap", "Next", "Research"),
        (
            (
                each.schedule_id,
                _describe_times(each),
                each.overlap,
                _describe_next(each),
                _describe_research(each.research),
            )
            for each in schedules
        ),
    )


def print_schedule(console: Console, schedule: ScheduleInfo, labels: Labels | None = None) -> None:
    """Print one schedule with its recent runs; its warnings with these labels for fields."""
    table = Table.grid(padding=(0, 2))
    table.add_row("Schedule", escape(schedule.schedule_id))
    table.add_row("When", escape(_describe_times(schedule)))
    table.add_row("Next", _describe_next(schedule))
    table.add_row("Overlap", schedule.overlap)
    table.add_row("Research", escape(_describe_research(schedule.research)))
    if schedule.note:
        table.add_row("Note", escape(schedule.note))
    table.add_row("Started", f"{schedule.runs}, {schedule.skipped} skipped")
    for run in reversed(schedule.recent_runs):
        table.add_row("", escape(run.operation_id))
    console.print(table)
    print_understood(console, schedule.understood, schedule.warnings, labels)


def print_deleted(console: Console, answer: ScheduleDeleted) -> None:
    """Print that a schedule was deleted."""
    console.print(f"Deleted {answer.schedule_id}", markup=False)


def _describe_times(schedule: Schedule) -> str:
    if schedule.cron is not None:
        return f"{schedule.cron} ({schedule.time_zone})"
    return f"every {schedule.interval_seconds} s"


def _describe_next(schedule: ScheduleSummary) -> str:
    if schedule.paused:
        return "paused"
    return format_time(schedule.next_runs[0]) if schedule.next_runs else "never"


def _describe_research(research: ResearchRequest) -> str:
    how = research.strategy or research.brief or format_count(research.trials, "trial")
    return f"{research.symbol} {research.timeframe}, {how}"
