"""How watches look in a terminal."""

from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.watches.schemas import Watch, WatchCurve
from cli.render.terminal.prose import print_prose
from cli.render.terminal.tables import format_time, print_rows
from quant.messages.watch import WatchSummary
from quant.wording import format_count, join_names
from workflows.interface.contract import OperationStatus

_MOST_NAMED: Final = 12


def print_watches(console: Console, watches: list[Watch]) -> None:
    """Print watches as a table."""
    print_rows(
        console,
        ("Research", "Strategy", "Bars of", "Status", "Stands", "New bars", "Evidence", "Against"),
        (
            (
                each.research_id,
                each.strategy_name,
                f"{each.symbol} {each.timeframe}",
                each.status,
                each.standing,
                f"{each.bars:,}",
                format_evidence(each.evidence),
                format_evidence(each.counter_evidence),
            )
            for each in watches
        ),
    )


def print_watch(console: Console, watch: Watch) -> None:
    """Print one watch."""
    table = Table.grid(padding=(0, 2))
    table.add_row("Watch of", escape(watch.research_id))
    table.add_row("Strategy", escape(f"{watch.strategy_name} on {watch.symbol} {watch.timeframe}"))
    if watch.symbols:
        table.add_row(
            "Instruments", escape(f"{len(watch.symbols)}: {join_names(watch.symbols, _MOST_NAMED)}")
        )
    table.add_row("Status", "cancelling" if watch.cancel_requested else watch.status)
    table.add_row("Stands", _describe_standing(watch))
    table.add_row("New bars", _describe_bars(watch))
    if watch.awaits and watch.status is OperationStatus.RUNNING:
        table.add_row("Waits for bars of", escape(_describe_awaited(watch)))
    if watch.left:
        table.add_row("Have left", escape(join_names(watch.left, _MOST_NAMED)))
    table.add_row("Evidence for its alpha", f"{format_evidence(watch.evidence)} (20 confirms)")
    table.add_row(
        "Evidence against it", f"{format_evidence(watch.counter_evidence)} (20 withdraws)"
    )
    if watch.looked_at is not None:
        table.add_row("Looked", format_time(watch.looked_at))
    console.print(table)
    if watch.problem and watch.status is OperationStatus.RUNNING:
        print_prose(console, f"Its last look failed, and it looks again: {watch.problem}")


def print_curve(console: Console, curve: WatchCurve) -> None:
    """Print the bars that were scored, the newest last."""
    print_rows(
        console,
        ("Bar", "Strategy", "Market", "Evidence", "Against"),
        (
            (
                point.time,
                f"{point.strategy:+.3%}",
                f"{point.market:+.3%}",
                format_evidence(point.evidence),
                format_evidence(point.counter_evidence),
            )
            for point in curve.points
        ),
    )


def format_evidence(value: float) -> str:
    """Return evidence with the digits that matter, however small it is."""
    return f"{value:.3g}"


def _describe_standing(watch: WatchSummary) -> str:
    if watch.withdrawn_at is not None:
        return f"withdrawn by the bar of {watch.withdrawn_at}"
    if watch.confirmed_at is not None:
        return f"confirmed by the bar of {watch.confirmed_at}"
    return watch.standing


def _describe_awaited(watch: WatchSummary) -> str:
    named = join_names(watch.awaits, _MOST_NAMED)
    if watch.awaits_since is None:
        return named
    return f"{named}, since {format_time(watch.awaits_since)}"


def _describe_bars(watch: WatchSummary) -> str:
    if watch.begins_after is None:
        return "it has not looked yet"
    if watch.last_scored is None:
        return f"none since {watch.begins_after}"
    return (
        f"{format_count(watch.bars, 'bar')} since {watch.begins_after}, up to {watch.last_scored}"
    )
