"""How active researches and workers look in a terminal."""

from rich.console import Console

from api.agent.schemas import AgentStatus, QueueLoad, WorkerInfo
from cli.render.tables import print_rows


def print_status(console: Console, status: AgentStatus) -> None:
    """Print the active researches, or the last one, and the load of the workers."""
    capacity = status.capacity
    limit = "" if capacity.unlimited else f" of {capacity.limit}"
    one = capacity.active == 1 and (capacity.unlimited or capacity.limit == 1)
    console.print(f"{capacity.active:,}{limit} {'research' if one else 'researches'} active")
    if status.active_researches:
        print_rows(
            console,
            ("ID", "Phase", "Strategy", "Owner", "Duration"),
            (
                (
                    research.operation_id,
                    research.phase,
                    research.strategy_name or "",
                    research.owner or "",
                    f"{research.duration_seconds} s",
                )
                for research in status.active_researches
            ),
        )
    if last := status.last_cycle:
        console.print(f"Last: {last.operation_id} {last.outcome}", markup=False)
    loads: dict[str, QueueLoad] = dict(status.workers)
    for name, load in loads.items():
        waiting = f", {load.waiting} waiting" if load.waiting else ""
        console.print(f"{name}: {load.busy} of {load.total} slots busy{waiting}")


def print_workers(console: Console, workers: list[WorkerInfo]) -> None:
    """Print the workers as a table."""
    print_rows(
        console,
        ("Queue", "Status", "Busy", "Host", "ID"),
        (
            (
                worker.task_queue,
                worker.status,
                f"{worker.busy} of {worker.total}",
                worker.host,
                worker.worker_id,
            )
            for worker in workers
        ),
    )
