"""Figures of a benchmark: a table for people, and a JSON file for comparison."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

from settings import load_settings


@dataclass(frozen=True)
class Figure:
    """One measured value.

    Attributes:
        name: What was measured.
        unit: Unit of the value; empty for a number.
        value: The value.
        target: The highest (`max`) or lowest (`min`) value that is good enough, if there is one.
        direction: Whether the target is a maximum or a minimum.
    """

    name: str
    unit: str
    value: float
    target: float | None = None
    direction: Literal["max", "min"] = "max"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.direction == "max" else self.value >= self.target


def publish(benchmark: str, figures: Sequence[Figure]) -> None:
    """Print the figures and write them to `bench/<benchmark>.json` in the state directory."""
    machine = _describe_machine()
    console = Console(highlight=False)
    table = Table(title=f"{benchmark}: {machine['cpus']} CPUs, {machine['memory_gib']} GiB")
    table.add_column("Figure")
    table.add_column("Value", justify="right")
    table.add_column("Target", justify="right")
    for figure in figures:
        table.add_row(figure.name, _format(figure.value, figure.unit), _format_target(figure))
    console.print(table)
    path = load_settings().home / "bench" / f"{benchmark}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"figures": [asdict(figure) for figure in figures], "machine": machine}
    path.write_text(json.dumps(content, indent=2) + "\n")
    console.print(f"Written to {path}", soft_wrap=True)


def _format_target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    bound = {"max": "≤", "min": "≥"}[figure.direction]
    text = f"{bound} {_format(figure.target, figure.unit)}"
    return text if figure.met else f"[red]{text} missed[/]"


def _format(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    return f"{number} {unit}".strip()


def _describe_machine() -> dict[str, str | int | float]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(pages / 2**30, 1),
        "architecture": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
