"""How active researches and workers look in a terminal."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def print_status(console: Console, answer: dict[str, Any]) -> None:
    """Print the active researches, or the last one, and the load of the workers."""
    capacity = answer["capacity"]
    limit = f" of {capacity['limit']}" if capacity["limit"] is not None else ""
    console.print(f"{capacity['active']}{limit} researches active")
    if answer["active_researches"]:
        table = Table("ID", "Phase", "Strategy", "Owner", "Duration", box=None, pad_edge=False)
        for research in answer["active_researches"]:
            table.add_row(
                escape(research["operation_id"]),
                research["phase"],
                escape(research["strategy_name"] or ""),
                escape(research["owner"] or ""),
                f"{research['duration_seconds']} s",
            )
        console.print(table)
    if last := answer["last_cycle"]:
        console.print(f"Last: {last['operation_id']} {last['outcome']}", markup=False)
    for name, load in answer["workers"].items():
        waiting = f", {load['waiting']} waiting" if load["waiting"] else ""
        console.print(f"{name}: {load['busy']} of {load['total']} slots busy{waiting}")


def print_workers(console: Console, workers: list[dict[str, Any]]) -> None:
    """Print the workers as a table."""
    table = Table("Queue", "Status", "Busy", "Host", "ID", box=None, pad_edge=False)
    for worker in workers:
        table.add_row(
            worker["worker_type"],
            worker["status"],
            f"{worker['busy']} of {worker['total']}",
            escape(worker["host"]),
            escape(worker["worker_id"]),
        )
    console.print(table)
