"""How active researches and workers look in a terminal."""

from rich.console import Console

from api.agent.schemas import AgentStatus, QueueLoad, Slots, WorkerInfo
from cli.render.terminal.tables import format_duration, format_state, print_rows

_STEPS = {
    "research": ("agent_design", "agent_assessment"),
    "training": ("training",),
    "backtesting": ("backtesting",),
}


def print_status(console: Console, status: AgentStatus) -> None:
    """Print the active researches, or the last one, and the load of the workers."""
    capacity = status.capacity
    limit = "" if capacity.unlimited else f" of {capacity.limit}"
    one = capacity.active == 1 and (capacity.unlimited or capacity.limit == 1)
    console.print(f"{capacity.active:,}{limit} {'research' if one else 'researches'} active")
    if status.active_researches:
        print_rows(
            console,
            ("ID", "Phase", "Progress", "State", "Strategy", "Owner", "Priority", "Elapsed"),
            (
                (
                    research.operation_id,
                    research.phase,
                    f"{research.progress_percentage:.0f} %",
                    format_state(research.attempt, cancelling=research.cancel_requested),
                    research.strategy_name or "",
                    research.owner or "",
                    str(research.priority or ""),
                    format_duration(research.duration_seconds),
                )
                for research in status.active_researches
            ),
        )
    if last := status.last_cycle:
        console.print(f"Last: {last.operation_id} {last.outcome}", markup=False)
    loads: dict[str, QueueLoad] = dict(status.workers)
    queues: dict[str, Slots] = dict(status.queues)
    for queue, slots in queues.items():
        steps = [_describe_load(step, loads[step]) for step in _STEPS[queue]]
        said = "; ".join(step for step in steps if step)
        console.print(f"{queue}: {slots.total} slots{f' · {said}' if said else ', all free'}")


def _describe_load(step: str, load: QueueLoad) -> str:
    """Say what the steps of a kind do; nothing if there are none."""
    counts = {
        "running": load.busy,
        "waiting": load.waiting,
        "retrying": load.retrying,
        "paused": load.paused,
    }
    said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"{step.removeprefix('agent_')} {said}" if said else ""


def print_workers(console: Console, workers: list[WorkerInfo]) -> None:
    """Print the workers as a table."""
    print_rows(
        console,
        ("Type", "Status", "Busy", "Host", "ID"),
        (
            (
                worker.worker_type,
                worker.status,
                f"{worker.busy} of {worker.total}",
                worker.host,
                worker.worker_id,
            )
            for worker in workers
        ),
    )
